"""Trees, hedges and shrubs."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import shaded
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, bar, block, loft
from gapdata.synthetic.street.paints import BARK, DARK_STEEL, SOIL, WOOD, foliage
from gapdata.synthetic.street.solids import lump, merged

Array = np.ndarray


def tree(rng: np.random.Generator, radius: float, clear: float) -> Model:
    """A tree whose crown reaches `radius` metres from the trunk and starts `clear` metres above the ground."""
    leaves, girth = foliage(rng), float(rng.uniform(0.1, 0.19))
    crown = float(rng.uniform(1.3, 1.9)) * radius
    bottom = clear + 0.1
    middle = bottom + 0.5 * crown
    bend = rng.uniform(-0.08, 0.08, 2)
    trunk = [
        bar((0, 0, 0.02), (*(0.5 * bend), 0.5 * middle), girth, 10),
        bar((*(0.5 * bend), 0.5 * middle - 0.05), (*bend, middle), 0.8 * girth, 10),
    ]
    lumps: list[Part] = []
    for k in range(9):
        heading, level = 2.4 * k + rng.uniform(-0.3, 0.3), (k + 0.5) / 9
        out = 0.5 * radius * np.sin(np.pi * min(0.9, 0.3 + 0.7 * level))
        size = rng.uniform(0.85, 1.0, 3) * [radius, radius, 0.42 * crown]
        spot = (
            bend[0] + out * np.cos(heading),
            bend[1] + out * np.sin(heading),
            bottom + (0.24 + 0.56 * level) * crown,
        )
        lumps += parts_of(
            shaded(leaves, 0.78 + 0.4 * level), lump(rng, size, spot, rough=0.12, segments=18)
        )
    boughs = [
        bar((*bend, 0.75 * middle), part.solid.vertices.mean(axis=0), 0.4 * girth, 6) for part in lumps[::2]
    ]  # fmt: skip
    parts = (*parts_of(BARK, *_standing(trunk), merged(boughs)), *lumps)
    return Model(label="tree", parts=parts, finish=leaves)


def _standing(trunk: list[Solid]) -> list[Solid]:
    """The trunk with a foot that stands flat on the ground."""
    foot = trunk[0].vertices[:, :2]
    wide = 1.5 * float(np.ptp(foot[:, 0]))
    return [*trunk, block((wide, wide, 0.03), (0, 0, 0))]


def hedge(rng: np.random.Generator, length: float) -> Model:
    """A clipped hedge along x with an uneven skin."""
    leaves, high, deep = foliage(rng), float(rng.uniform(0.8, 1.7)), float(rng.uniform(0.5, 0.8))
    count = max(3, round(length / 0.35)) + 1
    outline = np.array(
        [
            [-0.5, 0.0],
            [0.5, 0.0],
            [0.52, 0.45],
            [0.46, 0.9],
            [0.3, 1.0],
            [-0.3, 1.0],
            [-0.46, 0.9],
            [-0.52, 0.45],
        ]
    )
    rings = np.empty((count, len(outline), 3))
    for k, x in enumerate(np.linspace(-0.5 * length, 0.5 * length, count).tolist()):
        grown = 1.0 + 0.07 * rng.standard_normal(len(outline)).clip(-1.5, 1.5)
        rings[k, :, 0] = x
        rings[k, :, 1] = outline[:, 0] * deep * grown
        rings[k, :, 2] = outline[:, 1] * high * np.where(outline[:, 1] > 0, grown, 1.0)
    rings[0, :, 1:] = rings[1, :, 1:] * [0.9, 1.0]
    return Model(label="hedge", parts=parts_of(leaves, loft(rings)), finish=leaves)


def shrub(rng: np.random.Generator) -> Model:
    """A round garden bush."""
    leaves, size = foliage(rng), float(rng.uniform(0.6, 1.3))
    stem = block((0.1, 0.1, 0.3 * size), (0, 0, 0))
    body = [
        lump(rng, (0.8 * size, 0.8 * size, 0.8 * size), (0.2 * size * np.cos(a), 0.2 * size * np.sin(a), 0.52 * size))
        for a in (0.3, 2.4, 4.5)
    ]  # fmt: skip
    return Model(label="bush", parts=parts_of(BARK, stem) + parts_of(leaves, *body), finish=leaves)


def planter(rng: np.random.Generator) -> Model:
    """A wooden or steel box with a shrub in it."""
    wide, high = float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.4, 0.6))
    box = WOOD if rng.random() < 0.5 else DARK_STEEL
    leaves = foliage(rng)
    soil = block((wide - 0.08, 0.42, 0.02), (0, 0, high - 0.06))
    walls = [block((wide, 0.04, high), (0, s * 0.23, 0)) for s in (-1, 1)]
    walls += [block((0.04, 0.42, high), (s * (0.5 * wide - 0.02), 0, 0)) for s in (-1, 1)]
    bush = [
        lump(rng, (0.45, 0.4, 0.5), (x, 0, high + 0.12), segments=10) for x in np.arange(-0.5 * wide + 0.25, 0.5 * wide - 0.2, 0.3).tolist()
    ]  # fmt: skip
    parts = parts_of(box, merged(walls)) + parts_of(SOIL, soil) + parts_of(leaves, *bush)
    return Model(label="planter", parts=parts, finish=box)


def fence(rng: np.random.Generator, length: float) -> Model:
    """A garden fence of upright slats along x."""
    high = float(rng.uniform(0.8, 1.2))
    paint = WOOD if rng.random() < 0.5 else DARK_STEEL
    xs = np.arange(-0.5 * length + 0.06, 0.5 * length - 0.05, 0.14)
    slats = [block((0.08, 0.02, high), (x, 0, 0)) for x in xs.tolist()]
    rails = [block((length, 0.04, 0.07), (0, 0.03, z * high)) for z in (0.25, 0.75)]
    return Model(label="fence", parts=parts_of(paint, merged(slats + rails)), finish=paint)
