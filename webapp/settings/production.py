"""For real people's footage: refuses to start without what keeps it safe. See docs/running.md."""

from django.core.exceptions import ImproperlyConfigured

from webapp import env, keys

SECRET_KEY = env.required("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is too short: 50 random characters or more keep sessions from being forged")
env.required("ALLOWED_HOSTS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * would let any site pose as this one")
env.required("DATABASE_URL")
if env.flag("DEMO"):
    raise ImproperlyConfigured("DEMO has an account that everybody knows, and is not for real people's footage")
env.required("DATA_DIR")
env.required("SIGNING_CERTIFICATES")
env.required("SIGNING_KEY")
keys.decoded(env.required("CONSENT_MASTER_KEY"))
if not env.required("PROXIES").isdecimal():
    raise ImproperlyConfigured(
        "PROXIES must be the number of proxies in front that add to X-Forwarded-For, or 0 for none: without it all"
        " visitors would share one address, and one of them could lock out everybody"
    )

from webapp.settings.base import *  # noqa: E402, F403 - reads what was checked above

DEBUG = False
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS") or [f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS]

# Everything goes through TLS, which a proxy in front ends; it must set this header, and drop one that a client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = ["^health$", "^metrics$"]
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers take cookies of such names only from the host itself and over TLS: no other host of the domain plants one.
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
# Browsers' built-in lists of TLS hosts are for whoever owns the domain to decide on, and hard to get out of again.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
