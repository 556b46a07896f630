"""A face set on disk: pictures plus one index. Documented in ``docs/face-set.md``.

::

    FACES/
      faces.json           the summary, written last, replaced whole
      faces.sqlite         the index: one row a crop, one row an input, one row a setting that shaped them
      crops/000001.png     the aligned crop, lossless RGB, `size` pixels square
      masks/000001.png     its masks side by side, 8-bit grey: eyes | brows | nose | mouth | face

The index is SQLite: a row and its neighbours become durable together, a verdict changes in place, any language reads
it, and a set of 50,000 crops is filtered without being loaded. A picture without a row is left-over of an
interrupted extraction and is overwritten by the next one.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from faceengine import png
from faceengine.errors import InputError
from faceengine.files import replace_file
from faceengine.geometry import Image, Matrix, Points, share_outside
from faceengine.thresholds import MOST_OUTSIDE

FORMAT = 3
MASKS = ("eyes", "brows", "nose", "mouth", "face")
VERDICTS = ("keep", "reject")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,           -- what shaped every crop: size, every, networks
    value TEXT NOT NULL              -- JSON
);
CREATE TABLE IF NOT EXISTS inputs (
    name TEXT PRIMARY KEY,           -- path as it was given
    sha256 TEXT NOT NULL,
    next_frame INTEGER NOT NULL,     -- first frame not looked at yet
    frames_read INTEGER NOT NULL,
    frames_with_face INTEGER NOT NULL,
    done INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS crops (
    id INTEGER PRIMARY KEY,
    input TEXT NOT NULL REFERENCES inputs (name),
    frame INTEGER NOT NULL, time REAL NOT NULL, face INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL,
    box BLOB NOT NULL, points BLOB NOT NULL, score REAL NOT NULL, matrix BLOB NOT NULL,
    landmarks BLOB NOT NULL, landmark_network TEXT NOT NULL,
    embedding BLOB NOT NULL, embedding_network TEXT NOT NULL,
    sharpness REAL NOT NULL, brightness REAL NOT NULL, face_size REAL NOT NULL,
    yaw REAL NOT NULL, pitch REAL NOT NULL, roll REAL NOT NULL, landmark_gap REAL NOT NULL,
    hash INTEGER NOT NULL, near_duplicates INTEGER, medoid_distance REAL,
    verdict TEXT CHECK (verdict IN ('keep', 'reject')),
    outside REAL NOT NULL DEFAULT 0,
    UNIQUE (input, frame, face)
);
"""


@dataclass(frozen=True)
class Crop:
    """One aligned face and everything that is known of it. Points, boxes and landmarks are pixels of its frame."""

    input: str
    frame: int
    """Number of the frame in its video, from 0; 0 for a photo."""
    time: float
    """Seconds from the start of the video."""
    face: int
    """Which of the frame's faces, from 0, in the order of their scores."""
    width: int
    height: int
    box: NDArray[np.float64]
    """``(4,)`` x0, y0, x1, y1 of the square box."""
    points: Points
    """``(5, 2)`` left eye, right eye, nose, left and right mouth corner, as seen in the picture."""
    score: float
    """The detector's, in [0, 1]."""
    matrix: Matrix
    """``(2, 3)`` frame → crop."""
    landmarks: Points
    """``(68, 2)`` in the order of iBUG 300-W."""
    landmark_network: str
    embedding: NDArray[np.float64]
    """``(D,)`` as the network gives it (its thresholds are distances between these)."""
    embedding_network: str
    sharpness: float
    """Variance of the Laplacian of the grey crop at 128 px."""
    brightness: float
    """Mean grey inside the face mask, in [0, 255]."""
    face_size: float
    """Side of the box in pixels of the frame."""
    yaw: float
    """Degrees, positive = the person turns toward the right of the picture."""
    pitch: float
    """Degrees, positive = up."""
    roll: float
    """Degrees, positive = clockwise in the picture."""
    landmark_gap: float
    """How far the landmarks are from ``points``, as a share of the box's side; above 0.12 they are probably wrong."""
    hash: int
    """64-bit difference hash of the crop, signed."""
    near_duplicates: int | None = None
    """Id of the first crop of its group of near duplicates (its own if it is that one)."""
    medoid_distance: float | None = None
    """Euclidean distance of its embedding to the set's medoid."""
    verdict: str | None = None
    """``keep``, ``reject``, or ``None`` while nobody has judged it."""
    outside: float = 0.0
    """Share of the face's area that lies outside the frame, in [0, 1]."""
    id: int = 0
    """0 until it is in a set."""


# Landmarks may be missing in a set that another program made; whoever needs them says so.
_ARRAYS = {"box": (4,), "points": (5, 2), "matrix": (2, 3), "landmarks": (-1, 2), "embedding": (-1,)}
_COLUMNS = [field.name for field in dataclasses.fields(Crop) if field.name != "id"]


class FaceSet:
    """An open face set. Reading is safe from any number of processes; one process at a time extracts into it."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._db = connection

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Open the set in ``folder`` for writing; make it if it is not there."""
        for sub in ("crops", "masks"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        connection = _connect(folder / "faces.sqlite")
        _upgrade(connection)
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        return cls(folder, connection)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the set in ``folder``. Raises :class:`InputError` if there is none or it is damaged."""
        path = folder / "faces.sqlite"
        if not path.is_file():
            raise InputError("faceset.missing", f"{folder} holds no face set (faces.sqlite is not there)")
        try:
            connection = _connect(path)
            _upgrade(connection)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM crops").fetchone()
        except sqlite3.DatabaseError as error:
            raise InputError("faceset.damaged", f"{path} can't be read: {error}") from error
        if version != FORMAT:
            raise InputError("faceset.format", f"{path} has format {version}, this version reads {FORMAT}")
        return cls(folder, connection)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- crops ---------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM crops").fetchone()
        return int(count)

    def ids(self) -> list[int]:
        """The ids of all crops, in order."""
        return [number for (number,) in self._db.execute("SELECT id FROM crops ORDER BY id")]

    def crops(self, *, usable: bool = False) -> list[Crop]:
        """All crops in the order of their ids; with ``usable`` only those that nobody rejected, and of which no more
        than :data:`MOST_OUTSIDE` lies outside the frame."""
        where = f"WHERE verdict IS NOT 'reject' AND outside <= {MOST_OUTSIDE}" if usable else ""
        rows = self._db.execute(f"SELECT id, {', '.join(_COLUMNS)} FROM crops {where} ORDER BY id")
        return [_crop(row) for row in rows]

    def at_edge(self) -> int:
        """How many crops nobody rejected are not usable because too much of the face lies outside the frame."""
        where = "verdict IS NOT 'reject' AND outside > ?"
        (count,) = self._db.execute(f"SELECT count(*) FROM crops WHERE {where}", [MOST_OUTSIDE]).fetchone()
        return int(count)

    def image(self, crop_id: int) -> Image:
        """The ``(size, size, 3)`` RGB crop. Raises :class:`InputError` if its picture is lost or damaged."""
        return cv2.cvtColor(self._read("crops", crop_id, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)  # type: ignore[return-value]

    def masks(self, crop_id: int) -> dict[str, Image]:
        """The ``(size, size)`` masks by name (:data:`MASKS`), 0 … 255."""
        strip = self._read("masks", crop_id, cv2.IMREAD_GRAYSCALE)
        return dict(zip(MASKS, np.split(strip, len(MASKS), axis=1), strict=True))

    def _read(self, kind: str, crop_id: int, flags: int) -> Image:
        path = self.folder / kind / f"{crop_id:06d}.png"
        image = cv2.imread(str(path), flags)
        if image is None:
            raise InputError("faceset.picture", f"{path} is missing or damaged")
        return image  # type: ignore[return-value]

    def set_verdicts(self, verdicts: dict[int, str | None]) -> None:
        """Write verdicts (``keep``, ``reject`` or ``None`` to clear) by crop id, all or none."""
        with self.transaction():
            self._db.executemany("UPDATE crops SET verdict = ? WHERE id = ?", [(v, k) for k, v in verdicts.items()])

    # -- writing, for extraction ---------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside becomes durable together, or nothing does."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # A full disk has rolled back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(self, crop: Crop, image: Image, masks: dict[str, Image]) -> int:
        """Write one crop with its pictures; its new id. Call it inside :meth:`transaction`."""
        row = [_to_column(name, getattr(crop, name)) for name in _COLUMNS]
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO crops ({', '.join(_COLUMNS)}) VALUES ({marks})", row)
        crop_id = int(cursor.lastrowid or 0)
        strip = np.concatenate([masks[name] for name in MASKS], axis=1)
        for kind, picture in (("crops", image), ("masks", strip)):
            (self.folder / kind / f"{crop_id:06d}.png").write_bytes(png.encode(picture))
        return crop_id

    def update(self, crop_id: int, **columns: float | int | None) -> None:
        """Change measures of one crop, e.g. ``near_duplicates`` or ``medoid_distance``."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE crops SET {names} WHERE id = ?", [*columns.values(), crop_id])

    @property
    def settings(self) -> dict[str, Any]:
        """What shaped the crops (size, every, networks …), as extraction recorded it; empty in a new set."""
        return {name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM settings")}

    def set_settings(self, settings: dict[str, Any]) -> None:
        """Record the settings, all or none."""
        with self.transaction():
            rows = [(name, json.dumps(value)) for name, value in settings.items()]
            self._db.executemany("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", rows)

    def inputs(self) -> dict[str, dict[str, Any]]:
        """Every input by name: ``sha256, next_frame, frames_read, frames_with_face, done``."""
        rows = self._db.execute("SELECT name, sha256, next_frame, frames_read, frames_with_face, done FROM inputs")
        keys = ("sha256", "next_frame", "frames_read", "frames_with_face", "done")
        return {name: dict(zip(keys, rest, strict=True)) for name, *rest in rows}

    def set_input(self, name: str, **columns: str | int) -> None:
        """Add the input, or change what is known of it."""
        names = ["name", *columns]
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._db.execute(
            f"INSERT INTO inputs ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT (name) DO UPDATE SET {changes}",
            [name, *columns.values()],
        )

    # -- the set as a whole --------------------------------------------------------------------------------------

    @property
    def summary(self) -> dict[str, Any]:
        """``faces.json``. Raises :class:`InputError` while extraction has not finished."""
        path = self.folder / "faces.json"
        try:
            summary: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise InputError("faceset.unfinished", f"{path} is not there: run extract to its end") from error
        return summary

    def write_summary(self, summary: dict[str, Any]) -> None:
        replace_file(self.folder / "faces.json", json.dumps(summary, indent=2, ensure_ascii=False).encode())


def medoid(embeddings: NDArray[np.float64]) -> int:
    """Index of the row of ``(N, D)`` that is nearest to all others: a person's most typical face."""
    squares = (embeddings**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * embeddings @ embeddings.T, 0))
    return int(distances.sum(axis=1).argmin())


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a set of format 2 to format 3, in place: measure how much of each face lies outside its frame."""
    if connection.execute("PRAGMA user_version").fetchone() != (2,):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Of two that open it at once, one does it.
        if connection.execute("PRAGMA user_version").fetchone() == (2,):
            connection.execute("ALTER TABLE crops ADD COLUMN outside REAL NOT NULL DEFAULT 0")
            rows = connection.execute("SELECT id, landmarks, width, height FROM crops").fetchall()
            values = [(_outside(*row), number) for number, *row in rows]
            connection.executemany("UPDATE crops SET outside = ? WHERE id = ?", values)
            connection.execute("PRAGMA user_version = 3")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _outside(landmarks: bytes, width: int, height: int) -> float:
    points = np.frombuffer(landmarks, dtype="<f8")
    return share_outside(points.reshape(-1, 2), width, height) if len(points) == 136 else 0.0


def _to_column(name: str, value: Any) -> Any:
    return np.ascontiguousarray(value, dtype="<f8").tobytes() if name in _ARRAYS else value


def _crop(row: Iterable[Any]) -> Crop:
    values = dict(zip(["id", *_COLUMNS], row, strict=True))
    for name, shape in _ARRAYS.items():
        try:
            values[name] = np.frombuffer(values[name], dtype="<f8").reshape(shape)
        except ValueError as error:
            raise InputError("faceset.damaged", f"crop {values['id']} has a damaged {name} in its index") from error
    return Crop(**values)
