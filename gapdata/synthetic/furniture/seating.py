"""Things to sit on. Metric sizes follow common furniture: seats 0.36-0.54 m high."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, shaded
from gapdata.synthetic.models import Model, Part, Surface, four, parts_of, tabletop
from gapdata.synthetic.shapes import bar, block, cylinder, lathe, rectangle, soft_block, tapered


def chair(rng: np.random.Generator, palette: Palette) -> Model:
    """A four-legged chair with a slatted or solid back."""
    width, depth = rng.uniform(0.38, 0.54), rng.uniform(0.4, 0.54)
    seat, back = rng.uniform(0.41, 0.5), rng.uniform(0.32, 0.62)
    frame = palette.wood if rng.random() < 0.7 else palette.wood_second
    padded = rng.random() < 0.5
    leg = 0.035
    spots = four(width - leg, depth - leg)
    parts = [
        *parts_of(
            frame, *(tapered((0.026, 0.026), (leg, leg), seat - 0.03, (x, y, 0)) for x, y in spots)
        ),
        Part(solid=block((width, depth, 0.03), (0, 0, seat - 0.03)), finish=frame),
    ]
    back_y = depth / 2 - leg / 2
    posts = [block((leg, leg, back), (s * (width - leg) / 2, back_y, seat)) for s in (-1, 1)]
    span = width - 2 * leg
    if rng.random() < 0.5:
        rails = [block((span, 0.02, 0.07), (0, back_y, seat + back * k)) for k in (0.28, 0.52, 0.8)]
    else:
        rails = [block((span, 0.02, back * 0.6), (0, back_y, seat + back * 0.36))]
    parts += parts_of(frame, *posts, *rails)
    main, seat_top = frame, seat
    if padded:
        pad = 0.035
        parts += parts_of(
            palette.accent, soft_block((width - 0.03, depth - 0.06, pad), 0.03, (0, -0.02, seat))
        )
        seat_top = seat + pad
    return Model(
        label="chair", parts=tuple(parts), finish=main,
        surfaces=(tabletop(width - 0.04, depth - 0.13, seat_top, y=-0.03),),
    )  # fmt: skip


def office_chair(rng: np.random.Generator, palette: Palette) -> Model:
    """A swivel chair on a five-armed base with castors."""
    cloth = (
        palette.accent
        if rng.random() < 0.4
        else Finish(rgb=(58, 60, 66), material="fabric", texture="fabric")
    )
    metal = Finish(rgb=(70, 72, 76), material="metal")
    seat = rng.uniform(0.42, 0.54)
    base_r, back = rng.uniform(0.26, 0.34), rng.uniform(0.42, 0.7)
    parts: list[Part] = []
    for k in range(5):
        angle = 2 * np.pi * k / 5 + 0.3
        x, y = base_r * np.cos(angle), base_r * np.sin(angle)
        parts += parts_of(metal, bar((0, 0, 0.09), (x, y, 0.07), 0.018, 8))
        parts += parts_of(metal, cylinder(0.025, 0.05, (x, y, 0), 12))
    parts += parts_of(metal, cylinder(0.03, seat - 0.16, (0, 0, 0.08), 16))
    parts += parts_of(metal, block((0.2, 0.24, 0.03), (0, 0, seat - 0.1)))
    parts += parts_of(cloth, soft_block((0.48, 0.46, 0.08), 0.06, (0, -0.02, seat - 0.07)))
    parts += parts_of(metal, block((0.06, 0.02, 0.2), (0, 0.23, seat - 0.06)))
    parts += parts_of(cloth, soft_block((0.44, 0.06, back), 0.025, (0, 0.24, seat + 0.1)))
    if rng.random() < 0.6:
        for side in (-1, 1):
            parts += parts_of(metal, block((0.03, 0.05, 0.2), (side * 0.255, 0.02, seat - 0.02)))
            parts += parts_of(
                metal, soft_block((0.06, 0.26, 0.03), 0.014, (side * 0.255, 0.0, seat + 0.18))
            )
    return Model(label="office chair", parts=tuple(parts), finish=cloth)


def armchair(rng: np.random.Generator, palette: Palette) -> Model:
    """A padded chair with arms."""
    return _upholstered(
        rng, palette.accent if rng.random() < 0.6 else palette.fabric, "armchair", 1
    )


def couch(rng: np.random.Generator, palette: Palette) -> Model:
    """A sofa of two to four seats."""
    return _upholstered(rng, palette.fabric, "couch", int(rng.integers(2, 5)))


def _upholstered(rng: np.random.Generator, cloth: Finish, label: str, seats: int) -> Model:
    seat_width, arm = rng.uniform(0.52, 0.78), rng.uniform(0.08, 0.26)
    width, depth = seats * seat_width + 2 * arm, rng.uniform(0.76, 1.05)
    seat, back, leg = rng.uniform(0.36, 0.48), rng.uniform(0.7, 1.02), 0.1
    thick = 0.2
    cushion = 0.14
    legs = [
        lathe([(0.018, 0), (0.028, leg)], (x, y, 0), 12)
        for x, y in four(width - 0.12, depth - 0.12)
    ]
    inner = width - 2 * arm
    parts = [
        *parts_of(Finish(rgb=(84, 58, 42), material="wood", texture="wood"), *legs),
        *parts_of(cloth, block((inner, depth, seat - cushion - leg), (0, 0, leg))),
        *parts_of(
            cloth,
            soft_block(
                (inner, thick, back - seat + cushion),
                0.04,
                (0, depth / 2 - thick / 2, seat - cushion),
            ),
        ),
    ]
    arm_top = seat + rng.uniform(0.14, 0.2)
    for side in (-1, 1):
        parts += parts_of(
            cloth, soft_block((arm, depth, arm_top - leg), 0.04, (side * (width - arm) / 2, 0, leg))
        )
    lighter = shaded(cloth, 1.06)
    seat_depth = depth - thick
    for k in range(seats):
        x = (k - (seats - 1) / 2) * seat_width
        parts += parts_of(
            lighter,
            soft_block(
                (seat_width - 0.008, seat_depth, cushion), 0.04, (x, -thick / 2, seat - cushion)
            ),
        )
        parts += parts_of(
            lighter,
            soft_block(
                (seat_width - 0.03, 0.13, back - seat - 0.04),
                0.05,
                (x, depth / 2 - thick - 0.066, seat),
            ),
        )
    flat = rectangle(seat_width - 0.1, seat_depth - 0.2) + np.array([0.0, -thick / 2 - 0.07])
    middles = seat_width * (np.arange(seats) - (seats - 1) / 2)
    surfaces = tuple(Surface(outline=flat + np.array([x, 0.0]), z=seat) for x in middles)
    return Model(label=label, parts=tuple(parts), finish=cloth, surfaces=surfaces)


def stool(rng: np.random.Generator, palette: Palette) -> Model:
    """A round stool on three or four splayed legs."""
    height, radius = rng.uniform(0.38, 0.78), rng.uniform(0.13, 0.22)
    count = int(rng.integers(3, 5))
    parts: list[Part] = []
    for k in range(count):
        angle = 2 * np.pi * k / count + 0.4
        c, s = np.cos(angle), np.sin(angle)
        top = (0.6 * radius * c, 0.6 * radius * s, height - 0.035)
        foot = tapered((0.03, 0.03), (0.03, 0.03), 0.02, (0.95 * radius * c, 0.95 * radius * s, 0))
        parts += parts_of(
            palette.wood, bar((0.95 * radius * c, 0.95 * radius * s, 0.018), top, 0.013, 8), foot
        )
    parts += parts_of(palette.wood, cylinder(radius, 0.035, (0, 0, height - 0.035), 24))
    return Model(
        label="stool", parts=tuple(parts), finish=palette.wood, shape="round",
        surfaces=(tabletop(1.3 * radius, 1.3 * radius, height, inset=0.01),),
    )  # fmt: skip


def bench(rng: np.random.Generator, palette: Palette) -> Model:
    """A backless bench, with a pad or without."""
    width, depth, height = rng.uniform(0.8, 1.6), rng.uniform(0.3, 0.46), rng.uniform(0.38, 0.5)
    parts = list(parts_of(palette.wood, block((width, depth, 0.04), (0, 0, height - 0.04))))
    parts += parts_of(
        palette.wood,
        *(
            block((0.05, depth - 0.06, height - 0.04), (s * (width / 2 - 0.12), 0, 0))
            for s in (-1, 1)
        ),
    )
    parts += parts_of(palette.wood, block((width - 0.29, 0.03, 0.08), (0, 0, height - 0.14)))
    top = height
    if rng.random() < 0.6:
        parts += parts_of(
            palette.accent, soft_block((width - 0.02, depth - 0.02, 0.05), 0.04, (0, 0, height))
        )
        top = height + 0.05
    return Model(
        label="bench", parts=tuple(parts), finish=palette.wood,
        surfaces=(tabletop(width, depth, top, inset=0.05),),
    )  # fmt: skip


def ottoman(rng: np.random.Generator, palette: Palette) -> Model:
    """A low padded footrest, round or square."""
    height = rng.uniform(0.28, 0.5)
    if rng.random() < 0.5:
        radius = rng.uniform(0.2, 0.38)
        profile = [
            (radius - 0.03, 0.0),
            (radius, 0.03),
            (radius, height - 0.04),
            (radius - 0.04, height),
        ]
        solid, shape, side = lathe(profile, segments=32), "cylinder", 1.2 * radius
    else:
        side = rng.uniform(0.36, 0.8)
        solid, shape = soft_block((side, side, height), 0.05), "box"
    return Model(
        label="ottoman", parts=parts_of(palette.accent_second, solid), finish=palette.accent_second,
        shape=shape, surfaces=(tabletop(side, side, height, inset=0.05),),
    )  # fmt: skip
