"""For pytest: as development, but quick at hashing passwords, and on files of its own that several processes share."""

from pathlib import Path
from tempfile import TemporaryDirectory

from webapp.settings.development import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_FOLDER = TemporaryDirectory(prefix="studio-tests-")
MEDIA_ROOT = Path(_FOLDER.name, "files")
UPLOADS_DIR = Path(_FOLDER.name, "uploads")
CONSENT_KEYS_DIR = Path(_FOLDER.name, "keys")
TURNS_DIR = Path(_FOLDER.name, "turns")
VERIFY_DIR = Path(_FOLDER.name, "verify")
SIGNING_CERTIFICATES = Path(_FOLDER.name, "signing", "certificates.pem")
SIGNING_KEY = Path(_FOLDER.name, "signing", "key.pem")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{_FOLDER.name}/test.sqlite3"}  # noqa: F405
