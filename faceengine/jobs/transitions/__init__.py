"""The only place that changes a job. Each change is an UPDATE that holds under a condition, and its row count is asked.

Runners name the attempt they are: once the job has passed to another attempt, or has ended, nothing they write counts,
and they are told so by ``False`` or ``None``. People's changes are refused the same way when they come too late.

All times are the database's. On Postgres rows are locked parent first; on SQLite the one writer holds the database.
"""

from faceengine.jobs.transitions.changes import queue_of
from faceengine.jobs.transitions.claims import claim
from faceengine.jobs.transitions.people import cancel, extend, move, pause, resume, retry, submit
from faceengine.jobs.transitions.ranks import move_in_group
from faceengine.jobs.transitions.runners import (
    beat,
    died,
    fail,
    finish,
    give_up,
    measured,
    publish,
    record,
    refuse,
    returned,
    split,
    stopped,
    wanted,
)

__all__ = [
    "beat",
    "cancel",
    "claim",
    "died",
    "extend",
    "fail",
    "finish",
    "give_up",
    "measured",
    "move",
    "move_in_group",
    "pause",
    "publish",
    "queue_of",
    "record",
    "refuse",
    "resume",
    "retry",
    "returned",
    "split",
    "stopped",
    "submit",
    "wanted",
]
