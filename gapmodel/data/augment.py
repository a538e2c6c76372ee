"""Changes that make one sample many without making anything said about it untrue.

Nothing is mirrored: left and right are asked about. A cropped visit asks no question, as what is visible, counted or
named by its place may change; it teaches geometry. Hue never changes, and colours not at all where they are asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from gapdata.errors import ConfigError
from gapmodel.data.images import Window

Array = np.ndarray

COLOUR_TASKS = frozenset({"color"})
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@dataclass(frozen=True, kw_only=True, slots=True)
class Augment:
    """How often and how far samples are changed. `NOTHING` changes nothing.

    fewer_views: probability that a visit shows fewer views. shuffled: that its views come in random order.
    crop: that each view is cropped to a part with sides of at least `crop_side`, and nothing is asked.
    recolour: that brightness, contrast, saturation and white balance move by up to `light` (relative).
    depth_noise: that depth given as input is noisy. no_geometry, no_view_geometry: that no geometry is given for the
    whole sample, and for each picture.
    """

    fewer_views: float = 0.0
    shuffled: float = 0.0
    crop: float = 0.0
    crop_side: float = 0.7
    recolour: float = 0.0
    light: float = 0.15
    depth_noise: float = 0.0
    no_geometry: float = 0.0
    no_view_geometry: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "fewer_views",
            "shuffled",
            "crop",
            "recolour",
            "depth_noise",
            "no_geometry",
            "no_view_geometry",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} {getattr(self, name)}: expected a probability")
        if not 0.1 <= self.crop_side <= 1:
            raise ConfigError(f"crop_side {self.crop_side}: expected 0.1 to 1")
        if not 0 <= self.light <= 0.5:
            raise ConfigError(f"light {self.light}: expected 0 to 0.5")


NOTHING = Augment()
USUAL = Augment(
    fewer_views=0.1,
    shuffled=0.25,
    crop=0.1,
    recolour=0.5,
    depth_noise=0.5,
    no_geometry=0.3,
    no_view_geometry=0.1,
)


def crop_window(
    size: tuple[int, int], shown: tuple[int, int], side: float, rng: np.random.Generator
) -> Window:
    """A random part of a stored picture, in whole pixels, with sides of at least `side` times the picture's."""
    part = rng.uniform(side, 1.0)
    height, width = (max(1, round(part * length)) for length in size)
    top = int(rng.integers(0, size[0] - height + 1))
    left = int(rng.integers(0, size[1] - width + 1))
    return Window(top=top, left=left, height=height, width=width, shown=shown)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Recolouring:
    """A mix of the channels, then a tone curve: the same for all pictures of a sample."""

    mix: Float32[Array, "3 3"]
    curve: UInt8[Array, " 256"]

    def apply(self, rgb: UInt8[Array, "H W 3"]) -> UInt8[Array, "H W 3"]:
        """The picture in other light."""
        return cv2.LUT(cv2.transform(rgb, self.mix), self.curve)


def draw_recolouring(
    augment: Augment, tasks: Collection[str], rng: np.random.Generator
) -> Recolouring | None:
    """How to recolour the pictures of a visit that asks these tasks; None for not at all."""
    chance, (bright, contrast, saturation), balance = (
        rng.random(),
        rng.uniform(-1, 1, 3),
        rng.uniform(-1, 1, 3),
    )
    if chance >= augment.recolour or not COLOUR_TASKS.isdisjoint(tasks):
        return None
    strength = 1 + augment.light * saturation
    mix = strength * np.eye(3) + (1 - strength) * _LUMA[None, :]
    mix *= (1 + 0.2 * augment.light * balance)[:, None]
    tone = np.arange(256) / 255
    tone = 0.5 + (tone - 0.5) * (1 + augment.light * contrast) + 0.5 * augment.light * bright
    return Recolouring(
        mix=mix.astype(np.float32), curve=np.rint(255 * np.clip(tone, 0, 1)).astype(np.uint8)
    )


def noisy_depth(depth: Float32[Array, "H W"], rng: np.random.Generator) -> Float32[Array, "H W"]:
    """Depth as a sensor might give it: scale off by about 1 %, axial noise that grows with distance, holes.

    Axial noise of a structured-light sensor: 0.0012 + 0.0019 (z - 0.4)^2 metres (Nguyen et al., 3DIMPVT 2012, eq. 4).
    """
    height, width = depth.shape
    half = (max(1, height // 2), max(1, width // 2))
    noise = cv2.resize(
        rng.standard_normal(half, np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    sigma = 0.0012 + 0.0019 * (depth - 0.4) ** 2
    noisy = depth * np.float32(1 + 0.01 * rng.standard_normal()) + sigma * noise
    coarse = (rng.random((12, 16)) < 0.03).astype(np.uint8)
    holes = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    keep = (depth > 0) & (holes == 0) & (noisy > 0)
    return np.where(keep, noisy, 0).astype(np.float32)


def draw_given(augment: Augment, count: int, rng: np.random.Generator) -> Bool[Array, " V"]:
    """For which of `count` pictures geometry is given as input."""
    everything, each = rng.random(), rng.random(count)
    return np.asarray((everything >= augment.no_geometry) & (each >= augment.no_view_geometry))
