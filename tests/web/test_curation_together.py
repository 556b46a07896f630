"""Two reviewers at once, each a process of their own: no verdict is lost, none is another's, disputes are exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from curation_sets import face_set_of, member
from django.db import connection

from tests.jobs.servers import end_with_parent
from webapp.accounts.models import User
from webapp.curation.models import Batch, Crop, CropState, FaceSet, Verdict

COUNT = 1000
ROOT = Path(__file__).parents[2]


def start(face_set: FaceSet, user: User, seed: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "webapp.settings.development",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, str(Path(__file__).with_name("curation_reviewer.py"))]
    command += [str(face_set.pk), user.email, str(seed), str(COUNT)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, preexec_fn=end_with_parent)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_lose_nothing() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its processes work on the SQLite file")
    face_set = face_set_of(COUNT)
    people = [member(face_set, f"{name}@example.org") for name in ("ann", "ben")]
    running = [start(face_set, user, seed) for seed, user in enumerate(people)]
    said = [{int(number): value for number, value in json.loads(one.communicate(timeout=240)[0]).items()}
            for one in running]  # fmt: skip
    for user, wanted in zip(people, said, strict=True):
        assert dict(Verdict.objects.filter(user=user).values_list("crop__number", "value")) == wanted
        assert Batch.objects.filter(user=user).count() == COUNT
    face_set.refresh_from_db()
    assert face_set.revision == 2 * COUNT
    both = {"keep": CropState.KEPT, "reject": CropState.REJECTED}
    ann, ben = said
    expected = {n: both[ann[n]] if ann[n] == ben[n] else CropState.DISPUTED for n in ann}
    assert dict(Crop.objects.values_list("number", "state")) == expected
