"""When two faces are the same person, to each embedding network: needs no torch, so that whoever only reads can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reading = Literal["same", "unsure", "different"]


MOST_OUTSIDE = 0.03
"""Share of a face outside its frame above which nothing is learned from its crop: what lies there is smeared."""


@dataclass(frozen=True)
class Thresholds:
    """Euclidean distances between two embeddings of one network."""

    same: float
    """Under it, two faces are the same person."""
    different: float
    """Over it, they are different people; between the two it is unsure."""
    source: str

    def reading(self, distance: float) -> Reading:
        """What a distance says of the two faces."""
        if distance < self.same:
            return "same"
        return "different" if distance > self.different else "unsure"


THRESHOLDS = {
    "dlib-resnet": Thresholds(
        0.48,
        0.60,
        "117,370 pairs of real video frames of 60 people: 0.48 separates best (AUC 0.998); "
        "dlib's customary 0.6 accepts 3.4 % of strangers",
    ),
    # DeepFace gives two thresholds for this network, a cosine distance of 0.30 (= Euclidean √0.6 on unit vectors) and a
    # Euclidean one of 1.04, tuned apart: between the two nobody should be sure.
    "facenet-vggface2": Thresholds(
        0.775,
        1.04,
        "DeepFace's thresholds for Facenet512: cosine distance 0.30 (Euclidean 0.775), Euclidean 1.04",
    ),
}
"""By the network's name."""
