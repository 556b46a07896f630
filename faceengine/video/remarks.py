"""What a person should know of how a video is read: what is left out of it, and what becomes another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from faceengine.events import Message
from faceengine.video.filters import Look
from faceengine.video.gamut import HLG, PQ, is_plain
from faceengine.video.reading import survey

_LEAD = 0.1
"""Seconds of sound before the first picture that nobody misses: encoders begin with as much."""


def remarks(path: Path, *, sound: bool = True) -> Iterator[Message]:
    """A message for each thing that is read otherwise than it is stored.

    Codes: ``video.tracks_left_out``, ``video.clock``, ``video.colours``, ``video.alpha``, ``video.interlaced``; with
    ``sound`` also ``video.sound_left_out``, ``video.sound_tracks``, ``video.sound_encoded``, ``video.sound_before``.
    """
    seen = survey(path)
    others, codec = seen.tracks.pictures - 1, seen.tracks.sound
    kinds = [kind or "an unknown kind" for kind in seen.tracks.sounds]
    if others:
        yield _warning("tracks_left_out", f"{path} has {others + 1} tracks of pictures: only the first is taken")
    if len(seen.clock.pictures) > 1:
        text = f"{path} holds {len(seen.clock.pictures)} recordings on clocks of their own: they follow each other"
        yield _warning("clock", text)
    if seen.first is not None:
        yield from _of_look(path, seen.first.look, seen.first.interlaced)
    if not sound or not kinds:
        return
    if not codec:
        yield _warning("sound_left_out", f"{path} has sound that can't be read ({', '.join(kinds)}): it is left out")
        return
    if len(kinds) > 1:
        yield _warning("sound_tracks", f"{path} has {len(kinds)} sound tracks: only one is taken ({codec})")
    if codec != "aac":
        yield Message("info", "video.sound_encoded", f"the sound of {path} is {codec}, and becomes AAC where needed")
    begins = seen.clock.sound_begins
    if begins is not None and (lead := seen.grid.origin - begins) > _LEAD:
        yield _warning("sound_before", f"{lead:.1f} s of sound lie before the first picture of {path}: left out")


def _of_look(path: Path, look: Look, interlaced: bool) -> Iterator[Message]:
    if not is_plain(look.primaries, look.transfer):
        kind = {PQ: "HDR (PQ)", HLG: "HDR (HLG)"}.get(look.transfer, "of a wide gamut")
        yield Message("info", "video.colours", f"{path} is {kind}: its colours become those of plain video (BT.709)")
    if look.alpha:
        yield Message("info", "video.alpha", f"{path} is partly transparent: what is behind it is black")
    if interlaced:
        yield Message("info", "video.interlaced", f"{path} is interlaced: whole pictures are made of its fields")


def _warning(code: str, text: str) -> Message:
    return Message("warning", f"video.{code}", text)
