"""What a training run is told. Importable without torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from faceengine.config import Config, option
from faceengine.errors import ConfigError
from faceengine.networks.config import ModelConfig


@dataclass(frozen=True)
class Recipe(Config):
    """Every number of a training: the networks' shape, the weights of the losses, the schedule, the augmentation."""

    model: ModelConfig = option(ModelConfig(), help="shape of the networks")
    iterations: int = option(40_000, help="length of the schedule", low=1)
    batch: int = option(8, help="crops of each person in one iteration", low=1, high=512)
    learning_rate: float = option(1e-4, help="of encoder and decoders; the discriminators learn twice as fast", low=0)
    bottleneck_rate: float = option(1.0, help="factor on the learning rate of the bottleneck's dense layers", low=0)
    warm_up: int = option(0, help="iterations over which the learning rate rises from zero", low=0)
    original_phases: bool = option(True, help="phases of faceswap-GAN v2.2; otherwise a plain cosine to a hundredth")
    l2: float = option(1e-4, help="L2 on the weights of the block convolutions", low=0)
    adversarial: float = option(0.1, help="weight of the adversarial loss; 0 trains without discriminators", low=0)
    adversarial_from: float = option(
        0.0, help="share of the schedule after which the adversarial loss sets in", low=0, high=1
    )
    reconstruction: float = option(1.0, help="weight of L1 between the drawn face and the target", low=0)
    eyes: float = option(30.0, help="extra weight of reconstruction and edges inside the eye mask", low=0)
    mouth: float = option(0.0, help="the same inside the mouth mask", low=0)
    brows: float = option(0.0, help="the same inside the brow mask", low=0)
    edge: float = option(0.1, help="weight of L1 between first differences", low=0)
    face: float = option(0.0, help="extra weight of the reconstruction inside the face mask", low=0)
    dssim: float = option(0.0, help="weight of 1 - SSIM inside the face, at two scales", low=0)
    background: float = option(
        1.0, help="how much of the target's detail outside the face mask is kept; 0 blurs it", low=0, high=1
    )
    perceptual: float = option(1.0, help="factor on the perceptual loss, if its network's weights are there", low=0)
    cycle: float = option(0.0, help="weight of cycle consistency A→B→A (CycleGAN: 10)", low=0)
    alpha: float = option(0.01, help="weight of the mean of alpha (or of the hinge ×10)", low=0)
    alpha_smooth: float = option(0.1, help="weight of alpha's total variation", low=0)
    alpha_face: float = option(0.0, help="weight of L1 between alpha and the face mask", low=0)
    colour_match: float = option(0.5, help="how often a crop takes on the colours of another one", low=0, high=1)
    placement: float = option(1.0, help="factor on rotation ±10°, zoom ±10 %, shift ±5 %", low=0, high=2)
    flip: float = option(0.5, help="how often a crop is mirrored", low=0, high=1)
    warp_sigma: float = option(5.6, help="standard deviation of the warp in pixels at 256", low=0, high=30)
    warp_until: float = option(1.0, help="share of the schedule after which inputs are not warped", low=0, high=1)
    relight: float = option(0.0, help="how often light, gamma and colours of input and target change", low=0, high=1)
    noise: float = option(0.0, help="how often noise is put on the warped input", low=0, high=1)
    blur: float = option(0.0, help="how often motion blur is put on the warped input", low=0, high=1)
    degrade: float = option(0.0, help="how often the warped input is made coarse or compressed", low=0, high=1)
    ema: float = option(
        0.999, help="decay of the moving average of weights that previews and conversion use", low=0, high=1
    )


_COMPACT = Recipe(
    model=ModelConfig(architecture="compact", size=128, attention=16, latent=512, coverage=1.0),
    batch=8,
    learning_rate=1e-3,
    bottleneck_rate=0.1,
    warm_up=200,
    original_phases=False,
    l2=0.0,
    adversarial=0.02,
    adversarial_from=0.5,
    eyes=30.0,
    mouth=30.0,
    brows=10.0,
    edge=1.0,
    face=3.0,
    dssim=2.0,
    background=0.2,
    alpha=0.0,
    alpha_face=1.0,
    colour_match=0.6,
    relight=0.3,
    degrade=0.1,
    placement=0.3,
    warp_sigma=2.5,
    warp_until=0.85,
)
"""What the presets of the compact networks share. Small batches: in the same time many small steps get further than
few large ones. The whole crop is seen, since what lies at its edge, the jaw, is where a swap shows. Crops are moved and
bent less than the original's: where everything lies has to pass the bottleneck, too."""

PRESETS: dict[str, Recipe] = {
    # A quarter of an hour on two cores; docs/performance.md has what was tried.
    "quick": dataclasses.replace(
        _COMPACT,
        model=dataclasses.replace(_COMPACT.model, narrow=2, attention=0, latent=256),
        iterations=8_000,
        batch=4,
        learning_rate=2e-3,
        warm_up=100,
        # As late as it still sharpens: an iteration with it takes twice as long.
        adversarial=0.05,
        adversarial_from=0.75,
        ema=0.998,
    ),
    # An hour on one GPU, or a night on a CPU.
    "standard": dataclasses.replace(_COMPACT, iterations=40_000),
    # At 256 px, for GPUs.
    "fine": dataclasses.replace(
        _COMPACT, model=dataclasses.replace(_COMPACT.model, size=256), iterations=80_000, learning_rate=5e-4
    ),
    # faceswap-GAN v2.2 with its own losses and schedule.
    "lite-64": Recipe(model=ModelConfig(lite=True)),
    "standard-64": Recipe(),
    "standard-128": Recipe(model=ModelConfig(size=128)),
    "standard-256": Recipe(model=ModelConfig(size=256)),
    # Seconds long, all losses on: for tests and for trying out a set-up. It can't be used for a swap.
    "tiny": Recipe(model=ModelConfig(narrow=8, latent=64, attention=16), iterations=20, batch=2, cycle=10.0),
}


@dataclass(frozen=True)
class TrainConfig(Config):
    """One training run: two face sets, a preset, and what differs from it."""

    a: Path = option(help="face set of person A")
    b: Path = option(help="face set of person B")
    preset: str = option("quick", help="named set of numbers to start from", choices=tuple(PRESETS))
    octave: float | None = option(
        None, help="share of channels at half resolution, instead of the preset's", choices=(0.0, 0.125, 0.25, 0.5)
    )
    iterations: int | None = option(
        None, help="length of the schedule, instead of the preset's", low=1, high=100_000_000
    )
    minutes: float | None = option(
        None, help="fit the schedule into this time: its length is set once the speed is known", low=0.01, high=1e6
    )
    batch: int | None = option(
        None, help="crops of each person in one iteration, instead of the preset's", low=1, high=512
    )
    cycle: float | None = option(None, help="weight of cycle consistency, instead of the preset's", low=0, high=1000)
    start_from: Path | None = option(None, help="run or checkpoint whose weights the new run begins with")
    base: bool = option(True, help="otherwise begin with the base model, if there is one for these networks")
    seed: int = option(
        0, help="the same seed, sets and machine give the same weights to the bit", low=0, high=2**63 - 1
    )
    preview_every: int = option(300, help="iterations between two previews", low=1)
    checkpoint_every: int = option(300, help="iterations between two checkpoints", low=1)
    keep_every: int = option(
        0, help="keep each checkpoint whose iteration this divides; 0 keeps the last and the best", low=0
    )
    log_every: int = option(10, help="iterations between two lines of losses", low=1)
    device: str = option("auto", help="where to compute: auto, cpu, cuda, cuda:1 …")
    precision: str = option(
        "auto",
        help="arithmetic of the networks; auto is bfloat16 where the processor has it",
        choices=("auto", "float32", "bfloat16"),
    )
    workers: int | None = option(
        None, help="processes that prepare crops; by default one less than there are cores, at most 4", low=0, high=64
    )

    def check(self) -> None:
        if self.a.resolve() == self.b.resolve():
            raise ConfigError("train.same_set", f"--a and --b are the same folder: {self.a}")

    @property
    def recipe(self) -> Recipe:
        """The preset's numbers with this run's own in their place."""
        recipe = PRESETS[self.preset]
        own = {"iterations": self.iterations, "batch": self.batch, "cycle": self.cycle}
        if self.octave is not None:
            own["model"] = dataclasses.replace(recipe.model, octave=self.octave)  # type: ignore[assignment]
        return dataclasses.replace(recipe, **{name: value for name, value in own.items() if value is not None})  # type: ignore[arg-type]
