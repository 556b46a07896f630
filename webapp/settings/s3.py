"""Files in an S3-compatible object store, for studios on several machines. See docs/storage.md."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from webapp import env

_endpoint = env.text("S3_ENDPOINT_URL")

STORAGE: dict[str, Any] = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": env.text("S3_BUCKET"),
        "endpoint_url": _endpoint or None,
        "region_name": env.text("S3_REGION") or None,
        # Without these the machine's role or the usual AWS variables and files are asked.
        "access_key": env.text("S3_ACCESS_KEY") or None,
        # Whoever has an address of a file has the file, so it is good for as long as a browser takes to begin.
        "querystring_expire": env.number("S3_ADDRESS_SECONDS", 300),
        "secret_key": env.text("S3_SECRET_KEY") or None,
        "client_config": Config(
            # Stores other than Amazon's are rarely reachable under a host name for every bucket.
            s3={"addressing_style": "path" if _endpoint else "auto"},
            retries={"mode": "standard", "max_attempts": 2},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=16,
        ),
    },
}
