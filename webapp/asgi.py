"""HTTP and WebSockets."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

from webapp import bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.development")
http = get_asgi_application()

# Daphne looks the class up when a connection is made.
bodies.limit(settings.MAX_BODY_MB << 20, settings.MIN_BODY_RATE, settings.BODY_PATIENCE_SECONDS)

# Needs Django set up, which the line above did.
from faceengine.jobs.live.routing import sockets  # noqa: E402
from webapp.origins import SameOrigin  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": SameOrigin(sockets)})
