"""Signed PDFs as evidence: what signatures they carry, read offline, and what makes one too dangerous to keep."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

from faceengine.confined.limits import Limits
from faceengine.errors import InputError

LARGEST_PDF = 10 << 20
_ACTIVE = {
    # What starts something, when the document is opened or clicked on
    "/OpenAction", "/AA", "/JavaScript", "/JS", "/Launch", "/URI", "/URIAction", "/SubmitForm", "/ResetForm",
    "/ImportData", "/GoToR", "/GoToE", "/Thread", "/Rendition", "/Movie", "/Sound", "/Hide", "/SetOCGState",
    "/GoTo3DView",
    # What carries or names another file
    "/EmbeddedFile", "/EmbeddedFiles", "/EF", "/Filespec", "/FileAttachment", "/AF", "/RichMedia", "/RichMediaContent",
    "/RichMediaExecute", "/Screen", "/3D", "/XFA", "/Collection", "/FFilter", "/OPI", "/Ref",
}  # fmt: skip
"""Names in a PDF that do something, or carry or fetch other files, as keys, types and kinds of actions."""
_RAW = re.compile(rb"/((?:[A-Za-z0-9]|#[0-9A-Fa-f]{2}){8,24})(?![A-Za-z0-9#])")
"""Long names in the file as it is: what no table of it names, a reader that mends damaged files may still find. A short
name would be found in compressed data by chance."""
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_MOST_OBJECTS = 20_000
_DEEPEST = 50
LIMITS = Limits(memory_mb=1024, cpu_seconds=10, open_files=64, processes=16)
"""Of the process that reads one."""


def read_pdf(path: Path) -> dict[str, Any]:
    """What a reviewer should know: ``{"pages", "signatures": [{"by", "intact", "whole", "trusted"}]}``.

    Raises :class:`InputError` ``pdf.unknown`` for what is no PDF, ``pdf.large``, ``pdf.active`` for one with scripts,
    actions or other files in it, ``pdf.unreadable``, ``pdf.encrypted``. Nothing is ever fetched from anywhere.
    """
    if path.stat().st_size > LARGEST_PDF:
        raise InputError("pdf.large", f"a document may have {LARGEST_PDF >> 20} MB")
    with path.open("rb") as file:
        if file.read(5) != b"%PDF-":
            raise InputError("pdf.unknown", "it is no PDF")
    _refuse_active_text(path.read_bytes())
    return _read(path)


def _read(path: Path) -> dict[str, Any]:
    from pyhanko.pdf_utils.reader import PdfFileReader

    with path.open("rb") as file:
        try:
            reader = PdfFileReader(file, strict=False)
            if reader.encrypted:
                raise InputError("pdf.encrypted", "the document is locked with a password")
            _refuse_active(reader)
            signatures = [_signature(signature) for signature in reader.embedded_signatures]
            return {"pages": int(reader.root["/Pages"]["/Count"]), "signatures": signatures}
        except (RecursionError, MemoryError) as error:
            raise InputError("pdf.unreadable", "the document is nested too deeply") from error
        except InputError:
            raise
        except Exception as error:  # the parser meets all that a stranger can think of
            raise InputError("pdf.unreadable", f"the document can't be read: {type(error).__name__}") from error


def _refuse_active_text(content: bytes) -> None:
    for found in _RAW.finditer(content):
        name = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), found[0])
        if name.decode("latin-1") in _ACTIVE:
            raise InputError("pdf.active", "the document holds scripts, actions or other files")


def _refuse_active(reader: Any) -> None:
    """Look at every object: names may hide in compressed streams, so text search in the file would not do."""
    from pyhanko.pdf_utils import generic

    references = _references(reader)
    if len(references) > _MOST_OBJECTS:
        raise InputError("pdf.large", "the document has too many parts")
    for number, generation in references:
        found = reader.get_object(generic.Reference(number, generation, reader))
        names = _names(found, 0)
        # A stream with /F has its content in another file.
        if _ACTIVE & names or (isinstance(found, generic.StreamObject) and "/F" in dict.keys(found)):
            raise InputError("pdf.active", "the document holds scripts, actions or other files")


def _references(reader: Any) -> list[tuple[int, int]]:
    found: dict[tuple[int, int], None] = {}
    for revision in range(reader.total_revisions):
        for reference in reader.xrefs.explicit_refs_in_revision(revision):
            found[(reference.idnum, reference.generation)] = None
    return list(found)


def _names(value: Any, depth: int) -> set[str]:
    """All keys and names within one object, without following references."""
    if depth > _DEEPEST:
        raise InputError("pdf.unreadable", "the document is nested too deeply")
    if isinstance(value, dict):
        inner = [_names(item, depth + 1) for item in dict.values(value)]
        return set(map(str, dict.keys(value))).union(*inner)
    if isinstance(value, list):
        return set().union(*(_names(item, depth + 1) for item in list.__iter__(value)))
    return {str(value)} if isinstance(value, str) and str(value).startswith("/") else set()


def _signature(signature: Any) -> dict[str, Any]:
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    status = validate_pdf_signature(signature, ValidationContext(allow_fetching=False))
    return {
        "by": status.signing_cert.subject.human_friendly[:200],
        "intact": bool(status.intact and status.valid),
        "whole": status.coverage is not None and status.coverage.name == "ENTIRE_FILE",
        "trusted": bool(status.trusted),
    }


def main(path: str) -> int:
    """Read one document in this process, which whoever started it has confined; JSON on standard output."""
    logging.disable()  # a signature that nobody vouches for is no error
    try:
        said = read_pdf(Path(path))
    except InputError as error:
        print(json.dumps({"code": error.code, "text": str(error)}))
        return 3
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
