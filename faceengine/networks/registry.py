"""The architectures by name. A new one is one module beside this file and one entry here.

Its module has the classes ``Encoder``, ``Decoder`` and ``Discriminator``, each built from a :class:`ModelConfig`, and a
function ``prepare(generator)`` that is called once the random weights are there. Importable without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from faceengine.errors import ConfigError

if TYPE_CHECKING:
    from faceengine.networks.config import ModelConfig

SIZES = {
    "faceswap-gan": (64, 128, 256),
    "compact": (128, 192, 256),
}
"""Name of each architecture → sides of input and output in pixels that it can have."""

_MODULES = {
    "faceswap-gan": "faceengine.networks.faceswap_gan",
    "compact": "faceengine.networks.compact",
}


def architecture(config: ModelConfig) -> Any:
    """Return the module of ``config``'s architecture."""
    return importlib.import_module(_MODULES[config.architecture])


def check_size(name: str, size: int) -> None:
    """Raise :class:`ConfigError` ``model.size`` unless the architecture has that size."""
    if size not in SIZES[name]:
        sizes = ", ".join(map(str, SIZES[name]))
        raise ConfigError("model.size", f"{name} has no size {size}; it has {sizes}")
