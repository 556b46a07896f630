"""Between the engine's face set and the rows that people judge: crops come in, verdicts go out."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from django.db import transaction

from webapp.consent.likeness import likeness_of
from webapp.curation.models import USABLE, Crop, CropState, FaceSet
from webapp.curation.verdicts import derive_identities

# Higher is stranger: how each measure tells that something is wrong with a crop.
_SUSPICIOUS = {
    "distance": 1,  # somebody else, or no face at all
    "score": -1,
    "sharpness": -1,
    "face_size": -1,
}

_CHUNK = 5_000


@transaction.atomic
def import_crops(face_set: FaceSet, folder: Path) -> int:
    """Bring the rows in line with the engine's set in ``folder``; the number of crops that are new.

    Verdicts stay with their crops. Raises :class:`faceengine.errors.InputError` for a set that can't be read.
    """
    from faceengine.faceset import FaceSet as Files  # with OpenCV: only where crops are taken in

    # First of all: a recording that is accepted from now on asks for another comparison.
    FaceSet.objects.filter(pk=face_set.pk).update(to_compare=False)
    with Files.open(folder) as files:
        found = files.crops()
        summary = files.summary
    names = face_set.job.config.get("inputs", []) if face_set.job else []
    said = _identities(found, likeness_of(face_set.person))
    rows = [
        _row(face_set, crop, _stored_name(crop.input, names), identity)
        for crop, identity in zip(found, said, strict=True)
    ]
    known = _known(face_set, rows)
    _suspect(rows)
    for row in rows:
        row.pk = known.get(row.number)
    new = [row for row in rows if row.pk is None]
    Crop.objects.bulk_create(new)
    # A larger set has another most typical face and other near duplicates; the pictures stay what they were.
    changed = [row for row in rows if row.number in known]
    measures = ["distance", "near_duplicates", "suspicion", "identity", "outside"]
    Crop.objects.bulk_update(changed, measures, batch_size=500)
    derive_identities(face_set)
    FaceSet.objects.filter(pk=face_set.pk).update(summary=summary, size=summary["size"])
    return len(new)


def export_verdicts(face_set: FaceSet, folder: Path) -> None:
    """Write what the crops are into the engine's set: training leaves out the rejected, what is disputed still, who
    is, or may be, somebody else, and crops of an extraction at work, which nobody has compared with the person yet."""
    from faceengine.faceset import FaceSet as Files

    says = {state: "reject" for state in CropState if state not in USABLE} | {CropState.KEPT: "keep"}
    states = Crop.objects.filter(face_set=face_set).values_list("number", "state")
    with Files.open(folder) as files:
        verdicts: dict[int, str | None] = dict.fromkeys(files.ids(), "reject")
        files.set_verdicts(verdicts | {number: says.get(CropState(state)) for number, state in states})


def _known(face_set: FaceSet, rows: list[Crop]) -> dict[int, int]:
    """Number → key of the crops that are there already. What is no crop of the set any more goes with its verdicts,
    so that no verdict and no small picture passes to another face that got its number."""
    there = {_identity(crop): crop.pk for crop in Crop.objects.filter(face_set=face_set)}
    known = {row.number: there.pop(_identity(row)) for row in rows if _identity(row) in there}
    gone = list(there.values())
    for start in range(0, len(gone), _CHUNK):
        Crop.objects.filter(pk__in=gone[start : start + _CHUNK]).delete()
    return known


def _identity(crop: Crop) -> tuple[Any, ...]:
    return crop.number, crop.input, crop.frame, crop.face


def _stored_name(given: str, names: list[str]) -> str:
    """What the storage calls an input that extraction knows by its path on some machine; its last part at least."""
    for name in names:
        at = f"/{given}/".find(f"/{name}/")
        if at >= 0:
            return given[at:]
    return PurePath(given).name


def _row(face_set: FaceSet, crop: Any, name: str, identity: str) -> Crop:
    return Crop(
        face_set=face_set,
        number=crop.id,
        input=name,
        frame=crop.frame,
        time=crop.time,
        face=crop.face,
        box=[round(float(value), 1) for value in crop.box],
        width=crop.width,
        height=crop.height,
        near_duplicates=crop.near_duplicates or crop.id,
        score=crop.score,
        sharpness=crop.sharpness,
        brightness=crop.brightness,
        face_size=crop.face_size,
        outside=crop.outside,
        yaw=crop.yaw,
        pitch=crop.pitch,
        roll=crop.roll,
        distance=crop.medoid_distance or 0.0,
        identity=identity,
    )


def _identities(crops: list[Any], known: dict[str, Any] | None) -> list[str]:
    """Whether each crop is the person, by the network that embedded it: the person in the consent's recording, or,
    where there is none, whom most of the set shows."""
    import numpy as np

    from faceengine.identity import readings

    if not crops:
        return []
    network = crops[0].embedding_network
    if known is not None and known["network"] == network:
        faces = np.array(known["embeddings"])
    else:
        measured = [crop for crop in crops if crop.medoid_distance is not None]
        if not measured:
            return [""] * len(crops)
        faces = min(measured, key=lambda crop: crop.medoid_distance).embedding[None]
    return [reading or "" for reading in readings(crops, faces, network)]


def _suspect(rows: list[Crop]) -> None:
    """Set every row's ``suspicion``: the share of the rows that are less unusual, in the measure where it is worst."""
    for row in rows:
        row.suspicion = 0.0
    for name, sign in _SUSPICIOUS.items():
        _rank(rows, [sign * getattr(row, name) for row in rows])
    middle = sorted(row.brightness for row in rows)[len(rows) // 2] if rows else 0.0
    _rank(rows, [abs(row.brightness - middle) for row in rows])


def _rank(rows: list[Crop], unusual: list[float]) -> None:
    for place, (_, row) in enumerate(sorted(zip(unusual, rows, strict=True), key=lambda pair: pair[0])):
        row.suspicion = max(row.suspicion, place / max(1, len(rows) - 1))
