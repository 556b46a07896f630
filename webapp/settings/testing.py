"""For pytest: as development, but quick at hashing passwords, and on files of its own that several processes share."""

from tempfile import TemporaryDirectory

from webapp.settings.development import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_FOLDER = TemporaryDirectory(prefix="studio-tests-")
MEDIA_ROOT = f"{_FOLDER.name}/files"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{_FOLDER.name}/test.sqlite3"}  # noqa: F405
