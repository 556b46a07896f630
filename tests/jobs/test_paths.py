"""Of a machine's paths people see names only, wherever texts come from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceengine.jobs.paths import hide_all, hide_paths
from faceengine.jobs.permits import Refused
from faceengine.jobs.transitions.telling import storable

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/srv/data/files/jobs/{JOB} holds no checkpoint", f"jobs/{JOB} holds no checkpoint"),
        (f"/srv/data/files/jobs/{JOB}/result.mp4: gone", f"jobs/{JOB}/result.mp4: gone"),
        (f"/x/scratch/{JOB}-2/inputs/projects/7/a/clip.mp4", "projects/7/a/clip.mp4"),
        ("the disk is full (at /srv/data/part.tmp)", "the disk is full (at part.tmp)"),
        ("[Errno 2] No such file: '/home/anna/films/clip.mov'", "[Errno 2] No such file: 'clip.mov'"),
        ('File "/opt/x/lib/python3.11/site-packages/torch/nn/m.py", line 3', 'File "torch/nn/m.py", line 3'),
        ('  File "/opt/studio/faceengine/jobs/files.py", line 3', '  File "faceengine/jobs/files.py", line 3'),
        ('  File "/usr/lib/python3.11/asyncio/runners.py", line 1', '  File "asyncio/runners.py", line 1'),
        ("video=/srv/a/b.mp4,/srv/c/d.mp4", "video=b.mp4,d.mp4"),
        ("file:///srv/a/b.mp4", "b.mp4"),
        ("at:/srv/a/b", "at:b"),
        ("https://example.org/a/b/c and http://localhost:8000/x/y", "https://example.org/a/b/c and http://localhost:8000/x/y"),
        ("24/7, 50 MB/s, and/or a/b/c ./x/y ../x/y", "24/7, 50 MB/s, and/or a/b/c ./x/y ../x/y"),
        ("previews/000300.png", "previews/000300.png"),
    ],
)  # fmt: skip
def test_names_stand_in_place_of_paths(text: str, shown: str) -> None:
    assert hide_paths(text) == shown
    assert hide_paths(shown) == shown


def test_known_folders_may_have_blanks(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "my files"
    assert hide_paths(f"{settings.MEDIA_ROOT}/jobs/{JOB}/a.png is damaged") == f"jobs/{JOB}/a.png is damaged"
    assert str(tmp_path) not in hide_paths(f"{tmp_path}/other thing/x.py and {tmp_path}")
    assert sys.prefix not in hide_paths(f"{sys.prefix}/bin/python")


@given(st.text(st.sampled_from("/ab. :'\"\n"), max_size=60))
def test_no_text_is_lost_but_folders(text: str) -> None:
    shown = hide_paths(text)
    assert [character for character in text if character in "\n\"'"] == [c for c in shown if c in "\n\"'"]
    assert len(shown) <= len(text)


def test_all_that_is_stored_or_refused_goes_through_it() -> None:
    data = {"text": "/srv/a/b.mp4 is gone", "list": ["/srv/a/b.mp4"], "number": 1.5}
    assert storable(data) == hide_all(data) == {"text": "b.mp4 is gone", "list": ["b.mp4"], "number": 1.5}
    assert Refused("sign.missing", "/etc/studio/key.pem is not there").text == "key.pem is not there"
