"""From a config to something that swaps."""

from __future__ import annotations

from typing import cast

from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.frame_swapper import FrameSwapper
from faceengine.conversion.recognition import Person, Recogniser, SetPerson
from faceengine.device import choose_device
from faceengine.embedding import Choice, make_embedder
from faceengine.events import OnEvent, ignore
from faceengine.extraction import landmarks
from faceengine.extraction.finder import FaceFinder
from faceengine.extraction.landmarks import make_landmarker
from faceengine.training.swapper import load_swapper


def load_frame_swapper(config: ConvertConfig, on_event: OnEvent = ignore) -> FrameSwapper:
    """The frame swapper that ``config`` describes, with all its networks loaded.

    Raises :class:`InputError` for a model or face set that can't be used, :class:`ConfigError` for a device that is
    not there.
    """
    device = str(choose_device(config.device))
    model = load_swapper(config.model, config.direction, device=device, precision=config.precision)
    person: Person = model.person if config.person is None else SetPerson.of(config.person)
    embedder = make_embedder(cast(Choice, person.network), device=device, on_event=on_event)
    return FrameSwapper(
        model,
        finder=FaceFinder(device=device),
        landmarker=make_landmarker(cast(landmarks.Choice, config.landmarks), device=device, on_event=on_event),
        recogniser=Recogniser(embedder, person, model.wanted),
        settings=config,
    )
