"""Things on pavements: lamps, bins, benches, bollards, hydrants, boxes, shelters. Fronts look towards -y."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, accent, pick
from gapdata.synthetic.models import Model, Part, parts_of, tabletop
from gapdata.synthetic.shapes import (
    ball,
    bar,
    block,
    circle,
    cylinder,
    lathe,
    prism,
    soft_block,
    tapered,
    tube,
)
from gapdata.synthetic.street.paints import (
    BLACK,
    DARK_STEEL,
    GLASS,
    LAMP_WHITE,
    STEEL,
    WHITE,
    WOOD,
    ZINC,
    painted,
)
from gapdata.synthetic.street.solids import boxes, merged, wheel
from gapdata.synthetic.textures import draw_painting

Array = np.ndarray


def street_lamp(rng: np.random.Generator) -> Model:
    """A lamp post; its arm reaches over the road, towards -y."""
    high, reach = float(rng.uniform(5.5, 8.5)), float(rng.uniform(0.9, 1.8))
    post = DARK_STEEL if rng.random() < 0.5 else ZINC
    shaft = lathe(
        [(0.11, 0.0), (0.11, 0.6), (0.08, 0.62), (0.05, high - 0.4), (0.045, high - 0.35)],
        segments=12,
    )
    t = np.linspace(0.0, 0.5 * np.pi, 7)
    path = np.stack([np.zeros(7), -reach * (1 - np.cos(t)), high - 0.4 + 0.4 * np.sin(t)], axis=-1)
    head = soft_block((0.26, 0.6, 0.1), 0.04, (0, -reach - 0.25, high - 0.06))
    glow = soft_block((0.2, 0.45, 0.03), 0.01, (0, -reach - 0.25, high - 0.08))
    parts = parts_of(post, shaft, merged([tube(path, 0.04, 8), head])) + parts_of(LAMP_WHITE, glow)
    return Model(label="street lamp", parts=parts, finish=post)


def old_lamp(rng: np.random.Generator) -> Model:
    """A cast-iron lamp post with a lantern on top."""
    high = float(rng.uniform(3.4, 4.4))
    shaft = lathe(
        [(0.16, 0), (0.16, 0.3), (0.1, 0.36), (0.07, 0.9), (0.05, high - 0.7), (0.09, high - 0.66)],
        segments=12,
    )
    lantern = tapered((0.18, 0.18), (0.32, 0.32), 0.42, (0, 0, high - 0.62))
    cap = tapered((0.38, 0.38), (0.1, 0.1), 0.18, (0, 0, high - 0.2))
    parts = parts_of(BLACK, shaft, cap) + parts_of(LAMP_WHITE, lantern)
    return Model(label="street lamp", parts=parts, finish=BLACK)


def trash_can(rng: np.random.Generator) -> Model:
    """A litter bin, round or square."""
    paint = painted(rng, ((52, 84, 60), (60, 64, 68), (130, 134, 136), (190, 96, 40)))
    high = float(rng.uniform(0.8, 1.05))
    if rng.random() < 0.5:
        body = [
            cylinder(0.23, high - 0.12, segments=20),
            lathe([(0.26, 0), (0.25, 0.05), (0.08, 0.12)], (0, 0, high - 0.12), 20),
        ]
        slot = block((0.26, 0.06, 0.1), (0, -0.2, high - 0.27))
    else:
        body = [
            soft_block((0.44, 0.4, high - 0.05), 0.03),
            soft_block((0.48, 0.44, 0.05), 0.02, (0, 0, high - 0.05)),
        ]
        slot = block((0.3, 0.05, 0.12), (0, -0.19, high - 0.26))
    return Model(
        label="trash can", parts=parts_of(paint, *body) + parts_of(BLACK, slot), finish=paint
    )


def wheelie_bin(rng: np.random.Generator) -> Model:
    """A wheeled household bin."""
    paint = painted(rng, ((44, 92, 58), (40, 70, 130), (48, 48, 52), (120, 78, 50)), "plastic")
    body = tapered((0.42, 0.48), (0.52, 0.6), 0.9, (0, 0, 0.05))
    lid = soft_block((0.56, 0.66, 0.07), 0.02, (0, 0.0, 0.95))
    foot = block((0.4, 0.12, 0.05), (0, -0.16, 0.0))
    axle = [wheel(0.1, 0.05, (s * 0.23, 0.22, 0.1 * np.cos(np.pi / 24))) for s in (-1, 1)]
    handle = bar((-0.2, 0.36, 0.92), (0.2, 0.36, 0.92), 0.015, 6)
    parts = parts_of(paint, body, lid, foot) + parts_of(BLACK, merged(axle), handle)
    return Model(label="trash can", parts=parts, finish=paint)


def dumpster(rng: np.random.Generator) -> Model:
    """A large steel waste container on castors."""
    paint = painted(rng, ((46, 92, 66), (44, 80, 130), (110, 112, 112)))
    wide = float(rng.uniform(1.2, 1.8))
    body = tapered((wide - 0.16, 0.85), (wide, 1.0), 0.85, (0, 0, 0.16))
    lid = soft_block((wide + 0.04, 1.06, 0.16), 0.06, (0, 0, 1.01))
    castors = [
        wheel(0.08, 0.05, (sx * (0.5 * wide - 0.24), sy * 0.32, 0.08 * np.cos(np.pi / 24)))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return Model(
        label="dumpster",
        parts=parts_of(paint, body, lid) + parts_of(BLACK, merged(castors)),
        finish=paint,
    )


def bench(rng: np.random.Generator) -> Model:
    """A park bench with slats and a leaning back."""
    wide = float(rng.uniform(1.4, 2.0))
    slats = [block((wide, 0.1, 0.035), (0, y, 0.42)) for y in (-0.22, -0.1, 0.02, 0.14)]
    slats += [block((wide, 0.03, 0.1), (0, 0.22 + 0.05 * k, 0.52 + 0.14 * k)) for k in range(3)]
    frames = []
    for side in (-1, 1):
        x = side * (0.5 * wide - 0.15)
        frames += [block((0.05, 0.05, 0.42), (x, -0.2, 0)), block((0.05, 0.05, 0.42), (x, 0.16, 0))]
        frames += [
            block((0.05, 0.44, 0.04), (x, -0.01, 0.385)),
            bar((x, 0.2, 0.4), (x, 0.36, 0.92), 0.025, 6),
        ]
    parts = parts_of(WOOD, merged(slats)) + parts_of(DARK_STEEL, merged(frames))
    seat = tabletop(wide - 0.1, 0.4, 0.455, y=-0.03)
    return Model(label="bench", parts=parts, finish=WOOD, surfaces=(seat,))


def bollard(rng: np.random.Generator) -> Model:
    """A short post."""
    high = float(rng.uniform(0.75, 1.0))
    paint = Finish(rgb=pick(rng, ((58, 62, 66), (150, 152, 150), (186, 60, 48))), material="metal")
    shaft = lathe([(0.07, 0), (0.07, high - 0.06), (0.05, high)], segments=14)
    band = lathe([(0.072, 0), (0.072, 0.08)], (0, 0, high - 0.22), 14)
    return Model(
        label="bollard",
        parts=parts_of(paint, shaft) + parts_of(WHITE, band),
        finish=paint,
        shape="cylinder",
    )


def hydrant(rng: np.random.Generator) -> Model:
    """A fire hydrant."""
    paint = Finish(rgb=pick(rng, ((184, 36, 32), (222, 182, 50))), material="metal")
    body = lathe(
        [
            (0.17, 0),
            (0.17, 0.05),
            (0.11, 0.06),
            (0.11, 0.5),
            (0.15, 0.52),
            (0.15, 0.56),
            (0.11, 0.66),
            (0.03, 0.72),
        ]
    )
    arms = [
        wheel(0.06, 0.34, (0, 0, 0.42), 12),
        wheel(0.07, 0.14, (0, 0, 0), 12).turned(0.5 * np.pi).moved((0, -0.12, 0.38)),
    ]
    return Model(label="fire hydrant", parts=parts_of(paint, body, merged(arms)), finish=paint)


def mailbox(rng: np.random.Generator) -> Model:
    """A post box on a foot."""
    paint = Finish(rgb=pick(rng, ((226, 182, 36), (176, 30, 34), (34, 74, 140))), material="metal")
    body = soft_block((0.46, 0.4, 0.75), 0.05, (0, 0, 0.55))
    foot = [block((0.12, 0.12, 0.55), (0, 0, 0.02)), block((0.4, 0.36, 0.02))]
    slot = block((0.34, 0.02, 0.03), (0, -0.196, 1.1))
    note = block((0.2, 0.01, 0.14), (0, -0.2, 0.86))
    parts = (
        parts_of(paint, body)
        + parts_of(DARK_STEEL, *foot)
        + parts_of(BLACK, slot)
        + parts_of(WHITE, note)
    )
    return Model(label="mailbox", parts=parts, finish=paint, shape="box")


def utility_box(rng: np.random.Generator) -> Model:
    """A grey or green switch cabinet."""
    paint = Finish(rgb=pick(rng, ((150, 156, 150), (86, 106, 90))), material="metal")
    wide, high = float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.9, 1.4))
    parts = parts_of(STEEL, block((wide, 0.36, 0.1))) + parts_of(
        paint, block((wide, 0.34, high - 0.14), (0, 0, 0.1))
    )
    roof = parts_of(paint, block((wide + 0.06, 0.42, 0.04), (0, 0, high - 0.04)))
    seam = parts_of(BLACK, block((0.012, 0.01, high - 0.24), (0, -0.172, 0.14)))
    return Model(label="utility box", parts=parts + roof + seam, finish=paint, shape="box")


def traffic_cone(rng: np.random.Generator) -> Model:
    """An orange cone with a white band."""
    paint = Finish(rgb=pick(rng, ((232, 92, 30),)), material="plastic")
    high = float(rng.uniform(0.5, 0.75))
    foot = block((0.36, 0.36, 0.03))
    cone = lathe([(0.14, 0), (0.03, high - 0.03)], (0, 0, 0.03), 16)
    low, width = 0.3 * high, 0.16
    at_low, at_high = (0.142 - 0.11 * z / (high - 0.03) for z in (low, low + width))
    band = lathe([(at_low, 0), (at_high, width)], (0, 0, low + 0.03), 16)
    return Model(
        label="traffic cone",
        parts=parts_of(paint, foot, cone) + parts_of(WHITE, band),
        finish=paint,
        shape="cone",
    )


def bus_stop(rng: np.random.Generator) -> Model:
    """A glazed shelter with a bench, a roof and a poster; open towards -y."""
    wide, deep, high = float(rng.uniform(3.0, 4.2)), 1.35, 2.45
    posts = [
        block((0.07, 0.07, high - 0.1), (sx * (0.5 * wide - 0.04), sy, 0))
        for sx in (-1, 1)
        for sy in (-0.5, 0.6)
    ]
    rails = [block((wide, 0.05, 0.05), (0, 0.6, z)) for z in (0.25, 2.2)]
    roof = soft_block((wide + 0.2, deep + 0.2, 0.1), 0.04, (0, 0, high - 0.1))
    panes = boxes(
        np.array([[wide - 0.2, 0.012, 1.85], [0.012, 0.95, 1.85]]),
        np.array([[0, 0.6, 0.3], [0.5 * wide - 0.04, 0.05, 0.3]]),
    )
    seat = block((wide - 1.0, 0.36, 0.05), (-0.2, 0.36, 0.45))
    legs = [block((0.05, 0.05, 0.45), (x, 0.4, 0)) for x in (-0.5 * wide + 0.5, 0.5 * wide - 0.9)]
    poster = Part(
        solid=block((1.1, 1.6, 0.06)).tilted(0, 0.5 * np.pi).turned(0.5 * np.pi).moved((-0.5 * wide + 0.05, 0.0, 1.2)),
        finish=Finish(rgb=(255, 255, 255), material="paper"), image=draw_painting(rng),
    )  # fmt: skip
    pale = Finish(rgb=(168, 186, 194), material="glass")
    parts = (
        *parts_of(DARK_STEEL, merged(posts + rails + legs), roof),
        *parts_of(pale, panes),
        *parts_of(WOOD, seat),
        poster,
    )
    return Model(label="bus stop", parts=parts, finish=DARK_STEEL)


def advertising_column(rng: np.random.Generator) -> Model:
    """A round column with posters."""
    radius, high = float(rng.uniform(0.55, 0.7)), float(rng.uniform(2.6, 3.2))
    base = lathe(
        [(radius + 0.06, 0), (radius + 0.06, 0.3), (radius, 0.34), (radius, 0.4)], segments=28
    )
    body = cylinder(radius, high - 0.7, (0, 0, 0.4), 28)
    cap = lathe(
        [(radius + 0.1, 0), (radius + 0.1, 0.08), (0.2, 0.26), (0.04, 0.32)],
        (0, 0, high - 0.32),
        28,
    )
    parts = parts_of(DARK_STEEL, base, cap) + parts_of(
        Finish(rgb=(206, 200, 186), material="paper"), body
    )
    bills: list[Part] = []
    for k in range(5):
        angle = 2 * np.pi * k / 5 + float(rng.uniform(-0.2, 0.2))
        low = float(rng.uniform(0.6, high - 2.0))
        paint = accent(rng, "paper")
        turn = np.linspace(angle - 0.45, angle + 0.45, 8)
        rim = (radius + 0.006) * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        bills += parts_of(paint, prism(rim, low, low + 1.1))
    return Model(
        label="advertising column",
        parts=parts + tuple(bills),
        finish=Finish(rgb=(206, 200, 186), material="paper"),
        shape="cylinder",
    )


def parking_meter(rng: np.random.Generator) -> Model:
    """A ticket machine on a post."""
    paint = Finish(rgb=pick(rng, ((60, 84, 110), (70, 74, 78))), material="metal")
    post = cylinder(0.06, 0.95, segments=12)
    head = soft_block((0.3, 0.24, 0.6), 0.03, (0, 0, 0.95))
    face = parts_of(GLASS, block((0.16, 0.01, 0.12), (0, -0.118, 1.32)))
    mark = parts_of(
        WHITE, prism(circle(0.07, 12), 0.0, 0.01).tilted(0, 0.5 * np.pi).moved((0, -0.115, 1.16))
    )
    knob = parts_of(BLACK, ball(0.02, (0, -0.13, 1.02), 8))
    return Model(
        label="parking meter", parts=parts_of(paint, post, head) + face + mark + knob, finish=paint
    )
