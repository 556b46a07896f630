"""Jobs that survive: a durable ledger of work, the runners that do it, and live news of it.

The only part of the engine that knows Django. It knows nothing of projects: a web app that owns the result of some work
registers its kind (``kinds.py``).
"""
