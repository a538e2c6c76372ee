"""What grows in pots: arching leaves, upright swords, a leafy bush on a stem."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, pick, shaded
from gapdata.synthetic.models import Part, parts_of
from gapdata.synthetic.shapes import Solid, bar, loft, rectangle

Array = np.ndarray

GREENS = ((62, 120, 62), (86, 140, 74), (48, 100, 60), (110, 150, 80))
BARK = Finish(rgb=(104, 78, 54), material="wood")
FINE = 12  # leaves of a small plant; a large one has half as many again
GOLDEN = np.pi * (3.0 - np.sqrt(5.0))  # radians between a plant's leaves, as in nature


def grown(
    rng: np.random.Generator, kind: str, radius: float, tall: float, base: float
) -> tuple[Finish, list[Part]]:
    """The green and the parts of a plant of a kind ("arching", "swords", "bush") `tall` metres high.

    It grows out of the earth at height `base` in a pot of `radius` metres.
    """
    green = Finish(rgb=pick(rng, GREENS), material="leaf")
    leaves = {"arching": _arching, "swords": _swords, "bush": _bush}[kind](rng, radius, tall)
    parts = [
        Part(solid=leaf.moved((0, 0, base)), finish=shaded(green, rng.uniform(0.85, 1.15)))
        for leaf in leaves
    ]
    if kind == "bush":
        stem = bar((0, 0, base - 0.01), (0, 0, base + 0.6 * tall), 0.012 * tall + 0.002, 10)
        parts += parts_of(BARK, stem)
    return green, parts


def _count(tall: float) -> int:
    return FINE if tall < 0.4 else int(1.5 * FINE)


def _arching(rng: np.random.Generator, radius: float, tall: float) -> list[Solid]:
    """Long leaves that rise and bend outwards, the inner ones steeper."""
    solids = []
    count = _count(tall)
    for k in range(count):
        share = (k + 0.5) / count
        reach = tall * (0.16 + 0.42 * share) * rng.uniform(0.85, 1.15)
        rise = tall * (1.0 - 0.42 * share) * rng.uniform(0.9, 1.0)
        solids.append(_leaf(GOLDEN * k, reach, rise, 0.085 * tall))
    return solids


def _swords(rng: np.random.Generator, radius: float, tall: float) -> list[Solid]:
    """Stiff upright leaves in a rosette."""
    solids, count = [], int(1.4 * _count(tall))
    for k in range(count):
        away = 0.6 * radius * np.sqrt((k + 0.5) / count)
        heading, high = GOLDEN * k, tall * rng.uniform(0.55, 1.0)
        lean = 0.12 * high * rng.uniform(0.4, 1.0)
        t = np.array([0.0, 0.3, 0.7, 0.92, 1.0])
        wide = min(0.3 * radius, 0.075 * tall) * np.array([0.7, 1.0, 0.85, 0.4, 0.04])
        path = np.stack([away + lean * t**1.5, np.zeros(5), high * t], axis=-1)
        solids.append(_blade(path, wide, 0.003 + 0.01 * wide.max()).turned(float(heading)))
    return solids


def _bush(rng: np.random.Generator, radius: float, tall: float) -> list[Solid]:
    """Many oval leaves around a crown on a stem."""
    solids, size = [], 0.17 * tall + 0.012
    count = 2 * _count(tall) + 10
    for k in range(count):
        # Evenly over a ball: leaves grow outwards and droop a little.
        up = 1.0 - 2.0 * (k + 0.5) / count
        away = np.sqrt(1.0 - up**2)
        crown = tall * rng.uniform(0.1, 0.26)
        foot = np.array([crown * away, 0.0, 0.68 * tall + 0.9 * crown * up])
        t = np.linspace(0.0, 1.0, 5)
        rise = size * (0.7 * up * t + 0.25 * t - 0.45 * t**2)
        path = foot + np.stack([size * (0.35 + 0.65 * away) * t, np.zeros(5), rise], axis=-1)
        wide = 0.62 * size * np.array([0.08, 0.75, 1.0, 0.7, 0.05])
        solids.append(_blade(path, wide, 0.0015 + 0.01 * size).turned(float(GOLDEN * k)))
    return solids


def _leaf(heading: float, reach: float, rise: float, width: float) -> Solid:
    """A leaf that rises, then bends down to its tip."""
    t = np.linspace(0.0, 1.0, 8)
    up = rise * np.sin(0.66 * np.pi * t) / np.sin(0.5 * np.pi)
    path = np.stack([reach * t**1.5, np.zeros(8), up], axis=-1)
    wide = width * np.clip(0.16 + 0.9 * np.sin(np.pi * t**0.85), 0.03, None)
    wide[-1] = 0.03 * width
    return _blade(path, wide, 0.02 * width + 0.0015).turned(heading)


def _blade(path: Array, wide: Array, thick: float) -> Solid:
    """A flat blade of varying width along a path in the x-z plane."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0.0, 1.0, 0.0])
    lift = np.cross(tangent, side)
    corners = rectangle(1.0, 1.0)
    rings = (
        path[:, None]
        + corners[None, :, :1] * wide[:, None, None] * side
        + corners[None, :, 1:] * thick * lift[:, None]
    )
    return loft(rings)
