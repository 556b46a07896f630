"""Every network's weights: what the file is, where it may lie, and how it is fetched.

A file is looked for in the folder that ``FACEENGINE_WEIGHTS`` names, then in the installed package that carries it,
then in torch's cache. Packages are located without importing them (``face_recognition_models`` imports
``pkg_resources``, which new Pythons no longer have). Nothing is downloaded unless :func:`fetch` is called.
"""

from __future__ import annotations

import errno
import functools
import http.client
import importlib.util
import os
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from faceengine.errors import InputError
from faceengine.events import OnEvent, Progress, ignore
from faceengine.files import only_process, partial, publish, sha256

FOLDER_VARIABLE = "FACEENGINE_WEIGHTS"
MIRROR_VARIABLE = "FACEENGINE_WEIGHTS_MIRROR"
_CHUNK = 1 << 18
_ATTEMPTS = 3
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Weight:
    """One file of weights and what is known of it."""

    name: str
    file: str
    """File name, in ``FACEENGINE_WEIGHTS`` and in torch's cache alike."""
    size: int | None
    """Bytes; ``None`` where the publisher states none and the file was never at hand."""
    sha256: str
    licence: str
    source: str
    """Address of the download; for a file that a package carries, of the project that made it."""
    carried_by: str | None = None
    """``package/path`` of the file inside the installed package that carries it."""
    distribution: str | None = None
    """What to install to get that package."""
    seen: bool = True
    """Whether size and hash were computed from the file itself, or are as others published them."""


_MTCNN = "MIT (facenet-pytorch)"
_FACENET_PROJECT = "https://github.com/timesler/facenet-pytorch"
_DLIB_PROJECT = "https://github.com/davisking/dlib-models"

WEIGHTS: dict[str, Weight] = {
    weight.name: weight
    for weight in (
        Weight(
            "mtcnn-p",
            "pnet.pt",
            28570,
            "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
            _MTCNN,
            _FACENET_PROJECT,
            "facenet_pytorch/data/pnet.pt",
            "facenet-pytorch",
        ),
        Weight(
            "mtcnn-r",
            "rnet.pt",
            403147,
            "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
            _MTCNN,
            _FACENET_PROJECT,
            "facenet_pytorch/data/rnet.pt",
            "facenet-pytorch",
        ),
        Weight(
            "mtcnn-o",
            "onet.pt",
            1559269,
            "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
            _MTCNN,
            _FACENET_PROJECT,
            "facenet_pytorch/data/onet.pt",
            "facenet-pytorch",
        ),
        Weight(
            "dlib-68",
            "shape_predictor_68_face_landmarks.dat",
            99693937,
            "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
            "CC0-1.0 as a file; trained on iBUG 300-W, whose licence excludes commercial use",
            _DLIB_PROJECT,
            "face_recognition_models/models/shape_predictor_68_face_landmarks.dat",
            "face-recognition-models",
        ),
        Weight(
            "dlib-resnet",
            "dlib_face_recognition_resnet_model_v1.dat",
            22466066,
            "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            "CC0-1.0",
            _DLIB_PROJECT,
            "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            "face-recognition-models",
        ),
        Weight(
            "fan-2d",
            "2DFAN4-11f355bf06.pth.tar",
            None,
            # Begins with the ten digits that torch.hub checks (they are in the file's name).
            "11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
            "BSD-3-Clause (face-alignment)",
            "https://www.adrianbulat.com/downloads/python-fan/2DFAN4-11f355bf06.pth.tar",
            seen=False,
        ),
        Weight(
            "facenet-vggface2",
            "20180402-114759-vggface2.pt",
            111898327,
            "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
            "MIT (facenet-pytorch, after davidsandberg/facenet); trained on VGGFace2",
            "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
            seen=False,
        ),
    )
}


def find(name: str) -> Path | None:
    """Where the weights ``name`` lie on this machine, or ``None``. Their hash is not checked here."""
    weight = WEIGHTS[name]
    return next((path for path in _places(weight) if path.is_file()), None)


def require(name: str) -> Path:
    """Where the weights ``name`` lie, whole and genuine.

    Raises :class:`InputError` ``weights.missing`` with the command that gets them, ``weights.hash`` for a file that is
    not the one it should be.
    """
    weight, path = WEIGHTS[name], find(name)
    if path is None:
        raise InputError(
            "weights.missing", f"the weights {name} ({weight.file}) are not here; get them with: {_how(weight)}"
        )
    status = path.stat()
    if weight.size not in (None, status.st_size) or _hash_of(path, status.st_mtime_ns, status.st_size) != weight.sha256:
        raise InputError("weights.hash", f"{path} is damaged or another file: remove it, then run: {_how(weight)}")
    return path


def source(weight: Weight) -> str:
    """Return the address that a file is downloaded from: under ``FACEENGINE_WEIGHTS_MIRROR``, if that is set."""
    mirror = os.environ.get(MIRROR_VARIABLE)
    return f"{mirror.rstrip('/')}/{weight.file}" if mirror else weight.source


def fetch(name: str, *, on_event: OnEvent = ignore, folder: Path | None = None, timeout: float = _TIMEOUT) -> Path:
    """Download the weights ``name`` unless they are here already; where they lie then.

    ``timeout`` is how many seconds a server may be silent. They go to ``folder``, else to ``FACEENGINE_WEIGHTS``, else
    to torch's cache. A cut connection is taken up where it was cut, up to three times. The file gets its name only when
    its size and SHA-256 are right.

    Raises :class:`InputError`: ``weights.missing`` (a package carries them and is not installed), ``weights.hash``,
    ``weights.unreachable``, ``disk.full``, ``folder.busy``.
    """
    weight = WEIGHTS[name]
    if folder is None and find(name) is not None:
        return require(name)
    if weight.carried_by is not None:
        return require(name)
    target = (folder or download_folder()) / weight.file
    with only_process(target.parent):
        part = partial(target)
        try:
            _download(weight, part, on_event, timeout)
            _check_download(weight, part)
            publish(part, target)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise InputError(
                    "disk.full", f"the disk of {target.parent} is full: {weight.file} did not fit"
                ) from error
            raise InputError("weights.unwritable", f"{target} can't be written: {error}") from error
        finally:
            part.unlink(missing_ok=True)
    return target


def download_folder() -> Path:
    """Where :func:`fetch` puts files: ``FACEENGINE_WEIGHTS``, else torch's cache."""
    return _own_folder() or _caches()[0]


def folders() -> list[Path]:
    """Return the folders that weights may have been fetched to: what a confined process must be let read."""
    own = _own_folder()
    return ([own] if own else []) + _caches()


def _own_folder() -> Path | None:
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value) if value else None


def _caches() -> list[Path]:
    # As torch.hub has it, without importing torch: listing weights should cost no second, and a web page no memory.
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.environ.get("TORCH_HOME") or Path(cache, "torch")).expanduser()
    # facenet-pytorch keeps its downloads beside the hub's folder, not in it.
    return [home / "hub" / "checkpoints", home / "checkpoints"]


def _places(weight: Weight) -> list[Path]:
    places = []
    if folder := _own_folder():
        places.append(folder / weight.file)
    if weight.carried_by:
        package, _, inside = weight.carried_by.partition("/")
        places += [Path(root) / inside for root in _package_folders(package)]
    else:
        places += [cache / weight.file for cache in _caches()]
    return places


def _package_folders(package: str) -> list[str]:
    # find_spec of a top-level name reads no code of the package.
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or []) if spec else []


def _how(weight: Weight) -> str:
    return f"pip install {weight.distribution}" if weight.carried_by else "python -m faceengine weights --fetch"


@functools.lru_cache(maxsize=64)
def _hash_of(path: Path, changed: int, size: int) -> str:  # noqa: ARG001 — a changed file must be hashed again
    return sha256(path)


# -- downloading --------------------------------------------------------------------------------------------------


def _download(weight: Weight, part: Path, on_event: OnEvent, timeout: float) -> None:
    """Fill ``part``, going on after a cut connection where it stopped."""
    with part.open("wb") as file:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if _receive(weight, file, on_event, timeout):
                    break
                reason = "the connection was cut"
            except (
                urllib.error.URLError,
                http.client.HTTPException,
                TimeoutError,
                ConnectionError,
                ValueError,
            ) as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
            if attempt == _ATTEMPTS:
                raise InputError("weights.unreachable", f"{source(weight)} can't be downloaded: {reason}")
        file.flush()
        os.fsync(file.fileno())


def _receive(weight: Weight, file: BinaryIO, on_event: OnEvent, timeout: float) -> bool:
    """Append what the server sends; whether that was everything. Starts over if the server can't go on midway."""
    have = file.tell()
    headers = {"User-Agent": "faceengine"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(source(weight), headers=headers)
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        if have and reply.status != http.client.PARTIAL_CONTENT:
            file.seek(0)
            file.truncate()
            have = 0
        length = reply.headers.get("Content-Length")
        total = have + int(length) if length else weight.size
        limit = weight.size or total
        started, shown = time.monotonic(), 0.0
        done = have
        # read1 hands over what has come so far, so that a cut connection loses nothing.
        while chunk := reply.read1(_CHUNK):
            done += file.write(chunk)
            if limit is not None and done > limit:
                raise InputError("weights.hash", f"{source(weight)} sends more than the {limit} bytes of {weight.file}")
            now = time.monotonic()
            if now - shown >= 0.2:
                shown = now
                on_event(Progress("weights", done, total, "bytes", (done - have) / max(now - started, 1e-6)))
        on_event(Progress("weights", done, total, "bytes", (done - have) / max(time.monotonic() - started, 1e-6)))
        return total is None or done >= total


def _check_download(weight: Weight, part: Path) -> None:
    size, found = part.stat().st_size, sha256(part)
    if weight.size not in (None, size) or found != weight.sha256:
        raise InputError(
            "weights.hash",
            f"{source(weight)} is not the expected file: {size} bytes with SHA-256 {found}, expected {weight.sha256}",
        )
