"""A studio's conversions replace the person who agreed and nobody else: real jobs, with real processes.

The steps of an attack that once worked: a clip of a third person is uploaded as A's footage, its faces are extracted
into A's set, and a conversion is told to know the person by that set.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage
from django.conf import settings
from django.core.files.storage import default_storage

from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.convert import run as convert
from faceengine.conversion.recognition import SetPerson
from faceengine.extraction.config import ExtractConfig
from faceengine.extraction.extract import run as extract
from faceengine.faceset import FaceSet as Files
from faceengine.faceset import medoid
from faceengine.identity import looks
from faceengine.jobs import transitions
from faceengine.jobs.models import Job
from faceengine.jobs.states import State
from faceengine.training.config import TrainConfig
from faceengine.training.train import run as train
from faceengine.video import VideoWriter, probe, read_frames
from tests.jobs.conftest import make_slot, run_next
from tests.web.footage import client_of, project_of, user
from tests.web.ways import converted, trained
from webapp.consent import references
from webapp.consent.evidence import _sealed
from webapp.consent.models import Consent, Evidence, PersonKey
from webapp.curation.figures import counts
from webapp.curation.intake import import_crops
from webapp.curation.models import CropState, FaceSet
from webapp.projects.models import Person
from webapp.studio import services
from webapp.studio.face_sets import write_verdicts
from webapp.studio.models import Run
from webapp.uploads.models import Asset

DEMO = Path(__file__).parents[2] / "demo"
SETTINGS: dict[str, str] = {}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets of A and B, a run on them, clips of A and of somebody else, and a set of A that shows mostly the latter."""
    folder = tmp_path_factory.mktemp("made")
    for side in "ab":
        extract(ExtractConfig(inputs=(DEMO / f"person_{side}.mp4",), every=30), folder / side)
    tiny = TrainConfig(a=folder / "a", b=folder / "b", preset="tiny", iterations=1, batch=2, workers=0)
    train(tiny, folder / "run")
    frames = [frame.image for frame in read_frames(DEMO / "person_a.mp4", every=50)][:4]
    _written(folder / "anna.mp4", [frame for frame in frames for _ in range(4)])
    photo = cv2.imread(str(Path(skimage.__file__).parent / "data" / "astronaut.png"))[:384, :512, ::-1]
    wide = np.ascontiguousarray(cv2.resize(photo, (640, 480)))
    _written(folder / "stranger.mp4", [np.roll(wide, 2 * step, axis=1) for step in range(32)])
    extract(ExtractConfig(inputs=(folder / "anna.mp4", folder / "stranger.mp4"), every=2), folder / "mixed")
    return folder


def _written(path: Path, images: list[Any]) -> None:
    height, width = images[0].shape[:2]
    with VideoWriter(path, width, height, probe(DEMO / "person_a.mp4").fps, crf=14) as writer:
        for image in images:
            writer.write(image)


@pytest.fixture
def run(made: Path) -> Run:
    """A training of a project whose people both sent a recording with their consent."""
    project = project_of(user("owner"))
    done = trained(project)
    (checkpoint,) = (made / "run" / "checkpoints").iterdir()
    kept = Path(default_storage.path(f"{done.job.folder}/checkpoints/000020.safetensors"))
    kept.write_bytes(checkpoint.read_bytes())
    for person in project.people.all():
        recorded(person, made / person.side)
    return done


def recorded(person: Person, folder: Path) -> None:
    """Evidence with the person's face, as a recording leaves it."""
    with Files.open(folder) as files:
        crops = files.crops()
    embeddings = np.stack([crop.embedding for crop in crops])
    kept = [crops[place].embedding.tolist() for place in looks(crops, medoid(embeddings))]
    evidence = Evidence(consent=Consent.objects.get(person=person), kind="video", size=1, sha256=f"{person.pk:064}")
    found = {"network": "dlib-resnet", "faces": len(crops), "others": 0, "embeddings": kept}
    evidence.likeness = _sealed(found, evidence, person)
    evidence.save(force_insert=True)


def uploaded(run: Run, clip: Path) -> Asset:
    """A's first video, which is this clip."""
    asset = Asset.objects.filter(person__project=run.project, person__side="a").earliest("pk")
    shutil.copy(clip, default_storage.path(asset.file))
    Asset.objects.filter(pk=asset.pk).update(fps=25, frames=probe(clip).frames)
    asset.refresh_from_db()
    return asset


def set_of_others(run: Run, made: Path) -> FaceSet:
    """A's set after the faces of the other clip came in; nobody has trained since."""
    face_set = FaceSet.objects.get(person__project=run.project, person__side="a")
    folder = Path(default_storage.path(face_set.folder))
    shutil.rmtree(folder)
    shutil.copytree(made / "mixed", folder)
    import_crops(face_set, folder)
    states = counts(face_set)
    assert states[CropState.OTHER] > states[CropState.NEW] > 0
    return face_set


def told(job: Job, face_set: FaceSet) -> Job:
    """The job, whose config names a set to know the person by, however that came to be; and a slot asks for work."""
    Job.objects.filter(pk=job.pk).update(config=job.config | {"person": face_set.folder})
    assert transitions.claim(make_slot(f"{job.slot_kind}9000")) is None
    job.refresh_from_db()
    return job


def test_a_stranger_is_not_swapped_by_whatever_set(run: Run, made: Path) -> None:
    face_set, asset = set_of_others(run, made), uploaded(run, made / "stranger.mp4")
    folder = Path(default_storage.path(face_set.folder))
    # Without anybody to compare with it works: the set's most typical face is the stranger's.
    alone = ConvertConfig(made / "stranger.mp4", made / "run", "a2b", person=folder, label="none", end=8, **SETTINGS)
    assert convert(alone, made / "unasked").swapped == 8
    owner = run.project.created_by
    job = told(services.start_conversion(owner, run, asset, dict(SETTINGS)).job, face_set)
    assert (job.state, job.error_code) == (State.FAILED, "consent.foreign")
    services.start_conversion(owner, run, asset, dict(SETTINGS))
    plain = run_next(make_slot("gpu9003"))
    assert (plain.state, plain.error_code) == (State.FAILED, "convert.no_person")
    assert not Path(default_storage.path(f"{plain.folder}/result.mp4")).exists()
    # What the studio has set aside is in the set's file once a job names the set, so its person is A again.
    write_verdicts(face_set)
    with Files.open(folder) as files:
        usable = files.crops(usable=True)
    assert {Path(crop.input).name for crop in usable} == {"anna.mp4"}
    assert np.linalg.norm(SetPerson.of(folder).medoid - SetPerson.of(made / "a").medoid) < 0.48
    preview = told(services.show_still(owner, run, asset, dict(SETTINGS), 0.4).job, face_set)
    assert (preview.state, preview.error_code) == (State.FAILED, "consent.foreign")


def test_the_person_who_agreed_is_swapped_and_it_is_delivered(run: Run, made: Path) -> None:
    asset, owner = uploaded(run, made / "anna.mp4"), run.project.created_by
    conversion = services.start_conversion(owner, run, asset, dict(SETTINGS))
    job = run_next(make_slot("gpu9001"))
    assert (job.state, job.error_text) == (State.DONE, "")
    assert (job.result["swapped"], job.result["refused"]) == (16, 0)
    assert job.result["checked"]
    address = f"/jobs/{conversion.job.pk}/files/result.mp4"
    assert client_of(owner).get(address).status_code == 200
    # As results are that were made before faces were compared.
    Job.objects.filter(pk=job.pk).update(result=job.result | {"checked": ""})
    answer = client_of(owner).get(address, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "convert.unchecked")


def test_a_recording_that_can_t_be_read_lets_nobody_pass(run: Run) -> None:
    conversion = converted(run)
    assert references.given(conversion.job)[references.VARIABLE].count("dlib-resnet") == 2
    kept = PersonKey.objects.get(person__project=run.project, person__side="b")
    Path(settings.CONSENT_KEYS_DIR, kept.file).write_bytes(b"\0" * 60)
    services.start_conversion(run.project.created_by, run, conversion.asset, {})
    job = run_next(make_slot("gpu9002"))
    assert (job.state, job.error_code) == (State.FAILED, "consent.reference")


def test_a_job_always_knows_that_there_is_somebody_to_ask_for(made: Path) -> None:
    """Somebody without a recording is not the same as a studio that says nothing."""
    done = trained(project_of(user("owner")))
    assert references.given(done.job) == {references.VARIABLE: '{"a": null, "b": null}'}
    with_nobody = Job(kind="convert", config={})
    assert references.given(with_nobody) == {references.VARIABLE: '{"a": null, "b": null}'}
