"""Documents that do something, the gate's own table, keys, and who may read the studio's files."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from faceengine.confined.run import run
from faceengine.errors import InputError
from tests.web.pdfs import pdf, signed_pdf
from webapp import keys, private
from webapp.consent import checks, triggers
from webapp.consent.documents import LIMITS, read_pdf
from webapp.consent.models import GatedKind
from webapp.settings import s3

ACTIVE = {
    "open action": b"/OpenAction << /S /URI /URI (https://example.org/) >> ",
    "goes to a page": b"/OpenAction [3 0 R /Fit] ",
    "submits": b"/AcroForm << /Fields [<< /A << /S /SubmitForm /F (https://example.org/) >> >>] >> ",
    "another file": b"/X << /S /GoToR /F (other.pdf) >> ",
    "imports": b"/X << /S /ImportData /F (data.fdf) >> ",
    "launches": b"/X << /S /Launch /F (calc.exe) >> ",
    "script": b"/X << /S /JavaScript /JS (app.alert(1)) >> ",
    "hidden script": b"/X << /S /J#61vaScript /J#53 (app.alert(1)) >> ",
    "embedded": b"/Names << /EmbeddedFiles << /Names [] >> >> ",
    "file in a specification": b"/X << /Type /Filespec /F (a.exe) /EF << /F 2 0 R >> >> ",
    "link": b"/X << /Type /Annot /Subtype /Link /A << /URI (https://example.org/) >> >> ",
    "additional actions": b"/AA << /WC << /S /Named /N /Print >> >> ",
    "form": b"/AcroForm << /XFA [] >> ",
    "media": b"/X << /Subtype /RichMedia >> ",
    "deep": b"/X " + b"<< /A " * 20 + b"<< /S /GoToE >>" + b" >>" * 20 + b" ",
}


@pytest.mark.parametrize("root", ACTIVE.values(), ids=ACTIVE)
def test_a_document_that_does_something_is_refused(tmp_path: Path, root: bytes) -> None:
    file = tmp_path / "document.pdf"
    file.write_bytes(pdf(root))
    with pytest.raises(InputError) as refused:
        read_pdf(file)
    assert refused.value.code == "pdf.active"


def test_what_no_table_of_the_file_names_is_found_too(tmp_path: Path) -> None:
    """Readers that mend a damaged file look for objects themselves."""
    file = tmp_path / "document.pdf"
    file.write_bytes(pdf() + b"\n9 0 obj\n<< /S /J#61vaScript >>\nendobj\n")
    with pytest.raises(InputError) as refused:
        read_pdf(file)
    assert refused.value.code == "pdf.active"


def test_plain_and_signed_documents_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "document.pdf"
    for content, signatures in ((pdf(), 0), (signed_pdf(), 1)):
        file.write_bytes(content)
        assert len(read_pdf(file)["signatures"]) == signatures


LOOPS = {
    "parent of itself": pdf().replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
    "root is a number": pdf().replace(b"/Root 1 0 R", b"/Root 9     "),
    "itself": pdf().replace(b"/Pages 2 0 R", b"/Pages 1 0 R"),
    "before itself": pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 9"),
    "nested": b"%PDF-1.7\n1 0 obj\n" + b"[" * 100_000 + b"\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF",
    "cut off": pdf()[:200],
    "nothing": b"%PDF-",
}


@pytest.mark.parametrize("content", LOOPS.values(), ids=LOOPS)
def test_whatever_is_wrong_with_a_document_has_a_code(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "loop.pdf"
    file.write_bytes(content)
    try:
        read_pdf(file)
    except InputError as error:
        assert error.code.startswith("pdf.")  # noqa: PT017 - some of them can be read


def test_a_reader_of_documents_always_answers_in_json(tmp_path: Path) -> None:
    file = tmp_path / "loop.pdf"
    file.write_bytes(LOOPS["nested"])
    ended = run(["-m", "webapp.consent.documents", str(file)], LIMITS, seconds=60, reads=[file])
    assert ended.returncode == 3, ended.stderr.decode()
    assert b'"code": "pdf.' in ended.stdout


# ---- the gate's own table --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_kinds_that_ask_can_t_be_taken_out_of_the_database() -> None:
    """The attack: without these rows the database lets every job in."""
    for change in (GatedKind.objects.all().delete, lambda: GatedKind.objects.filter(name="train").update(name="x")):
        with pytest.raises(IntegrityError, match="always asks"), transaction.atomic():
            change()
    assert checks.database_refuses(databases=["default"]) == []
    with connection.cursor() as cursor:
        for statement in triggers.removed(connection.vendor, "consent_kind_stays", "consent_gatedkind"):
            cursor.execute(statement)
    GatedKind.objects.filter(name="train").delete()
    found = {message.id for message in checks.database_refuses(databases=["default"])}
    assert found == {"consent.E001", "consent.E002"}
    triggers.put_in_place("default")
    assert checks.database_refuses(databases=["default"]) == []


# ---- keys and files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(bytes(31)).decode(), "=" * 44, "ä" * 44])
def test_what_is_no_master_key_is_refused(text: str, settings: Any) -> None:
    with pytest.raises((ImproperlyConfigured, ValueError)):
        keys.decoded(text)
    if text:
        settings.CONSENT_MASTER_KEY = text
        assert [message.id for message in checks.master_key()] == ["consent.E003"]


def test_the_studio_s_folder_is_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(0o755)
    (folder / "studio.sqlite3").touch(0o644)
    (folder / "files").mkdir(0o755)
    private.keep_private(folder)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()]}
    assert modes == {"data": 0o700, "studio.sqlite3": 0o600, "files": 0o700}


def test_what_is_made_is_for_this_user_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        private.be_private()
        (tmp_path / "made").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_sqlite_overwrites_what_is_deleted() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1


def test_an_address_in_the_object_store_is_short_lived() -> None:
    assert s3.STORAGE["OPTIONS"]["querystring_expire"] <= 600
