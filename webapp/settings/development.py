"""For one machine and for work on the studio itself: nothing has to be set."""

from webapp import env
from webapp.settings.base import *  # noqa: F403

DEBUG = True
SECRET_KEY = "only for development, never for real people's footage"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env.words("ALLOWED_HOSTS")]
