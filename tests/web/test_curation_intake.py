"""Between the engine's face set and the rows, with a real extraction of the demo's clip."""

from __future__ import annotations

import io
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from curation_sets import face_set_of, member, with_pictures
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run
from faceengine.faceset import FaceSet as Files
from faceengine.jobs import transitions
from faceengine.video import read_frames
from tests.web.consents import mandate_of
from webapp.accounts.models import User
from webapp.curation import pictures
from webapp.curation.alike import alike
from webapp.curation.intake import export_verdicts, import_crops
from webapp.curation.models import Crop, FaceSet, Verdict
from webapp.curation.selection import Selection, View
from webapp.curation.verdicts import decide

CLIP = Path(__file__).parents[2] / "demo" / "person_a.mp4"
NAME = "footage/a/clip.mp4"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten crops of person A. Copy the folder before changing it."""
    clip = tmp_path_factory.mktemp("storage") / NAME
    clip.parent.mkdir(parents=True)
    shutil.copy(CLIP, clip)
    folder = tmp_path_factory.mktemp("faces") / "a"
    run(ExtractConfig(inputs=(clip,), every=100), folder)
    return folder


@pytest.fixture
def face_set(db: None, extracted: Path) -> FaceSet:
    """The set of a job that extracted the clip."""
    made = face_set_of(0)
    made.job = transitions.submit("extract", {"inputs": [NAME]}, mandate=mandate_of(made.person.project).pk)
    made.folder = made.job.folder
    made.save()
    shutil.copytree(extracted, folder_of(made))
    stored = Path(settings.MEDIA_ROOT, NAME)
    stored.parent.mkdir(parents=True)
    shutil.copy(CLIP, stored)
    return made


@pytest.fixture
def ann(face_set: FaceSet) -> User:
    return member(face_set, "ann@example.org")


def folder_of(face_set: FaceSet) -> Path:
    return Path(settings.MEDIA_ROOT, face_set.folder)


def test_crops_come_in_with_their_measures_and_the_storage_s_names(face_set: FaceSet) -> None:
    assert import_crops(face_set, folder_of(face_set)) == 10
    with Files.open(folder_of(face_set)) as files:
        found = {crop.id: crop for crop in files.crops()}
    for crop in Crop.objects.all():
        engines = found[crop.number]
        assert (crop.frame, crop.sharpness, crop.yaw) == (engines.frame, engines.sharpness, engines.yaw)
        assert crop.input == NAME
        assert 0 <= crop.suspicion <= 1
    face_set.refresh_from_db()
    assert (face_set.size, face_set.summary["crops"]) == (256, 10)


def test_coming_in_again_leaves_verdicts_where_they_are(face_set: FaceSet, ann: User) -> None:
    import_crops(face_set, folder_of(face_set))
    decide(face_set, ann, Selection(View(), (3,)), "reject")
    assert import_crops(face_set, folder_of(face_set)) == 0
    assert Verdict.objects.get().crop.number == 3


def test_another_face_under_a_known_number_gets_no_verdict_of_the_old_one(face_set: FaceSet, ann: User) -> None:
    import_crops(face_set, folder_of(face_set))
    decide(face_set, ann, Selection(View(), (3, 4)), "reject")
    before = Crop.objects.get(number=3).pk
    with sqlite3.connect(folder_of(face_set) / "faces.sqlite") as index:
        index.execute("UPDATE crops SET frame = 7 WHERE id = 3")
    assert import_crops(face_set, folder_of(face_set)) == 1
    assert Crop.objects.get(number=3).pk != before
    assert Verdict.objects.get().crop.number == 4


def test_training_is_told_what_is_rejected_or_disputed(face_set: FaceSet, ann: User) -> None:
    import_crops(face_set, folder_of(face_set))
    ben = member(face_set, "ben@example.org")
    decide(face_set, ann, Selection(View(), (1, 2, 3)), "keep")
    decide(face_set, ben, Selection(View(), (2,)), "reject")
    decide(face_set, ben, Selection(View(), (5,)), "reject")
    export_verdicts(face_set, folder_of(face_set))
    with Files.open(folder_of(face_set)) as files:
        said = {crop.id: crop.verdict for crop in files.crops()}
        usable = [crop.id for crop in files.crops(usable=True)]
    # Seen from far aside, a face may be anybody's to the network: left out too, until somebody keeps it.
    doubted = set(face_set.crops.filter(state__in=("unsure", "other")).values_list("number", flat=True))
    assert len(doubted) <= 2
    assert usable == [number for number in range(1, 11) if number not in {2, 5} | doubted]
    told = {1: "keep", 3: "keep", 2: "reject", 5: "reject"}
    assert said == dict.fromkeys(range(1, 11)) | dict.fromkeys(doubted, "reject") | told


def test_the_nearest_faces_come_first(face_set: FaceSet) -> None:
    folder = folder_of(face_set)
    with sqlite3.connect(folder / "faces.sqlite") as index:
        # Crop 9 is made to look exactly like crop 2.
        index.execute("UPDATE crops SET embedding = (SELECT embedding FROM crops WHERE id = 2) WHERE id = 9")
    assert alike(face_set, 2, 2) == [2, 9]
    assert sorted(alike(face_set, 2, 100)) == list(range(1, 11))


def test_the_frame_of_a_crop_is_the_one_that_it_was_cut_from(face_set: FaceSet, ann: User) -> None:
    import_crops(face_set, folder_of(face_set))
    crop = Crop.objects.get(number=4)
    client = Client()
    client.force_login(ann)
    answer = client.get(f"/projects/{face_set.person.project_id}/a/faces/crops/4/frame")
    shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"), np.float64)
    near = {frame.index: frame.image for frame in read_frames(CLIP) if abs(frame.index - crop.frame) <= 2}
    errors = {index: np.abs(image - shown).mean() for index, image in near.items()}
    assert min(errors, key=errors.__getitem__) == crop.frame
    assert errors[crop.frame] < 5


@pytest.mark.django_db
def test_what_the_room_shows_first_has_its_small_pictures() -> None:
    made = face_set_of(pictures.FIRST + 5)
    with_pictures(made)
    default_storage.delete(made.key("crops/000003.png"))
    pictures.prepare(made)
    folder = Path(default_storage.path(f"{made.person.folder}/thumbs/{pictures.FIRST_SIZE}"))
    first = made.crops.order_by("number")[: pictures.FIRST]
    assert {path.stem for path in folder.iterdir()} == {str(crop.pk) for crop in first if crop.number != 3}
