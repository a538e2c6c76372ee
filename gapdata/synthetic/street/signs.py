"""Traffic signs and traffic lights. Their faces look towards -y."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from gapdata.synthetic.materials import Finish, Rgb
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import (
    Solid,
    bar,
    block,
    circle,
    cylinder,
    prism,
    rectangle,
    soft_block,
)
from gapdata.synthetic.street.paints import BLACK, DARK_STEEL, ZINC
from gapdata.synthetic.street.solids import merged, wheel

Array = np.ndarray
Image = UInt8[Array, "_ _ 3"]

RED, WHITE, BLUE, DARK = (190, 28, 32), (246, 246, 244), (24, 84, 164), (28, 28, 30)
TEXELS = 128  # a side of a sign's picture
SIGN_LOW = 2.1  # metres from the ground to a sign's lower edge, so that people pass below
LIT: dict[str, tuple[Rgb, ...]] = {
    "red": ((250, 40, 36), (60, 44, 16), (18, 52, 34)), "green": ((66, 18, 18), (60, 44, 16), (40, 236, 130)),
    "amber": ((66, 18, 18), (255, 178, 40), (18, 52, 34)),
}  # fmt: skip


def lettered(text: str, ground: Rgb, ink: Rgb, size: tuple[int, int]) -> Image:
    """A (width, height) picture of text in the middle of a plain ground."""
    image = np.full((size[1], size[0], 3), ground, np.uint8)
    scale = 0.032 * size[1]
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    scale *= min(1.0, 0.72 * size[0] / max(1, wide))
    thick = max(2, round(0.07 * size[1]))
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    spot = ((size[0] - wide) // 2, (size[1] + tall) // 2)
    cv2.putText(image, text, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thick, cv2.LINE_AA)
    return image


def sign(rng: np.random.Generator, kind: str) -> Model:
    """A sign of a kind of `SIGNS` on a pole."""
    outline, image, colour = _face(rng, kind)
    low = SIGN_LOW - outline[:, 1].min()
    plate = prism(outline, 0.0, 0.012).tilted(0, 0.5 * np.pi).moved((0, -0.045, low))
    back = prism(0.985 * outline, 0.0, 0.01).tilted(0, 0.5 * np.pi).moved((0, -0.034, low))
    top = low + float(outline[:, 1].max())
    pole = cylinder(0.032, top - 0.04, segments=12)
    clamps = block((0.09, 0.05, 0.04), (0, -0.012, low - 0.1))
    parts = (Part(solid=plate, finish=Finish(rgb=(255, 255, 255), material="metal"), image=image),
             *parts_of(ZINC, back, pole, clamps))  # fmt: skip
    return Model(label=f"{kind} sign", parts=parts, finish=Finish(rgb=colour, material="metal"))


SIGNS = ("stop", "yield", "speed limit", "no entry", "parking", "crosswalk", "one way")


def _face(rng: np.random.Generator, kind: str) -> tuple[Float[Array, "k 2"], Image, Rgb]:
    """(outline, picture over its bounds, colour that names it)."""
    image = np.full((TEXELS, TEXELS, 3), WHITE, np.uint8)
    middle = TEXELS // 2
    if kind == "stop":
        image = lettered("STOP", RED, WHITE, (TEXELS, TEXELS))
        return circle(0.4, 8), image, RED
    if kind == "yield":
        outline = np.array([[-0.45, 0.26], [0.0, -0.52], [0.45, 0.26]])
        corners = np.array([[0, 0], [TEXELS, 0], [middle, TEXELS]], np.float64)
        inner = (corners - corners.mean(axis=0)) * 0.6 + corners.mean(axis=0)
        image[:] = RED
        cv2.fillPoly(image, [inner.astype(np.int32)], WHITE, cv2.LINE_AA)
        return outline, image, RED
    if kind == "speed limit":
        image = lettered(str(int(rng.choice([30, 40, 50]))), WHITE, DARK, (TEXELS, TEXELS))
        cv2.circle(image, (middle, middle), 56, RED, 15, cv2.LINE_AA)
        return circle(0.3, 24), image, WHITE
    if kind == "no entry":
        image[:] = RED
        cv2.rectangle(image, (22, 52), (TEXELS - 22, 76), WHITE, -1)
        return circle(0.3, 24), image, RED
    if kind == "parking":
        return rectangle(0.6, 0.6), lettered("P", BLUE, WHITE, (TEXELS, TEXELS)), BLUE
    if kind == "one way":
        image[:] = BLUE
        cv2.arrowedLine(image, (24, middle), (104, middle), WHITE, 14, cv2.LINE_AA, 0, 0.45)
        return rectangle(0.8, 0.3), image, BLUE
    image[:] = BLUE
    triangle = np.array([[middle, 14], [114, 112], [14, 112]], np.int32)
    cv2.fillPoly(image, [triangle], WHITE, cv2.LINE_AA)
    cv2.circle(image, (middle, 46), 8, DARK, -1, cv2.LINE_AA)
    for start, end in (
        ((64, 54), (64, 78)),
        ((64, 78), (50, 102)),
        ((64, 78), (80, 102)),
        ((50, 66), (78, 64)),
    ):
        cv2.line(image, start, end, DARK, 7, cv2.LINE_AA)
    return rectangle(0.6, 0.6), image, BLUE


def traffic_light(rng: np.random.Generator, state: str, reach: float = 0.0) -> Model:
    """A signal on a pole, and with `reach` > 0 a second one over the road, that many metres to the driver's left."""
    pole = [cylinder(0.06, 3.3, segments=12), cylinder(0.11, 0.25, segments=12)]
    heads = [_head((0.0, -0.16, 2.35), state)]
    if reach > 0.0:
        pole = [
            cylinder(0.09, 5.9, segments=12),
            cylinder(0.14, 0.4, segments=12),
            bar((0, 0, 5.8), (-reach, 0, 5.9), 0.06),
        ]
        heads.append(_head((-reach, -0.16, 5.0), state))
    shells, lamps = [shell for shell, _ in heads], [lamp for _, lamp in heads]
    parts = [*parts_of(DARK_STEEL, *pole), *parts_of(BLACK, merged(shells))]
    for number, color in enumerate(LIT[state]):
        lit = Finish(rgb=color, material="glass")
        parts += parts_of(lit, merged([lamp[number] for lamp in lamps]))
    return Model(label="traffic light", parts=tuple(parts), finish=BLACK)


def _head(at: tuple[float, float, float], state: str) -> tuple[Solid, list[Solid]]:
    """(housing with visors, lamps from red to green) whose lowest point is at `at`."""
    x, y, z = at
    shell = [
        soft_block((0.3, 0.2, 0.95), 0.03, at),
        block((0.06, 0.1, 0.06), (x, y + 0.13, z + 0.4)),
    ]
    lamps = []
    for number in range(3):
        height = z + 0.79 - 0.29 * number
        lamps.append(
            wheel(0.105, 0.02, (0, 0, 0), 16).turned(0.5 * np.pi).moved((x, y - 0.1, height))
        )
        shell.append(block((0.26, 0.14, 0.015), (x, y - 0.16, height + 0.115)))
    return merged(shell), lamps
