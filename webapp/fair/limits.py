"""Each costly thing that requests do, and how many may do it at once on one machine."""

from __future__ import annotations

import os

from webapp.fair.turns import Turns

_PROCESSORS = os.cpu_count() or 1

VERIFY = Turns("verify", at_once=2, each=1, waiting=30, waiting_each=4, patience=20, longest=600)
"""Reading a file that somebody wants verified, in a process of its own."""
PICTURES = Turns(
    "pictures", at_once=max(2, _PROCESSORS), each=2, waiting=160, waiting_each=64, patience=20, longest=120
)
"""Signing and labelling pictures as they are handed out. A page shows sixty, and a browser asks for six at a time."""
PARTS = Turns("uploads", at_once=16, each=4, waiting=48, waiting_each=8, patience=20, longest=600)
"""Writing a part of an upload."""
EVIDENCE = Turns("evidence", at_once=2, each=1, waiting=10, waiting_each=2, patience=90, longest=900)
"""Looking at a recording or a document by which somebody agrees."""
WAITS = Turns("wait", at_once=40, each=5, longest=60)
"""Requests that wait for a job to end. Each holds a thread."""
