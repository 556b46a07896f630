"""Processes that read strangers' files: no secret, no network, no files but their own, and limits on everything else.

``run`` starts a command so; ``enter`` makes this very process such a one. What the kernel does not offer is left out,
and :func:`faceengine.confined.support.missing` names it. Needs the standard library only, and no other part of the
engine: a launcher starts in milliseconds.
"""
