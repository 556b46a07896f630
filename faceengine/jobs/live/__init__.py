"""Live news of jobs. The rows of the ledger are the truth; what is here only carries them to browsers.

``bell`` tells other processes that something happened, ``tail`` reads new events once for all who watch, ``consumers``
are the WebSockets, ``events`` says what an event looks like on the wire.
"""

from faceengine.jobs.live.bell import announce

__all__ = ["announce"]
