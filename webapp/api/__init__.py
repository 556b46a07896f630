"""The same things for scripts: personal tokens, and an API that is described by OpenAPI."""
