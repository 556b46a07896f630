"""What every installation shares. What differs is read from the environment, see docs/running.md."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import dj_database_url

from webapp import env, private

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = BASE_DIR / env.text("DATA_DIR", "var/studio")
"""Everything an installation owns and a backup must hold: database, files, logs."""
private.be_private()
private.keep_private(DATA_DIR)

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "django_tasks",
    "django_tasks_db",
    "faceengine.jobs",
    "webapp.accounts",
    "webapp.projects",
    "webapp.consent",
    "webapp.uploads",
    "webapp.curation",
    "webapp.provenance",
    "webapp.studio",
    "webapp.removal",
    "webapp.demo",
    "webapp.api",
    "webapp.operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webapp.csp.ContentSecurityPolicyMiddleware",
    "webapp.static_files.StaticFilesMiddleware",
    "webapp.request_values.RequestValuesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.accounts.caching.NothingStaysMiddleware",
    "webapp.api.middleware.TokenMiddleware",
    "webapp.fair.middleware.FairMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "webapp.consent.middleware.ConsentMiddleware",
    "webapp.wrong_method.WrongMethodMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ---- database --------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": dj_database_url.parse(env.text("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'studio.sqlite3'}"),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers never wait for the one writer (WAL); a writer takes the lock when it begins, so that it waits for its turn
    # instead of failing half-way. Measured: 0 "database is locked" in 7,830 writes of 8 writers, 37 in 991 without.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # What is deleted is overwritten, whatever the library's default: rows hold personal data.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
    }

# ---- people ----------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
PROXIES = env.number("PROXIES", 0)
"""Proxies in front of the studio: how far from the right in X-Forwarded-For the client's address stands. Production
must say it, also where there is none."""
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
# One account from one address: nobody is locked out by what somebody does elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
SIGN_IN_FAILURES = env.number("SIGN_IN_FAILURES", 50)
"""Wrong passwords that one address may try in an hour, whatever the accounts; 0: as many as it likes."""
AXES_HANDLER = "webapp.accounts.address_limit.AddressHandler"
AXES_CLIENT_IP_CALLABLE = "webapp.clients.client_address"
AXES_USERNAME_CALLABLE = "webapp.accounts.limits.account_name"
AXES_LOCKOUT_CALLABLE = "webapp.accounts.limits.locked_out"
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
PASSWORD_RESET_TIMEOUT = 24 * 3600
"""Seconds for which a link in a mail works that sets a password or proves an address."""
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

# ---- mail ------------------------------------------------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST")
"""The SMTP server; without it the studio sends no mail, and people get links on other ways."""
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = env.flag("EMAIL_TLS", default=True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "studio@localhost")

# ---- languages -------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "webapp" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# ---- files -----------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
MEDIA_ROOT = DATA_DIR / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if env.text("S3_BUCKET"):
    from webapp.settings.s3 import STORAGE

    STORAGES["default"] = STORAGE

# ---- uploads ---------------------------------------------------------------------------------------------------------
UPLOADS_DIR = Path(env.text("UPLOADS_DIR") or DATA_DIR / "uploads")
"""Where files grow until they are whole; best on the same disk as the files, which then need not be copied. Several web
machines must share it."""
UPLOADS_FILE_MB = env.number("UPLOADS_FILE_MB", 8192)
"""The largest single file."""
UPLOADS_TEAM_MB = env.number("UPLOADS_TEAM_MB", 102_400)
"""What a team's footage may take up, with what has arrived of files on their way."""
UPLOADS_TEAM_OPEN = env.number("UPLOADS_TEAM_OPEN", 1000)
"""Files that a team may have on their way or being checked at once …"""
UPLOADS_MEMBER_OPEN = env.number("UPLOADS_MEMBER_OPEN", 500)
"""… and one member of it."""
TEAM_DISK_MB = env.number("TEAM_DISK_MB", 409_600)
"""What all of a team's files may take up: footage, faces, models, results."""
UPLOADS_EXPIRE_HOURS = env.number("UPLOADS_EXPIRE_HOURS", 24)
"""So long after its last part an upload that was broken off can be gone on with."""
UPLOADS_PART_MB = env.number("UPLOADS_PART_MB", 16)
"""What a browser sends at a time: the most that a dropped line loses."""
FILE_UPLOAD_MAX_MEMORY_SIZE = (UPLOADS_PART_MB << 20) + 1
"""Such a part stays in memory, where the server has it already, instead of going over a temporary file."""
MAX_BODY_MB = env.number("MAX_BODY_MB", 64)
"""No request may be longer; the server holds one in memory."""
MIN_BODY_RATE = 1024
"""Bytes a second that a request must come with on the whole, or it is cut off …"""
BODY_PATIENCE_SECONDS = env.number("BODY_PATIENCE_SECONDS", 60)
"""… once it has taken so long."""

TURNS_DIR = DATA_DIR / "turns"
"""Where this machine's web processes agree on who may do something costly, see ``webapp/fair``."""

# ---- marks ---------------------------------------------------------------------------------------------------------
SIGNING_CERTIFICATES = Path(env.text("SIGNING_CERTIFICATES") or DATA_DIR / "signing" / "certificates.pem")
"""The chain that signs all results, the signer's own certificate first. All machines that convert need both files."""
SIGNING_KEY = Path(env.text("SIGNING_KEY") or DATA_DIR / "signing" / "key.pem")
SIGNING_OWN = not (env.text("SIGNING_CERTIFICATES") or env.text("SIGNING_KEY"))
"""Whether a private chain is made when one is needed first."""
VERIFY_KNOWN = env.text("VERIFY_KNOWN")
"""PEM file with the certificates of others whose signatures count as known, a list of C2PA's for example."""
VERIFY_DIR = Path(env.text("VERIFY_DIR") or DATA_DIR / "verify")
"""Where files lie that somebody wants verified, for as long as that takes. Several web machines must share it."""
VERIFY_FILE_MB = env.number("VERIFY_FILE_MB", 2048)
"""The largest one."""
VERIFY_TOTAL_MB = env.number("VERIFY_TOTAL_MB", 8192)
"""What may lie there at once: anybody may send."""

# ---- jobs ------------------------------------------------------------------------------------------------------------
SLOT_KINDS = ("gpu", "cpu")
JOBS_HOST = env.text("JOBS_HOST") or socket.gethostname()
"""What this machine is called in the ledger; two machines must not share a name."""
JOBS_LEASE_SECONDS = env.number("JOBS_LEASE_SECONDS", 30)
"""A runner that has not been heard of for so long is given up."""
JOBS_HEARTBEAT_SECONDS = env.number("JOBS_HEARTBEAT_SECONDS", 5)
JOBS_GRACE_SECONDS = env.number("JOBS_GRACE_SECONDS", 30)
"""How long a body that is asked to stop may take for its last checkpoint."""
JOBS_MAX_FAILURES = env.number("JOBS_MAX_FAILURES", 3)
"""After so many deaths without a new checkpoint between them, a job has failed."""
TRAIN_PROCESSES = env.number("TRAIN_PROCESSES", 1)
"""GPUs of one machine that train a run together; its batch is shared among them."""
JOBS_MEMORY_LIMIT_MB = env.number("JOBS_MEMORY_LIMIT_MB", 0)
"""What all processes of a job may take together; 0: four fifths of the machine's memory."""
JOBS_TEAM_OPEN = env.number("JOBS_TEAM_OPEN", 200)
"""Jobs that a team may have queued, running or paused at once, without those that check uploads …"""
JOBS_MEMBER_OPEN = env.number("JOBS_MEMBER_OPEN", 100)
"""… and one member of it."""
JOBS_SCRATCH_DIR = Path(env.text("JOBS_SCRATCH_DIR") or DATA_DIR / "scratch")
"""Where jobs work on this machine when their files are in S3."""
JOBS_CACHE_MB = env.number("JOBS_CACHE_MB", 20_000)
"""How much of what was fetched from S3 is kept for the next job."""
JOBS_SAVE_SECONDS = env.number("JOBS_SAVE_SECONDS", 120)
"""How often at least a running job's files are published to S3."""
JOBS_STORE_PATIENCE = env.number("JOBS_STORE_PATIENCE", 300)
"""Seconds that a job waits for S3 to come back before it is queued again."""
TASKS_ENGINE = env.one_of("TASKS_ENGINE", ("database", "celery"))
CELERY_BROKER_URL = env.required("CELERY_BROKER_URL") if TASKS_ENGINE == "celery" else ""
_BACKENDS = {
    "database": "django_tasks_db.DatabaseBackend",
    "celery": "faceengine.jobs.celery_backend.CeleryBackend",
}
TASKS = {"default": {"BACKEND": _BACKENDS[TASKS_ENGINE], "QUEUES": list(SLOT_KINDS)}}

# ---- live progress ---------------------------------------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
"""Where web processes on several machines hear at once of new events, and count requests together. Without it they
look at the ledger themselves, and each counts what it sees."""
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "webapp.fair.cache.SharedCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
        }
    }


# ---- consent ---------------------------------------------------------------------------------------------------------
CONSENT_MASTER_KEY = env.text("CONSENT_MASTER_KEY")
"""32 bytes in base64 that wrap the keys of all evidence. Whoever loses it loses the evidence."""
CONSENT_MASTER_KEY_FILE = DATA_DIR / "consent-master-key"
"""Where it is made and kept when it is not set, as for development."""
CONSENT_KEYS_DIR = Path(env.text("CONSENT_KEYS_DIR") or DATA_DIR.with_name(f"{DATA_DIR.name}-keys"))
"""A file for each person's key, beside ``DATA_DIR`` and not in it: no backup may keep what a withdrawal destroys."""
CONSENT_REFUSED_KEEP_DAYS = env.number("CONSENT_REFUSED_KEEP_DAYS", 0)
"""So long after a consent was refused its evidence stays; 0: it goes at once."""
CONSENT_FILE_MB = env.number("CONSENT_FILE_MB", 60)
"""The largest file of evidence."""
# ---- demo ------------------------------------------------------------------------------------------------------------
DEMO = False
"""Whether the demo's project makes itself, and its account opens the studio; never for real people's footage."""
DEMO_EVERY = 2
"""Its extraction looks at every so many-th frame."""
DEMO_TRAINING: dict[str, object] = {}
"""Its training's settings."""
UP_BESIDE: list[str] = []
"""Management commands that ``manage.py up`` runs beside the web and the slots; each until it ends well."""

# ---- operations ------------------------------------------------------------------------------------------------------
LOGS_KEEP_DAYS = env.number("LOGS_KEEP_DAYS", 90)
"""So long after an attempt's end a clean-up leaves its log."""
METRICS_TOKEN = env.text("METRICS_TOKEN")
"""What Prometheus sends as its bearer token; without it only staff see the metrics."""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{", "datefmt": "%Y-%m-%d %H:%M:%S"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "faceengine": {"level": "INFO"},
        "webapp": {"level": "INFO"},
        # Django's own handlers would write the same lines again.
        "django": {"handlers": [], "level": "WARNING"},
        "django.server": {"handlers": [], "level": "WARNING"},
        # Every 403 and 404 would be a warning with a traceback.
        "django.request": {"level": "ERROR"},
        # A doorbell's coming and going is nobody's concern; what fails, the task says itself.
        "django_tasks": {"level": "CRITICAL"},
        "django_tasks_db": {"level": "ERROR"},
    },
}
