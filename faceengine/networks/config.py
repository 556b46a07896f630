"""What decides the shape of the networks. Importable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from faceengine.config import Config, option
from faceengine.networks.registry import SIZES, check_size


@dataclass(frozen=True)
class ModelConfig(Config):
    """The shape of the networks. Two runs with equal model configs can exchange weights."""

    architecture: str = option("faceswap-gan", help="family of networks", choices=tuple(SIZES))
    size: int = option(64, help="side of the model's input and output in pixels", choices=(64, 128, 192, 256))
    lite: bool = option(False, help="half the channels: 12.4 instead of 73.2 million parameters")
    octave: float = option(
        0.0, help="share of channels at half resolution (octave convolution)", choices=(0.0, 0.125, 0.25, 0.5)
    )
    narrow: int = option(1, help="divides every number of channels", choices=(1, 2, 4, 8))
    attention: int = option(64, help="largest side of a feature map that gets self-attention; 0 = none", low=0, high=64)
    latent: int = option(1024, help="width of the bottleneck between encoder and decoders", low=64, high=4096)
    coverage: float = option(
        0.8,
        help="central share of the aligned crop that the model sees, in training and in conversion",
        low=0.5,
        high=1.0,
    )

    def check(self) -> None:
        check_size(self.architecture, self.size)

    def attends(self, side: int) -> bool:
        """Whether a feature map of ``side``² positions gets self-attention where the layout has one."""
        return side <= self.attention

    @property
    def encoder_widths(self) -> tuple[int, ...]:
        """Channels after the first convolution and after each halving, down to 4×4."""
        widths = self._divided((32, 64, 128, 256, 256) if self.lite else (64, 128, 256, 512, 1024))
        extra = {64: 0, 128: 1, 256: 2}[self.size]
        return widths + (widths[-1],) * extra

    @property
    def code_width(self) -> int:
        """Channels of the 8×8 code that the decoders start from."""
        return (256 if self.lite else 512) // self.narrow

    @property
    def decoder_widths(self) -> tuple[int, ...]:
        """Channels after each of the decoder's first three doublings: 16, 32 and 64 pixels."""
        return self._divided((128, 64, 32) if self.lite else (256, 128, 64))

    @property
    def discriminator_widths(self) -> tuple[int, int]:
        """Channels after the discriminator's first halving, and the most it has; lite does not halve them."""
        return 64 // self.narrow, 256 // self.narrow

    def _divided(self, widths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(width // self.narrow for width in widths)
