"""Who is who in a stretch of frames, with the benefit of hindsight.

A look at a face costs a network, so only some frames are looked at. Frames wait anyway (``look_ahead.py``), so each
stretch is judged as a whole: whoever turns out to be the person was so in the frames before, and a face that turns
out to be somebody else is looked at frame by frame back to where it was the person for certain. A face is only
replaced between looks of which none says that it is somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np

from faceengine.conversion.look_ahead import Found
from faceengine.conversion.recognition import STRANGE, UNSURE_FOR, Look, Recogniser
from faceengine.conversion.tracks import Track
from faceengine.extraction.finder import Face
from faceengine.extraction.landmarks import Landmarker
from faceengine.geometry import Points


@dataclass
class Sight:
    """A frame, its faces, and by number of their tracks what is known of each."""

    found: Found
    tracks: list[Track]
    """Of each face, in the faces' order."""
    verdicts: dict[int, str] = field(default_factory=dict)
    looks: dict[int, Look] = field(default_factory=dict)
    """What was looked at in this frame."""
    refused: set[int] = field(default_factory=set)
    """Tracks that looked like the person, but not like who agreed, when last looked at."""
    landmarks: dict[int, Points] = field(default_factory=dict)
    """``(68, 2)`` each, of the faces that needed them."""

    def faces(self, tracks: Iterable[Track]) -> list[tuple[Face, Track]]:
        """Return those of the frame's faces whose tracks these are."""
        numbers = {track.number for track in tracks}
        pairs = zip(self.found.faces, self.tracks, strict=True)
        return [(face, track) for face, track in pairs if track.number in numbers]


class Judge:
    """Settles the verdicts of tracks, stretch after stretch."""

    def __init__(self, recogniser: Recogniser, landmarker: Landmarker) -> None:
        self._recogniser = recogniser
        self._landmarker = landmarker

    def __call__(self, sights: Sequence[Sight]) -> None:
        """Judge the faces of consecutive frames of one shot."""
        for sight in sights:
            self.now(sight)
        tracks = {track.number: track for sight in sights for track in sight.tracks}
        for number, track in tracks.items():
            seen = [sight for sight in sights if number in sight.verdicts]
            self._look_at_the_end(track, seen)
            self._resolve(track, seen)
            self._date_back(track, seen)

    def now(self, sight: Sight) -> None:
        """Judge a frame by itself and by those before it: look where a look is due."""
        number = sight.found.number
        if due := [track for track in sight.tracks if self._recogniser.due(track, number)]:
            self._settle(sight, due)
        for track in sight.tracks:
            sight.verdicts[track.number] = track.verdict
            if track.refused:
                sight.refused.add(track.number)

    def mark(self, sight: Sight, tracks: Iterable[Track]) -> None:
        """Find the landmarks of these tracks' faces, where they are not known yet."""
        needed = [(face, track) for face, track in sight.faces(tracks) if track.number not in sight.landmarks]
        if needed:
            found = self._landmarker(sight.found.image, np.array([face.box for face, _ in needed]))
            sight.landmarks |= {track.number: points for (_, track), points in zip(needed, found, strict=True)}

    def _settle(self, sight: Sight, tracks: list[Track]) -> None:
        self.mark(sight, tracks)
        points = np.array([sight.landmarks[track.number] for track in tracks])
        looks = self._recogniser.look(sight.found.image, tracks, points, sight.found.number)
        sight.looks |= {track.number: look for track, look in zip(tracks, looks, strict=True)}

    def _glance(self, sight: Sight, track: Track) -> Look:
        """Look without settling anything."""
        if track.number not in sight.looks:
            self.mark(sight, [track])
            points = sight.landmarks[track.number][None]
            (sight.looks[track.number],) = self._recogniser.glance(sight.found.image, points)
        return sight.looks[track.number]

    def _look_at_the_end(self, track: Track, seen: list[Sight]) -> None:
        """What is to be replaced lies between two looks, and whoever is new is not missed for longer than a stretch."""
        last = seen[-1]
        unseen = last.found.number - (track.checked if track.checked is not None else -UNSURE_FOR)
        if unseen >= UNSURE_FOR:
            self._settle(last, [track])
            last.verdicts[track.number] = track.verdict

    def _resolve(self, track: Track, seen: list[Sight]) -> None:
        """Where looks at somebody who was the person differ, look at each frame: it is somebody else where several
        frames in a row say so."""
        number = track.number
        looked = [place for place, sight in enumerate(seen) if number in sight.looks]
        strange = [place for place in looked if seen[place].looks[number].reading == "different"]
        if not strange or all(sight.verdicts[number] != "same" for sight in seen):
            return
        for one, other in pairwise([-1, *looked]):
            if (one in strange) != (other in strange):
                for sight in seen[one + 1 : other]:
                    self._glance(sight, track)
        lost = False
        for sight, certain in zip(seen, _certain(seen, number), strict=True):
            look = sight.looks.get(number)
            lost = certain or (lost and (look is None or look.reading != "same"))
            if lost:
                sight.verdicts[number] = "different"
        if lost:
            # Soon looked at again: whoever was the person may only have turned away.
            track.verdict, track.strange, track.checked = "different", 0, seen[-1].found.number

    def _date_back(self, track: Track, seen: list[Sight]) -> None:
        """Whoever is the person now was so in the frames before, back to where it was or was surely not."""
        number = track.number
        for later, sight in pairwise(reversed(seen)):
            if later.verdicts[number] != "same" or sight.verdicts[number] == "same":
                continue
            if sight.verdicts[number] == "different" and self._glance(sight, track).reading == "different":
                continue
            look = sight.looks.get(number)
            if look is None or look.reading != "different":
                sight.verdicts[number] = "same"


def _certain(seen: Sequence[Sight], number: int) -> list[bool]:
    """Return for each frame whether it is one of several in a row whose looks, where there are any, say that the track
    is somebody else."""
    strange, before = [], False
    for sight in seen:
        look = sight.looks.get(number)
        before = before if look is None else look.reading == "different"
        strange.append(before)
    certain: list[bool] = []
    for one, run in groupby(strange):
        length = len(list(run))
        certain += [one and length >= STRANGE] * length
    return certain
