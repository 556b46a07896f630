"""``python curation_reviewer.py SET EMAIL SEED COUNT``: one reviewer, in a process of their own, judges every crop."""

from __future__ import annotations

import json
import random
import sys

import django

django.setup()

from webapp.accounts.models import User  # noqa: E402
from webapp.curation.models import FaceSet  # noqa: E402
from webapp.curation.selection import Selection, View  # noqa: E402
from webapp.curation.verdicts import decide  # noqa: E402


def main(face_set_id: int, email: str, seed: int, count: int) -> None:
    face_set, user = FaceSet.objects.get(pk=face_set_id), User.objects.get(email=email)
    chance = random.Random(seed)
    numbers = chance.sample(range(1, count + 1), count)
    said = {}
    for number in numbers:
        said[number] = chance.choice(["keep", "reject"])
        decide(face_set, user, Selection(View(), (number,)), said[number])
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
