"""What lists ask of many jobs at once is what is asked of each, for everybody and every kind of job."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceengine.jobs import transitions
from faceengine.jobs.access import may_steer, steerable
from faceengine.jobs.models import Job
from tests.web.consents import mandate_of
from tests.web.footage import people, project_of, user
from tests.web.ways import converted, scored, trained
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db


def test_of_many_at_once_and_of_each() -> None:
    owner = user("owner")
    project = project_of(owner)
    run = trained(project)
    scored(converted(run))
    by_hand = {"a": "a", "b": "b"}
    elsewhere = mandate_of(project_of(user("other"))).pk
    of_no_team = [transitions.submit("train", by_hand, owner=one, mandate=elsewhere).pk for one in (owner, None)]
    Job.objects.filter(pk__in=of_no_team).update(group=None)
    transitions.submit("train", by_hand, owner=owner, mandate=elsewhere)
    jobs = list(Job.objects.all())
    assert {job.kind for job in jobs} == {"intake", "extract", "train", "convert", "score"}
    visitors = [*people(project).values(), User.objects.create_superuser("staff@example.org"), AnonymousUser()]
    found = set()
    for visitor in visitors:
        asked = visitor or AnonymousUser()
        able = {job.pk for job in jobs if may_steer(asked, job)}
        assert steerable(asked, jobs) == able
        found.add(len(able))
    assert len(found) > 2


def test_many_cost_no_more_queries_than_a_few() -> None:
    owner = user("owner")
    project = project_of(owner)
    costs = []
    for _ in range(2):
        trained(project)
        jobs = list(Job.objects.all())
        with CaptureQueriesContext(connection) as queries:
            assert len(steerable(owner, jobs)) == len(jobs)
        costs.append(len(queries))
    assert costs[0] == costs[1] == 2
