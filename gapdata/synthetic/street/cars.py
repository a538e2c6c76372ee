"""Cars and vans: x is the width, the windscreen looks towards -y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gapdata.synthetic.materials import Finish, shaded
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, Vector, bar, block, loft, soft_block
from gapdata.synthetic.street.paints import (
    BLACK,
    CAR_PAINTS,
    CHROME,
    DARK_STEEL,
    GLASS,
    LAMP_AMBER,
    LAMP_RED,
    LAMP_WHITE,
    RUBBER,
    WHITE,
    painted,
)  # fmt: skip
from gapdata.synthetic.street.solids import cabin, hull, merged, wheel

PLATE = (0.5, 0.012, 0.11)


@dataclass(frozen=True, kw_only=True, slots=True)
class CarBody:
    """Measures of a car in metres; y runs from the nose at -length / 2 to the tail."""

    length: float
    width: float
    height: float
    wheel: float  # radius
    belt: float  # height of the lower edge of the windows
    cowl: float  # y of the windscreen's foot
    roof_start: float
    roof_end: float
    tail: float  # y of the rear window's foot

    @property
    def axles(self) -> tuple[float, float]:
        """Y of the two axles."""
        half = 0.5 * self.length
        return -half + 0.19 * self.length, half - 0.185 * self.length


def car(rng: np.random.Generator) -> Model:
    """A car: hatchback, saloon, estate or sport utility."""
    kind = ("hatchback", "saloon", "estate", "utility")[int(rng.integers(4))]
    body, paint = _car_body(rng, kind), painted(rng, CAR_PAINTS)
    parts = [*_lower_body(body, paint), *_upper_body(body, paint), *_wheels(body)]
    parts += _car_face(body, paint)
    return Model(label="car", parts=tuple(parts), finish=paint, shape=kind)


def _car_body(rng: np.random.Generator, kind: str) -> CarBody:
    low, high, tall = {
        "hatchback": (3.7, 4.3, 1.48), "saloon": (4.4, 4.9, 1.45), "estate": (4.4, 4.85, 1.48),
        "utility": (4.2, 4.7, 1.66),
    }[kind]  # fmt: skip
    length, height = float(rng.uniform(low, high)), tall + float(rng.uniform(-0.03, 0.05))
    half, belt = 0.5 * length, 0.635 * height
    tail = {"hatchback": 0.1, "saloon": 0.85, "estate": 0.08, "utility": 0.1}[kind]
    rear = {"hatchback": 0.5, "saloon": 0.62, "estate": 0.4, "utility": 0.35}[kind]
    cowl = -half + 0.265 * length
    return CarBody(
        length=length, width=float(rng.uniform(1.72, 1.86)) + (0.06 if kind == "utility" else 0.0),
        height=height, wheel=0.36 if kind == "utility" else 0.315, belt=belt, cowl=cowl,
        roof_start=cowl + 0.78, roof_end=half - tail - rear, tail=half - tail,
    )  # fmt: skip


def _lower_body(body: CarBody, paint: Finish) -> list[Part]:
    half, wide, belt, sill = 0.5 * body.length, body.width, body.belt, 0.55 * body.wheel
    stations = [
        (-half, 0.8 * wide, sill + 0.12, 0.66 * belt), (-half + 0.1, 0.92 * wide, sill + 0.03, 0.78 * belt),
        (-half + 0.4, 0.985 * wide, sill, 0.86 * belt), (body.cowl, wide, sill, 0.985 * belt),
        (0.0, wide, sill, belt), (half - 0.6, wide, sill, belt + 0.02),
        (half - 0.12, 0.95 * wide, sill + 0.05, belt - 0.02), (half, 0.86 * wide, sill + 0.14, belt - 0.12),
    ]  # fmt: skip
    parts = list(parts_of(paint, hull(stations, 0.11)))
    skirt = block((wide - 0.1, body.length - 0.5, 0.12), (0.0, 0.0, sill - 0.05))
    seams, handles = [], []
    doors = (body.cowl + 0.18, 0.5 * (body.cowl + body.axles[1]) + 0.1, body.axles[1] - 0.35)
    for x in (-0.5 * wide, 0.5 * wide):
        seams += [block((0.006, 0.012, 0.6 * belt), (x, y, sill + 0.12)) for y in doors]
        handles += [block((0.03, 0.16, 0.025), (x, y - 0.14, 0.83 * belt)) for y in doors[1:]]
    return [*parts, *parts_of(BLACK, skirt, *seams), *parts_of(shaded(paint, 0.8), *handles)]


def _upper_body(body: CarBody, paint: Finish) -> list[Part]:
    wide, base, top = body.width, body.belt - 0.05, body.height - 0.045
    low = (0.9 * wide, body.cowl, body.tail)
    high = (0.72 * wide, body.roof_start, body.roof_end)
    glass = cabin(low, high, (base, top), 0.1)
    edge = (0.735 * wide, body.roof_start - 0.02, body.roof_end + 0.02)
    crown = (0.62 * wide, body.roof_start + 0.14, body.roof_end - 0.14)
    roof = cabin(edge, crown, (top - 0.015, body.height), 0.12)
    pillars: list[Solid] = []
    for side in (-0.5, 0.5):
        at_belt, at_roof = side * (0.9 * wide - 0.05), side * (0.72 * wide - 0.05)
        ends = (
            (body.cowl + 0.05, body.roof_start + 0.03),
            (body.cowl + 1.0, body.cowl + 1.02),
            (body.tail - 0.06, body.roof_end - 0.04),
        )
        for y_low, y_high in ends:
            shift = 0.0 if y_low != body.cowl + 1.0 else side * 0.07
            pillars.append(
                bar((at_belt + shift, y_low, base + 0.01), (at_roof + shift, y_high, top), 0.035, 8)
            )
        mirror = soft_block(
            (0.2, 0.1, 0.13), 0.03, (side * (wide + 0.16), body.cowl + 0.32, body.belt)
        )
        pillars.append(mirror)
    return [*parts_of(GLASS, glass), *parts_of(paint, roof, merged(pillars))]


def _wheels(body: CarBody) -> list[Part]:
    y_front, y_rear = body.axles
    return wheels(body.width, body.wheel, (y_front, y_rear), 0.2)


def wheels(width: float, radius: float, axles: tuple[float, ...], tyre: float) -> list[Part]:
    """A pair of wheels for each y of `axles`, in dark arches flush with the body's sides."""
    tyres, rims, arches = [], [], []
    for y in axles:
        for side in (-1, 1):
            x = side * (0.5 * width - 0.5 * tyre + 0.012)
            tyres.append(wheel(radius, tyre, (x, y, radius * np.cos(np.pi / 24))))
            rims.append(wheel(0.64 * radius, 0.03, (x + side * 0.5 * tyre, y, radius), 16))
            arches.append(arch(1.16 * radius, (side * (0.5 * width - 0.045), y, 1.03 * radius)))
    return [
        *parts_of(RUBBER, merged(tyres)), *parts_of(CHROME, merged(rims)), *parts_of(BLACK, merged(arches)),
    ]  # fmt: skip


def arch(radius: float, at: Vector) -> Solid:
    """The dark upper part of a wheel's housing, 10 cm wide: a disc about x that ends a little below its centre."""
    turn = np.linspace(-0.35, np.pi + 0.35, 15)
    rim = radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    rings = np.zeros((2, len(rim), 3))
    rings[:, :, 0] = np.array([[-0.05], [0.05]])
    rings[:, :, 1:] = rim
    return loft(rings).moved(at)


def _car_face(body: CarBody, paint: Finish) -> list[Part]:
    half, wide, belt = 0.5 * body.length, body.width, body.belt
    bright, red, dark, plates = [], [], [], []
    for side in (-1, 1):
        x = side * 0.33 * wide
        lamp = hull([(-0.09, 0.3, -0.05, 0.05), (0.1, 0.36, -0.07, 0.07)], 0.04)
        bright.append(lamp.moved((x, -half + 0.08, 0.6 * belt)))
        red.append(hull([(-0.1, 0.3, -0.08, 0.08), (0.09, 0.26, -0.07, 0.07)], 0.03).moved(
            (x, half - 0.08, 0.74 * belt)
        ))  # fmt: skip
    dark.append(block((0.42 * wide, 0.06, 0.12), (0, -half + 0.015, 0.5 * belt)))
    dark.append(block((0.66 * wide, 0.06, 0.1), (0, -half + 0.02, 0.3 * belt)))
    dark.append(block((0.7 * wide, 0.06, 0.1), (0, half - 0.02, 0.34 * belt)))
    plates.append(block(PLATE, (0, -half - 0.018, 0.36 * belt)))
    plates.append(block(PLATE, (0, half + 0.006, 0.52 * belt)))
    return [
        *parts_of(LAMP_WHITE, merged(bright)), *parts_of(LAMP_RED, merged(red)),
        *parts_of(BLACK, merged(dark)), *parts_of(WHITE, merged(plates)),
    ]  # fmt: skip


def van(rng: np.random.Generator) -> Model:
    """A delivery van with a short sloping nose and a high boxy back."""
    length, wide, tall = (
        float(rng.uniform(*span)) for span in ((4.8, 6.0), (1.92, 2.04), (1.95, 2.6))
    )
    paint = painted(rng, ((240, 240, 238), *CAR_PAINTS[:6], (228, 190, 50)))
    half, radius, sill = 0.5 * length, 0.345, 0.24
    nose = [
        (-half, 0.86 * wide, sill + 0.08, 0.86), (-half + 0.1, 0.95 * wide, sill, 0.98),
        (-half + 0.75, wide, sill, 1.16), (-half + 0.9, wide, sill, 1.2),
    ]  # fmt: skip
    front, foot, brow = -half + 0.9, -half + 0.72, -half + 1.42
    back = cabin((wide, front, half), (0.94 * wide, brow, half - 0.05), (sill, tall), 0.08)
    belt = 1.12
    screen = cabin(
        (0.88 * wide, foot, front + 0.9), (0.82 * wide, brow - 0.08, front + 1.0), (belt, min(tall - 0.2, 1.85)), 0.06
    )  # fmt: skip
    upper = min(tall - 0.22, 1.82)
    sides = [
        block(
            (0.012, 0.72, upper - belt - 0.06),
            (s * (0.5 * wide - 0.018), front + 0.62, belt + 0.04),
        )
        for s in (-1, 1)
    ]
    doors = [block((0.6, 0.02, 0.45), (s * 0.36, half - 0.03, 1.25)) for s in (-1, 1)]
    seams = [
        block((0.01, 0.014, 0.6 * tall), (s * (0.5 * wide - 0.012), y, sill + 0.12))
        for s in (-1, 1)
        for y in (front + 0.2, front + 1.1, front + 2.2)
    ] + [block((0.014, 0.02, 0.75 * tall), (0, half - 0.012, sill + 0.15))]
    grille = [block((0.5 * wide, 0.06, 0.14), (0, -half + 0.01, 0.62))]
    bumper = block((0.96 * wide, 0.1, 0.18), (0, -half + 0.03, sill + 0.02))
    mirrors = [
        soft_block((0.2, 0.12, 0.3), 0.03, (s * (0.5 * wide + 0.11), front + 0.25, belt + 0.02)) for s in (-1, 1)
    ]  # fmt: skip
    lamps = [block((0.26, 0.08, 0.2), (s * 0.36 * wide, -half + 0.03, 0.72)) for s in (-1, 1)]
    tails = [
        block((0.12, 0.03, 0.36), (s * (0.5 * wide - 0.1), half - 0.01, 0.85)) for s in (-1, 1)
    ]
    plates = [block(PLATE, (0, -half - 0.03, 0.42)), block(PLATE, (0, half + 0.004, 0.6))]
    parts = [
        *parts_of(paint, hull(nose, 0.1), back), *parts_of(GLASS, screen, merged(sides + doors)),
        *parts_of(BLACK, merged(grille + seams + [bumper] + mirrors)), *parts_of(LAMP_WHITE, merged(lamps)),
        *parts_of(LAMP_RED, merged(tails)), *parts_of(WHITE, merged(plates)),
        *wheels(wide, radius, (-half + 0.95, half - 1.0), 0.22),
    ]  # fmt: skip
    return Model(label="van", parts=tuple(parts), finish=paint, shape="box")


def truck(rng: np.random.Generator) -> Model:
    """A rigid lorry: a tall cab and a cargo box."""
    length, wide, tall = (
        float(rng.uniform(*span)) for span in ((6.8, 9.4), (2.4, 2.5), (3.1, 3.8))
    )
    paint = painted(
        rng, ((240, 240, 238), (40, 80, 150), (170, 36, 34), (50, 110, 74), (224, 150, 40))
    )
    cargo = painted(rng, ((236, 236, 232), (214, 216, 218), (232, 200, 90), (60, 96, 150)))
    half, deck, radius = 0.5 * length, 1.05, 0.48
    cab_end = -half + 1.9
    lower = cabin((wide, -half, cab_end), (wide, -half + 0.03, cab_end), (0.42, 1.75), 0.12)
    upper = cabin(
        (wide, -half + 0.03, cab_end), (0.92 * wide, -half + 0.35, cab_end), (1.75, 2.75), 0.12
    )
    screen = block((wide - 0.34, 0.05, 0.7))
    screen = screen.tilted(0, -np.arctan2(0.32, 1.0)).moved((0, -half + 0.06, 1.83))
    windows = [
        block((0.03, 0.85, 0.62), (s * (0.5 * wide - 0.045), -half + 0.85, 1.78)) for s in (-1, 1)
    ]
    grille = [
        block((1.5, 0.06, 0.55), (0, -half + 0.005, 0.86)),
        block((wide, 0.16, 0.26), (0, -half + 0.06, 0.4)),
    ]
    chassis = [
        block((0.9, length - 1.4, 0.3), (0, 0.5, 0.72)),
        block((wide - 0.1, 0.1, 0.12), (0, half - 0.06, 0.5)),
    ]
    guard = [
        block((0.04, length - 4.6, 0.35), (s * (0.5 * wide - 0.06), 0.3, 0.55)) for s in (-1, 1)
    ]
    hold = block(
        (wide, half - cab_end - 0.18, tall - deck), (0, 0.5 * (cab_end + 0.18 + half), deck)
    )
    frame = [
        block((0.08, 0.04, tall - deck - 0.04), (s * (0.5 * wide - 0.03), half - 0.01, deck + 0.02)) for s in (-1, 0, 1)
    ]  # fmt: skip
    mirrors = [
        soft_block((0.16, 0.12, 0.5), 0.04, (s * (0.5 * wide + 0.14), -half + 0.2, 1.8))
        for s in (-1, 1)
    ]
    lamps = [block((0.36, 0.06, 0.18), (s * 0.38 * wide, -half + 0.0, 0.62)) for s in (-1, 1)]
    tails = [
        block((0.36, 0.04, 0.14), (s * (0.5 * wide - 0.3), half - 0.005, 0.52)) for s in (-1, 1)
    ]
    plates = [block(PLATE, (0, -half - 0.03, 0.48)), block(PLATE, (0, half + 0.0, 0.66))]
    parts = [
        *parts_of(paint, lower, upper), *parts_of(GLASS, screen, *windows), *parts_of(cargo, hold),
        *parts_of(DARK_STEEL, merged(chassis + guard + frame)), *parts_of(BLACK, merged(grille + mirrors)),
        *parts_of(LAMP_WHITE, merged(lamps)), *parts_of(LAMP_RED, merged(tails)), *parts_of(WHITE, merged(plates)),
        *wheels(wide, radius, (-half + 1.25, half - 1.9), 0.34),
    ]  # fmt: skip
    return Model(label="truck", parts=tuple(parts), finish=cargo, shape="box")


def bus_lamps(wide: float, half: float) -> list[Part]:
    """Head, tail and turn lamps of a bus."""
    bright = [block((0.3, 0.04, 0.16), (s * 0.4 * wide, -half + 0.0, 0.7)) for s in (-1, 1)]
    red = [block((0.14, 0.04, 0.4), (s * 0.45 * wide, half - 0.0, 0.85)) for s in (-1, 1)]
    amber = [block((0.14, 0.04, 0.12), (s * 0.45 * wide, half - 0.0, 1.3)) for s in (-1, 1)]
    return [
        *parts_of(LAMP_WHITE, merged(bright)), *parts_of(LAMP_RED, merged(red)), *parts_of(LAMP_AMBER, merged(amber)),
    ]  # fmt: skip
