"""For one machine and for work on the studio itself: nothing has to be set."""

from webapp import env
from webapp.settings.base import *  # noqa: F403

# Who tries the studio out gets its own pages also where something is wrong; who works on it sets DEBUG=1.
DEBUG = env.flag("DEBUG")
# Style sheets and scripts as they lie there, without a step that collects them.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
SECRET_KEY = "only for development, never for real people's footage"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env.words("ALLOWED_HOSTS")]

DEMO = env.flag("DEMO")
if DEMO:
    # Minutes of training; 0: some seconds' worth of mush, for tests of the way there.
    _MINUTES = env.number("DEMO_MINUTES", 8)
    DEMO_TRAINING = {"preset": "quick", "minutes": _MINUTES} if _MINUTES else {"preset": "tiny"}
    DEMO_EVERY = 2 if _MINUTES else 25
    AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "webapp.demo.account.DemoBackend"]  # noqa: F405
    UP_BESIDE = ["demo_project"]
