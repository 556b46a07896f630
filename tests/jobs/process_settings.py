"""Settings of the processes that tests start: as usual, and with a kind of job that needs no torch."""

from webapp.settings.development import *  # noqa: F403
from webapp.settings.development import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs.counting.CountingApp"]
