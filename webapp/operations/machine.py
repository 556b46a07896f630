"""The machine that serves the page, its database, and what runs on it."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings
from django.db import connection

import faceengine
from webapp.operations.places import Root, folder_of

PACKAGES = ("Django", "torch", "channels", "daphne", "av", "numpy", "c2pa-python", "boto3")


@dataclass(frozen=True)
class Disk:
    """One disk, and the folders of the studio that are on it."""

    folders: list[str]
    total: int
    free: int

    @property
    def used(self) -> int:
        return self.total - self.free

    @property
    def is_short(self) -> bool:
        """Whether it is about to be full."""
        return self.free < self.total // 10


def disks() -> list[Disk]:
    """Every disk that the studio writes to."""
    folders = {str(root): folder for root in Root if (folder := folder_of(root)) is not None} | {
        "data": settings.DATA_DIR
    }
    by_disk: dict[int, list[tuple[str, Path]]] = {}
    for name, folder in folders.items():
        there = next(path for path in (folder, *folder.parents) if path.exists())
        by_disk.setdefault(there.stat().st_dev, []).append((name, there))
    found = []
    for named in by_disk.values():
        usage = shutil.disk_usage(named[0][1])
        found.append(Disk([name for name, _ in named], usage.total, usage.free))
    return found


def database_size() -> int:
    """Bytes of the database, with what it has not written back yet."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        return sum(path.stat().st_size for path in (Path(name), Path(f"{name}-wal")) if path.exists())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def versions() -> list[tuple[str, str]]:
    """Names and versions of what matters when something goes wrong."""
    found = [("faceswap-studio", faceengine.__version__), ("Python", platform.python_version())]
    found.append(({"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, ""), _database_version()))
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return [*found, (platform.system(), platform.release())]


def _database_version() -> str:
    connection.ensure_connection()
    return ".".join(map(str, connection.get_database_version()))
