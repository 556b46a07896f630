"""Faces at the frame's edge, and sets of two people: what the studio shows of them, and what it does not count on."""

from __future__ import annotations

import pytest

from tests.web.footage import client_of
from tests.web.ways import TINY, faces
from webapp.accounts.models import User
from webapp.curation.best import keep_best
from webapp.curation.models import Crop, CropState, FaceSet
from webapp.projects.models import Project
from webapp.studio.errors import StudioError
from webapp.studio.services import ENOUGH, start_run
from webapp.studio.standing import standings

pytestmark = pytest.mark.django_db


@pytest.fixture
def face_set(project: Project) -> FaceSet:
    """A's set of as many faces as training needs, two of which lie at the edge; B's is whole."""
    faces(project.people.get(side="b"))
    found = faces(project.people.get(side="a"), ENOUGH)
    Crop.objects.filter(face_set=found, number__in=(1, 2)).update(outside=0.4)
    return found


def test_they_are_shown_and_not_counted_on(owner: User, project: Project, face_set: FaceSet) -> None:
    person = standings([project])[0].people[0]
    assert (person.faces, person.usable, person.at_edge) == (ENOUGH, ENOUGH - 2, 2)
    client = client_of(owner)
    assert "2 excluded at the edge of the frame" in client.get(f"/projects/{project.pk}/").content.decode()
    room = f"/projects/{project.pk}/a/faces/"
    assert client.get(f"{room}crops/1").json()["measures"]["outside"] == 0.4
    with pytest.raises(StudioError) as refused:
        start_run(owner, project, "First", TINY)
    assert refused.value.code == "run.few_faces"
    keep_best(face_set, owner, ENOUGH)
    assert set(Crop.objects.filter(face_set=face_set, outside__gt=0).values_list("state", flat=True)) == {
        CropState.REJECTED
    }


def test_the_room_says_what_the_extraction_noticed(owner: User, project: Project, face_set: FaceSet) -> None:
    room = f"/projects/{project.pk}/a/faces/"
    assert "more than one person" not in client_of(owner).get(room).content.decode()
    advice = [{"code": "extract.two_people", "text": "20 and 5 crops"}, {"code": "extract.some", "text": "few"}]
    FaceSet.objects.filter(pk=face_set.pk).update(summary={"advice": advice})
    page = client_of(owner).get(room).content.decode()
    assert "The footage shows more than one person" in page
    assert "20 and 5 crops" in page
    assert "Few crops" not in page
