"""Where a similarity lies between its yardsticks."""

from __future__ import annotations


def position(similarity: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """0 at the floor, 1 at the ceiling; ``None`` where one is not known, or the ceiling is not above the floor."""
    if similarity is None or floor is None or ceiling is None or ceiling <= floor:
        return None
    return (similarity - floor) / (ceiling - floor)
