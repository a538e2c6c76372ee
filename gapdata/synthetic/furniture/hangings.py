"""Things that hang on walls, their back at y = 0."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import (
    block,
    circle,
    cylinder,
    lathe,
    prism,
)
from gapdata.synthetic.textures import draw_clock_face, draw_painting

SHADE = Finish(rgb=(244, 234, 210), material="fabric", texture="fabric")
WHITE = Finish(rgb=(255, 255, 255), material="paper")
SOIL = Finish(rgb=(70, 50, 38), material="soil")


def framed(
    label: str, size: tuple[float, float], frame: Finish, inside: Part, border: float
) -> Model:
    """A frame of four bars around a flat panel, back at y = 0. The panel is given in place."""
    width, height = size
    thick = 0.025
    bars = [block((width, thick, border), (0, -thick / 2, z)) for z in (0.0, height - border)]
    bars += [
        block((border, thick, height - 2 * border), (s * (width - border) / 2, -thick / 2, border))
        for s in (-1, 1)
    ]
    return Model(
        label=label, parts=(*parts_of(frame, *bars), inside), finish=frame, shape="rectangular"
    )


def _panel(width: float, height: float, thick: float, z: float) -> Part:
    lying = block((width, height, thick)).tilted(0, np.pi / 2)
    return Part(solid=lying.moved((0, 0, z + height / 2)), finish=WHITE)


def picture(rng: np.random.Generator, palette: Palette) -> Model:
    """A framed picture."""
    width, height = rng.uniform(0.2, 1.3), rng.uniform(0.2, 0.95)
    frame = (
        palette.wood,
        palette.metal,
        Finish(rgb=(36, 36, 38), material="wood"),
        Finish(rgb=(242, 240, 236), material="wood"),
    )[int(rng.integers(4))]
    border = rng.uniform(0.02, 0.045)
    panel = _panel(width - 2 * border, height - 2 * border, 0.012, border)
    return framed(
        "picture",
        (width, height),
        frame,
        Part(solid=panel.solid, finish=WHITE, image=draw_painting(rng)),
        border,
    )


def mirror(rng: np.random.Generator, palette: Palette) -> Model:
    """A wall mirror: a pale blue-grey pane (nothing is reflected) in a frame."""
    width, height = rng.uniform(0.34, 1.0), rng.uniform(0.45, 1.25)
    pane = _panel(width - 0.06, height - 0.06, 0.012, 0.03)
    silver = Finish(rgb=(196, 208, 214), material="glass")
    return framed(
        "mirror", (width, height), palette.wood, Part(solid=pane.solid, finish=silver), 0.03
    )


def whiteboard(rng: np.random.Generator, palette: Palette) -> Model:
    """A whiteboard with a metal frame."""
    width, height = rng.uniform(0.8, 2.4), rng.uniform(0.6, 1.2)
    pane = _panel(width - 0.04, height - 0.04, 0.014, 0.02)
    return framed(
        "whiteboard",
        (width, height),
        Finish(rgb=(176, 178, 182), material="metal"),
        Part(solid=pane.solid, finish=Finish(rgb=(250, 250, 250), material="enamel")),
        0.02,
    )


def clock(rng: np.random.Generator, palette: Palette) -> Model:
    """A round wall clock, its back at y = 0."""
    r = rng.uniform(0.09, 0.24)
    rim = accent(rng, "plastic")
    case = lathe([(r, 0), (r, 0.025), (r - 0.015, 0.035), (r - 0.018, 0.02)], segments=32).tilted(
        0, np.pi / 2
    )
    dial = cylinder(r - 0.017, 0.006, (0, 0, 0.019), 32).tilted(0, np.pi / 2)
    parts = (
        Part(solid=case.moved((0, 0, r)), finish=rim),
        Part(solid=dial.moved((0, 0, r)), finish=WHITE, image=draw_clock_face()),
    )
    return Model(label="clock", parts=parts, finish=rim, shape="round")


def curtain(cloth: Finish, rail_finish: Finish, width: float, height: float) -> Model:
    """One pleated curtain on a rail that is fixed to the wall at y = 0."""
    folds = max(4, round(width / 0.07))
    pleat, depth = width / folds, 0.05
    parts: list[Part] = []
    rail = block((width, 0.03, 0.03), (0, -0.015, height - 0.04))
    parts += parts_of(rail_finish, rail)
    for k in range(folds):
        x = (k + 0.5) * pleat - width / 2
        shape = circle(1.0, 12) * np.array([pleat / 2 / np.cos(np.pi / 12), depth / 2])
        parts += parts_of(
            shaded(cloth, 1.0 if k % 2 else 0.94),
            prism(shape, 0.0, height).moved((x, -depth / 2 - 0.02, 0)),
        )
    return Model(label="curtain", parts=tuple(parts), finish=cloth)


def radiator(rng: np.random.Generator, palette: Palette) -> Model:
    """A ribbed panel heater to hang below a window, its back at y = 0."""
    enamel = Finish(rgb=(238, 238, 234), material="metal")
    width, height = rng.uniform(0.5, 1.6), rng.uniform(0.4, 0.68)
    ribs = int(width / 0.08)
    pitch = width / ribs
    parts = parts_of(
        enamel,
        block((width, 0.04, height), (0, -0.07, 0)),
        *(block((0.03, 0.05, 0.04), (s * 0.3 * width, -0.025, 0.7 * height)) for s in (-1, 1)),
    )
    parts += parts_of(
        enamel,
        *(
            block((0.6 * pitch, 0.02, height - 0.06), ((k + 0.5) * pitch - width / 2, -0.1, 0.03))
            for k in range(ribs)
        ),
    )
    return Model(label="radiator", parts=parts, finish=enamel)
