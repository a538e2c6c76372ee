"""Screens and what stands beside them."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Vector, block, cylinder, pillow, soft_block
from gapdata.synthetic.street.solids import boxes
from gapdata.synthetic.textures import draw_desktop

CASE = Finish(rgb=(38, 39, 42), material="plastic")
GLASS = Finish(rgb=(24, 25, 29), material="glass")
SILVER = Finish(rgb=(188, 190, 194), material="metal")
LIT = Finish(rgb=(255, 255, 255), material="glass")


def tv(rng: np.random.Generator, palette: Palette) -> Model:
    """A flat television on two feet."""
    width = rng.uniform(0.65, 1.5)
    height, foot = 0.57 * width, 0.07
    parts = [*parts_of(CASE, block((width, 0.045, height), (0, 0.01, foot)))]
    parts += parts_of(
        GLASS, block((width - 0.03, 0.006, height - 0.03), (0, -0.0155, foot + 0.017))
    )
    parts += parts_of(CASE, *(block((0.03, 0.2, 0.012), (s * 0.32 * width, 0, 0)) for s in (-1, 1)))
    parts += parts_of(
        CASE, *(block((0.03, 0.03, foot - 0.012), (s * 0.32 * width, 0.01, 0.012)) for s in (-1, 1))
    )
    return Model(label="tv", parts=tuple(parts), finish=CASE, shape="flat")


def monitor(rng: np.random.Generator, palette: Palette) -> Model:
    """A computer screen on a stand, showing a desktop."""
    width = rng.uniform(0.42, 0.82)
    height, stand = 0.58 * width, rng.uniform(0.08, 0.2)
    case = CASE if rng.random() < 0.7 else SILVER
    parts = [
        *parts_of(
            case,
            soft_block((0.24, 0.18, 0.012), 0.03, (0, 0.04, 0)),
            block((0.05, 0.025, stand + 0.1), (0, 0.075, 0.012)),
        )
    ]
    parts += parts_of(case, block((width, 0.045, height), (0, 0.04, stand)))
    parts.append(_screen(rng, width - 0.024, height - 0.024, (0, 0.0175, stand + 0.012)))
    return Model(label="monitor", parts=tuple(parts), finish=case, shape="flat")


def _screen(rng: np.random.Generator, width: float, height: float, at: Vector) -> Part:
    lying = block((width, height, 0.003)).tilted(0, np.pi / 2)
    x, y, z = at
    return Part(solid=lying.moved((x, y, z + height / 2)), finish=LIT, image=draw_desktop(rng))


def laptop(rng: np.random.Generator, palette: Palette) -> Model:
    """An open laptop, its screen leaning back."""
    width, depth, thick = rng.uniform(0.27, 0.4), rng.uniform(0.19, 0.28), 0.016
    case = SILVER if rng.random() < 0.6 else CASE
    lean = np.deg2rad(rng.uniform(12.0, 22.0))
    parts = [*parts_of(case, block((width, depth, thick)))]
    parts += parts_of(
        Finish(rgb=(46, 47, 50), material="plastic"),
        block((width - 0.05, 0.42 * depth, 0.002), (0, 0.1 * depth, thick)),
    )
    parts += parts_of(
        Finish(rgb=(120, 122, 126), material="plastic"),
        block((0.1, 0.22 * depth, 0.001), (0, -0.31 * depth, thick)),
    )
    hinge = (0, depth / 2 - 0.006, thick - 0.002)
    lid = block((width, depth, 0.008), (0, depth / 2, 0)).tilted(0, np.pi / 2 - lean)
    picture = block((width - 0.02, depth - 0.025, 0.002), (0, depth / 2, 0.008)).tilted(
        0, np.pi / 2 - lean
    )
    parts += parts_of(case, lid.moved(hinge))
    parts.append(Part(solid=picture.moved(hinge), finish=LIT, image=draw_desktop(rng)))
    return Model(label="laptop", parts=tuple(parts), finish=case)


def keyboard(rng: np.random.Generator, palette: Palette) -> Model:
    """A keyboard with rows of keys."""
    width, depth = rng.uniform(0.28, 0.48), 0.14
    case = CASE if rng.random() < 0.6 else Finish(rgb=(226, 226, 224), material="plastic")
    keys = (
        Finish(rgb=(84, 86, 90), material="plastic")
        if case is CASE
        else Finish(rgb=(250, 250, 248), material="plastic")
    )
    columns = round((width - 0.02) / 0.021)
    pitch = (width - 0.02) / columns
    spots = [
        (pitch * (k - 0.5 * (columns - 1)), 0.048 - 0.024 * row)
        for row in range(5)
        for k in range(columns)
        if not (row == 4 and 0.25 * columns < k < 0.65 * columns)
    ]
    at = np.column_stack([np.array(spots), np.full(len(spots), 0.016)])
    caps = boxes(np.broadcast_to([pitch - 0.003, 0.02, 0.005], at.shape), at)
    space_bar = block((0.38 * (width - 0.02), 0.02, 0.005), (-0.055 * width, -0.048, 0.016))
    return Model(
        label="keyboard",
        parts=parts_of(case, block((width, depth, 0.016))) + parts_of(keys, caps, space_bar),
        finish=case,
        shape="flat",
    )


def mouse(rng: np.random.Generator, palette: Palette) -> Model:
    """A computer mouse."""
    case = CASE if rng.random() < 0.6 else SILVER
    return Model(label="mouse", parts=parts_of(case, pillow((0.06, 0.105, 0.034))), finish=case)


def printer(rng: np.random.Generator, palette: Palette) -> Model:
    """A desktop printer with a paper tray."""
    case = CASE if rng.random() < 0.4 else Finish(rgb=(228, 228, 226), material="plastic")
    width, depth, height = rng.uniform(0.34, 0.54), rng.uniform(0.26, 0.42), rng.uniform(0.14, 0.34)
    parts = [*parts_of(case, soft_block((width, depth, height), 0.03))]
    parts += parts_of(
        GLASS, block((0.7 * width, 0.012, 0.05), (0, -depth / 2 - 0.004, 0.3 * height))
    )
    parts += parts_of(
        Finish(rgb=(248, 248, 246), material="paper"),
        block((0.22, 0.1, 0.003), (0, -depth / 2 - 0.05, 0.28 * height)),
    )
    parts += parts_of(GLASS, block((0.8 * width, 0.6 * depth, 0.003), (0, 0.02, height)))
    return Model(label="printer", parts=tuple(parts), finish=case, shape="box")


def computer_tower(rng: np.random.Generator, palette: Palette) -> Model:
    """A desktop computer's case."""
    width, depth, height = rng.uniform(0.15, 0.24), rng.uniform(0.32, 0.52), rng.uniform(0.3, 0.54)
    parts = [*parts_of(CASE, block((width, depth, height)))]
    parts += parts_of(
        SILVER, block((width - 0.04, 0.008, 0.02), (0, -depth / 2 - 0.004, 0.8 * height))
    )
    button = cylinder(0.014, 0.008, segments=12).tilted(0, np.pi / 2)
    parts += parts_of(SILVER, button.moved((0, -depth / 2, 0.65 * height)))
    return Model(label="computer tower", parts=tuple(parts), finish=CASE, shape="box")
