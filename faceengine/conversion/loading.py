"""From a config to something that swaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from faceengine.conversion.config import ConvertConfig
from faceengine.conversion.frame_swapper import FrameSwapper
from faceengine.conversion.recognition import Consented, Person, Recogniser, SetPerson
from faceengine.device import choose_device
from faceengine.embedding import Choice, Embedder, make_embedder
from faceengine.errors import InputError
from faceengine.events import OnEvent, ignore
from faceengine.extraction import landmarks
from faceengine.extraction.finder import FaceFinder
from faceengine.extraction.landmarks import make_landmarker
from faceengine.reference import Reference, References
from faceengine.training.swapper import DIRECTIONS, Swapper, load_swapper


def load_frame_swapper(
    config: ConvertConfig, on_event: OnEvent = ignore, references: References | None = None
) -> FrameSwapper:
    """The frame swapper that ``config`` describes, with all its networks loaded.

    With ``references`` it swaps nobody but the person who agreed, whatever set ``config`` names. Raises
    :class:`InputError` for a model or face set that can't be used, ``convert.other_model`` for a model of other people
    than those who agreed, and :class:`ConfigError` for a device that is not there.
    """
    device = str(choose_device(config.device))
    model = load_swapper(config.model, config.direction, device=device, precision=config.precision)
    person: Person = model.person if config.person is None else SetPerson.of(config.person)
    embedder = make_embedder(cast(Choice, person.network), device=device, on_event=on_event)
    consented = None
    if references is not None:
        _check_people(model, config, references)
        consented = _consented(model, config, references, _Embedders(embedder, device, on_event))
    return FrameSwapper(
        model,
        finder=FaceFinder(device=device),
        landmarker=make_landmarker(cast(landmarks.Choice, config.landmarks), device=device, on_event=on_event),
        recogniser=Recogniser(embedder, person, model.wanted, consented),
        settings=config,
    )


def _check_people(model: Swapper, config: ConvertConfig, references: References) -> None:
    """A model may have been trained before another person took one's place."""
    for side, person in zip(DIRECTIONS[config.direction], (model.person, model.wanted), strict=True):
        if references.contradicts(side, {"network": person.network, "medoid": person.medoid}):
            text = f"the model's person {side.upper()} is not the one in the recording of the consent: train anew"
            raise InputError("convert.other_model", text)


@dataclass(frozen=True)
class _Embedders:
    """The network that is loaded, and others when they are needed."""

    loaded: Embedder
    device: str
    on_event: OnEvent

    def of(self, network: str) -> Embedder:
        if network == self.loaded.name:
            return self.loaded
        return make_embedder(cast(Choice, network), device=self.device, on_event=self.on_event)


def _consented(model: Swapper, config: ConvertConfig, references: References, embedders: _Embedders) -> Consented:
    """Who agreed to be replaced. A consent without a recording is that of the person the model was trained on."""
    reference = references.people.get(DIRECTIONS[config.direction][0])
    if reference is None:
        reference = Reference(model.person.network, model.person.medoid[None])
    return Consented(reference, embedders.of(reference.network))
