"""Sets of crops for tests."""

from __future__ import annotations

import random
from pathlib import Path

from django.conf import settings
from PIL import Image

from tests.web.consents import consented
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import found_team
from webapp.curation.models import Crop, FaceSet
from webapp.projects.services import create_project


def member(face_set: FaceSet, email: str, role: str = Role.REVIEWER) -> User:
    """A new user in the set's team."""
    user = User.objects.create_user(email, "a long password")
    Membership.objects.create(team=face_set.person.project.team, user=user, role=role)
    return user


def owner_of(face_set: FaceSet) -> User:
    """The owner of the set's team."""
    return face_set.person.project.team.members.get(memberships__role=Role.OWNER)


def face_set_of(count: int, seed: int = 0) -> FaceSet:
    """A set of ``count`` crops. Measures are coarse, so that many are equal and the order has ties to break."""
    owner = User.objects.create_user("owner@example.org", "a long password")
    project = consented(create_project(owner, found_team(owner, "Team"), "Project"))
    face_set = FaceSet.objects.create(person=project.people.get(side="a"))
    chance = random.Random(seed)
    Crop.objects.bulk_create([crop_of(face_set, number, chance) for number in range(1, count + 1)])
    return face_set


def with_pictures(face_set: FaceSet) -> None:
    """Give every crop of the set a picture of its own in the storage."""
    FaceSet.objects.filter(pk=face_set.pk).update(folder=f"{face_set.person.folder}/faces")
    face_set.refresh_from_db()
    folder = Path(settings.MEDIA_ROOT, face_set.folder, "crops")
    folder.mkdir(parents=True, exist_ok=True)
    for number in face_set.crops.values_list("number", flat=True):
        colour = (number * 7 % 256, number * 31 % 256, 128)
        Image.new("RGB", (256, 256), colour).save(folder / f"{number:06d}.png")


def crop_of(face_set: FaceSet, number: int, chance: random.Random) -> Crop:
    return Crop(
        face_set=face_set,
        number=number,
        input=chance.choice(["one.mp4", "two.mp4"]),
        frame=number,
        time=number / 25,
        face=0,
        box=[10, 10, 90, 90],
        width=640,
        height=480,
        near_duplicates=number - number % 3 or number,
        score=chance.choice([0.8, 0.9, 1.0]),
        sharpness=float(chance.randrange(5)),
        brightness=float(chance.randrange(256)),
        face_size=80.0,
        yaw=float(chance.randrange(-80, 80)),
        pitch=float(chance.randrange(-30, 30)),
        roll=0.0,
        distance=chance.randrange(10) / 10,
        suspicion=chance.randrange(4) / 4,
    )
