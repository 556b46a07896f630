"""A project, people in every role, and a client that speaks tus."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client

from tests.web.consents import consented
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import found_team
from webapp.projects.models import Person, Project
from webapp.projects.services import create_project

PART = "application/offset+octet-stream"


def user(name: str) -> User:
    return User.objects.create_user(f"{name}@example.org", "a long password")


def project_of(owner: User) -> Project:
    """A project whose two people have agreed."""
    return consented(create_project(owner, found_team(owner, "Team"), "Project"))


def member(project: Project, role: str) -> User:
    """Somebody new in the project's team."""
    person = user(f"a-{role}")
    Membership.objects.create(team=project.team, user=person, role=role)
    return person


def people(project: Project) -> dict[str, User | None]:
    """One of every kind of visitor."""
    others: dict[str, User | None] = {role: member(project, role) for role in Role.values if role != Role.OWNER}
    stranger = user("stranger")
    found_team(stranger, "Elsewhere")
    owner = project.team.memberships.get(role=Role.OWNER).user
    return {"owner": owner, **others, "stranger": stranger, "anonymous": None}


def client_of(someone: User | None) -> Client:
    client = Client()
    if someone is not None:
        client.force_login(someone)
    return client


def signs_in(browser: Client, email: str, password: str) -> bool:
    """Whether the sign-in page lets somebody in."""
    return bool(browser.post("/sign-in/", {"username": email, "password": password}).status_code == 302)


class Tus:
    """Uploads to one person's footage as ``someone``."""

    def __init__(self, someone: User | None, person: Person) -> None:
        self.client = client_of(someone)
        self.create_url = f"/projects/{person.project_id}/{person.side}/uploads/"

    def create(self, size: int | str, name: str = "clip.mp4", body: bytes | None = None, **headers: str) -> Any:
        metadata = f"filename {base64.b64encode(name.encode('utf-8', 'surrogatepass')).decode()}"
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": metadata} | headers
        kind = "application/octet-stream" if body is None else PART
        return self.client.post(self.create_url, body or b"", content_type=kind, headers=headers)

    def patch(self, url: str, offset: int, body: bytes, kind: str = PART, **headers: str) -> Any:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)} | headers
        return self.client.patch(url, body, content_type=kind, headers=headers)

    def head(self, url: str) -> Any:
        return self.client.head(url, headers={"Tus-Resumable": "1.0.0"})

    def terminate(self, url: str) -> Any:
        return self.client.delete(url, headers={"Tus-Resumable": "1.0.0"})

    def upload(self, content: bytes, name: str = "clip.mp4") -> str:
        """Send all of it; the upload's address."""
        url = self.create(len(content), name)["Location"]
        assert self.patch(url, 0, content).status_code == 204
        return str(url)


def checksum(content: bytes, name: str = "sha256") -> str:
    return f"{name} {base64.b64encode(hashlib.new(name, content).digest()).decode()}"


def files_of(folder: Path) -> set[str]:
    """Every file in it, by its name from there, but for logs and hidden ones."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if "logs" not in path.parts and not path.name.startswith(".")}


def stored() -> set[str]:
    """What is in the storage."""
    return files_of(Path(default_storage.path("")))


def arriving() -> set[str]:
    """What is on its way, on the disk."""
    return files_of(Path(settings.UPLOADS_DIR))
