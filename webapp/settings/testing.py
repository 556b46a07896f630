"""For pytest: as development, but quick at hashing passwords."""

from webapp.settings.development import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
