"""The networks: sizes, shapes, what octave convolutions cost, and what attention computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from faceengine.errors import ConfigError
from faceengine.networks.attention import SelfAttention, attend
from faceengine.networks.blocks import UpShuffle, enlarge_and_convolve, initialise
from faceengine.networks.config import ModelConfig
from faceengine.networks.model import Discriminators, Generator, parameter_count
from faceengine.networks.octave import OctaveConv2d, merge, split


@pytest.mark.parametrize(("lite", "encoder", "decoder", "total"), [(False, 59.1, 6.30, 73.2), (True, 10.1, 0.42, 12.4)])
def test_millions_of_parameters_at_64(lite: bool, encoder: float, decoder: float, total: float) -> None:
    config = ModelConfig(lite=lite)
    generator, discriminators = Generator(config), Discriminators(config)
    assert parameter_count(generator.encoder) / 1e6 == pytest.approx(encoder, abs=0.05)
    for person in "ab":
        assert parameter_count(generator.decoders[person]) / 1e6 == pytest.approx(decoder, abs=0.005)
        assert parameter_count(discriminators[person]) / 1e6 == pytest.approx(0.75, abs=0.005)
    assert (parameter_count(generator) + parameter_count(discriminators)) / 1e6 == pytest.approx(total, abs=0.05)


@pytest.mark.parametrize("octave", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("lite", [True, False])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_shapes_and_ranges(size: int, lite: bool, octave: float) -> None:
    config = ModelConfig(size=size, lite=lite, octave=octave)
    generator, discriminators = Generator(config), Discriminators(config)
    image = torch.rand(1, 3, size, size) * 2 - 1
    with torch.no_grad():
        decoded = generator.decoders["b"](generator.encoder(image))
        patches = discriminators["b"](decoded.masked(image), image)
    assert decoded.colour.shape == (1, 3, size, size)
    assert decoded.alpha.shape == (1, 1, size, size)
    assert decoded.colour.abs().max() <= 1
    assert decoded.alpha.min() >= 0
    assert decoded.alpha.max() <= 1
    assert [part.shape[-1] for part in decoded.auxiliary] == [side for side in (64, 128) if side < size]
    assert patches.shape == (1, 1, 8, 8)


def test_every_weight_gets_a_gradient() -> None:
    config = ModelConfig(lite=True, octave=0.25)
    generator = Generator(config)
    for module in generator.modules():
        if isinstance(module, SelfAttention):
            nn.init.constant_(module.gain, 0.1)  # at its start of 0 nothing flows to query, key and value
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    code = generator.encoder(image)
    sum(decoder(code).masked(image).square().mean() for decoder in generator.decoders.values()).backward()
    assert [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().any()] == []


def test_octave_at_alpha_0_is_the_plain_convolution() -> None:
    torch.manual_seed(1)
    octave = OctaveConv2d(6, 10, 3, stride=2, padding=1)
    assert octave.high_to_high is not None
    x = torch.rand(2, 6, 16, 16)
    high, low = octave((x, None))
    weight, bias = octave.high_to_high.weight, octave.high_to_high.bias
    assert low is None
    assert torch.equal(high, nn.functional.conv2d(x, weight, bias, stride=2, padding=1))
    assert octave.paths == [octave.high_to_high]


@pytest.mark.parametrize("alpha", [0.25, 0.5])
@pytest.mark.parametrize("stride", [1, 2])
def test_octave_costs_what_the_paper_says(alpha: float, stride: int) -> None:
    def flops(share: float) -> int:
        conv = OctaveConv2d(64, 64, 3, stride=stride, padding=1, alpha_in=share, alpha_out=share)
        x = split(torch.rand(1, 64, 32, 32), round(64 * share))
        with FlopCounterMode(display=False) as counter:
            conv(x)
        return counter.get_total_flops()

    assert flops(alpha) / flops(0.0) == pytest.approx(1 - 0.75 * alpha * (2 - alpha))


def test_octave_has_as_many_weights_as_plain() -> None:
    counts = {alpha: parameter_count(Generator(ModelConfig(lite=True, octave=alpha)).encoder) for alpha in (0.0, 0.25)}
    assert counts[0.25] == counts[0.0]


def test_octave_paths_by_hand() -> None:
    conv = OctaveConv2d(2, 2, 1, bias=False, alpha_in=0.5, alpha_out=0.5)
    for path, value in zip(conv.paths, (2.0, 3.0, 5.0, 7.0), strict=True):
        nn.init.constant_(path.weight, value)
    high = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    low = torch.tensor([[[[10.0]]]])
    out_high, out_low = conv((high, low))
    assert torch.equal(out_high, 2 * high + 5 * 10)  # low to high: convolved, then repeated
    assert out_low is not None
    assert out_low.item() == 3 * high.mean() + 7 * 10  # high to low: averaged, then convolved


def test_merge_and_split_are_inverse() -> None:
    high, low = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 4, 4)
    again_high, again_low = split(merge((high, low)), 1)
    assert torch.equal(again_high, high)
    assert again_low is not None
    assert torch.allclose(again_low, low)


def test_attention_equals_the_written_out_softmax() -> None:
    torch.manual_seed(2)
    query, key, value = torch.randn(2, 4, 6, 5), torch.randn(2, 4, 6, 5), torch.randn(2, 32, 6, 5)
    shares = torch.softmax(query.flatten(2).transpose(1, 2) @ key.flatten(2), dim=-1)
    expected = (value.flatten(2) @ shares.transpose(1, 2)).reshape(value.shape)
    assert torch.allclose(attend(query, key, value), expected, atol=1e-5)


def test_attention_in_stripes_equals_the_fused_kernel_to_16_bits() -> None:
    torch.manual_seed(3)
    exact = [torch.randn(2, width, 32, 32, requires_grad=True) for width in (4, 4, 32)]
    rounded = [part.detach().bfloat16().requires_grad_() for part in exact]
    weights = torch.randn(2, 32, 32, 32)
    found = []
    for inputs in (exact, rounded):
        out = attend(*inputs)
        (out.float() * weights).sum().backward()
        found.append([out.detach(), *(part.grad for part in inputs)])
    for expected, ours in zip(*found, strict=True):
        assert ours is not None
        assert expected is not None
        assert (ours.float() - expected).norm() / expected.norm() < 0.02


def test_attention_starts_as_the_identity() -> None:
    x = torch.rand(1, 64, 8, 8)
    high, low = SelfAttention(64)((x, None))
    assert torch.equal(high, x)
    assert low is None


def test_attention_can_be_limited_to_small_maps() -> None:
    def count(limit: int) -> int:
        generator = Generator(ModelConfig(lite=True, attention=limit))
        return sum(isinstance(module, SelfAttention) for module in generator.modules())

    assert [count(limit) for limit in (64, 32, 16, 0)] == [6, 4, 2, 0]


def test_the_bottleneck_begins_by_giving_back_what_it_can() -> None:
    torch.manual_seed(5)
    encoder = Generator(ModelConfig(lite=True, latent=1024)).encoder
    x = torch.randn(8, 4096)
    resemblance = nn.functional.cosine_similarity(encoder.expand(encoder.squeeze(x)), x).mean()
    # A projection onto 1024 of 4096 random directions keeps √(1/4) of the direction, a little less when not orthogonal.
    assert 0.4 < resemblance < 0.5


def test_enlarging_inside_the_convolution_equals_enlarging_before_it() -> None:
    torch.manual_seed(4)
    conv = nn.Conv2d(5, 3, 3, padding=1)
    x = torch.randn(2, 5, 6, 7, requires_grad=True)
    found = []
    for drawn in (conv(nn.functional.interpolate(x, scale_factor=2.0)), enlarge_and_convolve(x, conv)):
        gradients = torch.autograd.grad(drawn.square().sum(), [x, conv.weight, conv.bias])
        found.append([drawn.detach(), *gradients])
    for expected, ours in zip(*found, strict=True):
        assert torch.allclose(ours, expected, rtol=1e-4, atol=1e-4)


def test_icnr_makes_the_four_subpixels_equal() -> None:
    up = UpShuffle(8, 4)
    initialise(up)
    high, _ = up.conv((torch.rand(1, 8, 4, 4), None))
    shuffled = nn.functional.pixel_shuffle(high, 2)
    blocks = shuffled.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)
    assert torch.allclose(blocks, blocks[..., :1].expand_as(blocks), atol=1e-6)


@pytest.mark.parametrize("octave", [0.0, 0.25])
@pytest.mark.parametrize("size", [128, 192, 256])
def test_compact_networks_at_every_size(size: int, octave: float) -> None:
    config = ModelConfig(architecture="compact", size=size, narrow=4, latent=64, attention=16, octave=octave)
    generator, discriminators = Generator(config), Discriminators(config)
    image = torch.rand(1, 3, size, size) * 2 - 1
    decoded = generator.decode(generator.encode(image), "b")
    assert decoded.colour.shape == (1, 3, size, size)
    assert decoded.alpha.shape == (1, 1, size, size)
    assert decoded.colour.abs().max() <= 1
    assert 0 <= decoded.alpha.min() <= decoded.alpha.max() <= 1
    assert discriminators["b"](decoded.colour, image).shape == (1, 1, size // 16, size // 16)


def test_every_weight_of_the_compact_networks_gets_a_gradient() -> None:
    config = ModelConfig(architecture="compact", size=128, narrow=4, latent=64, attention=32, octave=0.25)
    generator = Generator(config)
    for module in generator.modules():
        if isinstance(module, SelfAttention):
            nn.init.constant_(module.gain, 0.1)
    code = generator.encode(torch.rand(2, 3, 128, 128) * 2 - 1)
    sum((d.colour * d.alpha).square().mean() for d in (generator.decode(code, p) for p in "ab")).backward()
    assert [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().any()] == []


def test_eyes_and_mouth_reach_the_code_by_windows_of_their_own() -> None:
    """With the main path cut, a change inside a window still changes the code, and one outside does not."""
    config = ModelConfig(architecture="compact", size=128, narrow=4, latent=64, attention=0)
    generator = Generator(config)
    nn.init.zeros_(generator.encoder.squeeze.weight)
    image = torch.rand(1, 3, 128, 128) * 2 - 1
    changed = {}
    for name, (row, column) in {"eye": (40, 42), "mouth": (100, 64), "cheek": (72, 20)}.items():
        other = image.clone()
        other[..., row - 2 : row + 2, column - 2 : column + 2] *= -1
        changed[name] = not torch.equal(generator.encode(other)[0], generator.encode(image)[0])
    assert changed == {"eye": True, "mouth": True, "cheek": False}


@pytest.mark.parametrize(("architecture", "size"), [("compact", 64), ("faceswap-gan", 192)])
def test_a_size_that_an_architecture_does_not_have_is_refused(architecture: str, size: int) -> None:
    with pytest.raises(ConfigError, match="has no size") as refused:
        ModelConfig(architecture=architecture, size=size)
    assert refused.value.code == "model.size"
