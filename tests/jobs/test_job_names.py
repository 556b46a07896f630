"""A file has one name: every other spelling is refused, and what it is does not depend on how its ending is written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceengine.errors import InputError
from faceengine.jobs.names import FileName, Role, checked, is_normal

ODD = [
    *(
        "",
        "/",
        ".",
        "..",
        "/a",
        "a/",
        "a//b",
        "a/./b",
        "a/../b",
        "./a",
        "a/.",
        "a/..",
        "a\\b",
        "a\0",
        "a\nb",
        " a",
        "a ",
    ),
    *(
        "a/ b",
        "a /b",
        "e\u0301.png",
        "a\u200b.png",
        "a\u202egpj.exe",
        "\ud800",
        "a\u2028b",
        "x" * 256,
        "a/" * 600 + "a",
    ),
    *(".hidden", "a/.hidden", "\ufeffa"),
]


@pytest.mark.parametrize("name", ODD)
def test_another_spelling_is_no_name(name: str) -> None:
    with pytest.raises(InputError) as caught:
        FileName(name)
    assert caught.value.code == "asset.name"


@pytest.mark.parametrize(
    ("name", "role", "kind"),
    [
        ("result.mp4", Role.VIDEO, "video/mp4"),
        ("RESULT.MP4", Role.VIDEO, "video/mp4"),
        ("previews/000020.png", Role.PICTURE, "image/png"),
        ("frames/1.JPeG", Role.PICTURE, "image/jpeg"),
        ("x.safetensors", Role.CHECKPOINT, "application/octet-stream"),
        ("x.SAFETENSORS", Role.CHECKPOINT, "application/octet-stream"),
        ("checkpoints/000020", Role.CHECKPOINT, "application/octet-stream"),
        ("Checkpoints/000020.png", Role.CHECKPOINT, "image/png"),
        ("logs/1.log", Role.LOG, "text/plain; charset=utf-8"),
        ("LOGS/1.png", Role.LOG, "text/plain; charset=utf-8"),
        ("logs", Role.OTHER, "application/octet-stream"),
        ("page.html", Role.OTHER, "application/octet-stream"),
        ("a.png.gz", Role.OTHER, "application/octet-stream"),
        ("картина.png", Role.PICTURE, "image/png"),
    ],
)
def test_what_a_file_is(name: str, role: Role, kind: str) -> None:
    found = FileName(name)
    assert (str(found), found.role, found.content_type) == (name, role, kind)


TEXT = st.text(st.sampled_from("aA.é\u0301/\\ \0\u200b\u212b%2\ud800"), max_size=12)


@given(TEXT | st.text(max_size=40))
def test_a_name_is_its_own_normal_form(text: str) -> None:
    try:
        name = FileName(text)
    except InputError:
        return
    assert is_normal(str(name))
    assert checked(text) == str(name) == text == unicodedata.normalize("NFC", text)
    assert all(part.strip() == part and not part.startswith(".") for part in text.split("/"))
    assert FileName(text.upper() if is_normal(text.upper()) else text).role == name.role or "ß" in text


@given(TEXT)
def test_of_two_spellings_of_a_path_one_is_a_name(text: str) -> None:
    """Names that mean one file to a file system (or to one that ignores Unicode forms) are one text."""
    import posixpath

    if is_normal(text):
        assert posixpath.normpath(text) == text
        assert not text.startswith("/")
