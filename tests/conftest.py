"""What all tests share: a signer's private chain that is nobody's."""

from __future__ import annotations

import os
import tempfile

_DATA = tempfile.TemporaryDirectory(prefix="signing-")
os.environ["XDG_DATA_HOME"] = _DATA.name
