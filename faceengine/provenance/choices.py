"""What can be chosen of marks."""

from __future__ import annotations

LABELS = ("both", "en", "zh", "none")
"""The visible label's words. ``both`` comes first, the default: a video doesn't stay in one language's country."""
PLACES = ("bottom-right", "bottom-left", "bottom", "top-right", "top-left", "top")
"""Where in the frame it is."""
AUTO = "auto"
"""A corner away from the faces, chosen for each shot."""
MARKS = ("all", "label")
"""``label``: only what must be there before a frame is encoded; whoever joins the parts adds the rest."""
