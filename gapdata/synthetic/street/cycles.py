"""Bicycles, cyclists (bicycle and rider in one, as driving datasets count them) and motorcycles; front = -y."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, ball, bar, block, soft_block
from gapdata.synthetic.street.paints import (
    BLACK,
    CAR_PAINTS,
    CHROME,
    LAMP_RED,
    LAMP_WHITE,
    RUBBER,
    STEEL,
    painted,
)  # fmt: skip
from gapdata.synthetic.street.people import (
    FOREARM,
    HALF_HIPS,
    HALF_SHOULDERS,
    SHANK,
    THIGH,
    UPPER_ARM,
    dressed,
    joint,
    limb,
    outfit,
    shoe,
)  # fmt: skip
from gapdata.synthetic.street.solids import hull, merged, ring, wheel

TYRE, BASE = 0.34, 1.04  # metres: a wheel's outer radius, and axle to axle
CRANK, AXLE, SADDLE = (0.0, 0.1, 0.29), (0.0, 0.5 * BASE, TYRE), (0.0, 0.27, 0.93)
GRIP = (0.24, -0.3, 1.02)
PEDAL = 0.13  # metres from the bicycle's middle to a pedal's


def bicycle(rng: np.random.Generator) -> Model:
    """A city bicycle, standing upright."""
    paint = painted(rng, CAR_PAINTS)
    stand = bar((0.05, 0.34, 0.3), (0.16, 0.38, 0.012), 0.01, 6)
    foot = block((0.03, 0.05, 0.024), (0.165, 0.38, 0.0))
    parts = _frame(paint) + [*parts_of(STEEL, stand, foot)]
    return Model(label="bicycle", parts=tuple(parts), finish=paint)


def _frame(paint: Finish) -> list[Part]:
    front, rear = np.array([0.0, -0.5 * BASE, TYRE]), np.array(AXLE)
    crank, seat, head = np.array(CRANK), np.array([0.0, 0.24, 0.8]), np.array([0.0, -0.33, 0.86])
    tubes = [
        bar(crank, seat, 0.017, 8),
        bar(crank, head - [0, 0, 0.14], 0.019, 8),
        bar(seat, head, 0.016, 8),
    ]
    for side in (-0.05, 0.05):
        aside = np.array([side, 0.0, 0.0])
        tubes += [bar(crank, rear + aside, 0.011, 6), bar(seat, rear + aside, 0.009, 6)]
        tubes.append(bar(head - [0, 0.01, 0.16], front + aside, 0.012, 6))
    stem = [
        bar(head, head + [0, 0.03, 0.14], 0.014, 8),
        bar(seat, np.array(SADDLE) - [0, 0, 0.03], 0.012, 8),
    ]
    bars = [bar((-0.24, -0.3, 1.0), (0.24, -0.3, 1.0), 0.012, 8)]
    saddle = soft_block((0.15, 0.26, 0.05), 0.04, (0, 0.27, 0.885))
    hubs, rims = [], []
    for spot in (front, rear):
        hubs.append(wheel(0.03, 0.1, spot, 10))
        for k in range(9):
            angle = np.pi * k / 9
            out = 0.31 * np.array([0.0, np.cos(angle), np.sin(angle)])
            hubs.append(bar(spot - out, spot + out, 0.0025, 4))
        rims.append(ring(0.325, 0.02, spot))
    gear = [
        wheel(0.085, 0.012, crank, 16),
        bar(crank - [0.07, 0, 0], crank + [0.07, 0, 0], 0.014, 6),
    ]
    for side in (-1, 1):
        end = crank + [side * 0.07, side * -0.12, side * 0.11]
        gear += [
            bar(crank + [side * 0.07, 0, 0], end, 0.009, 6),
            block((0.09, 0.08, 0.02), end + [side * 0.06, 0, -0.01]),
        ]
    tyres = [ring(TYRE, 0.034, spot) for spot in (front, rear)]
    low = min(tyre.low for tyre in tyres)
    lamp = parts_of(LAMP_RED, ball(0.025, (0, 0.4, 0.72), 8))
    return [
        *parts_of(paint, merged(tubes)), *parts_of(STEEL, merged(stem + bars)), *parts_of(CHROME, merged(hubs + rims + gear)),
        *parts_of(BLACK, saddle), *parts_of(RUBBER, *(tyre.moved((0, 0, -low)) for tyre in tyres)), *lamp,
    ]  # fmt: skip


def cyclist(rng: np.random.Generator) -> Model:
    """A rider on a bicycle, mid-stroke, hands on the grips, often helmeted."""
    tall, wear, paint = float(rng.uniform(1.6, 1.86)), outfit(rng), painted(rng, CAR_PAINTS)
    hips = np.array([0.0, 0.29, 0.935 + 0.055 * tall])
    lean = np.array([0.0, -0.38, 1.0])
    neck = hips + 0.288 * tall * lean / np.linalg.norm(lean)
    legs: list[Solid] = []
    shoes: list[Solid] = []
    arms: list[Solid] = []
    hands: list[Solid] = []
    for side in (-1, 1):
        pedal = np.array(CRANK) + [side * 0.13, side * -0.12, side * 0.11]
        ankle = pedal + [0.0, 0.06, 0.01 + 0.039 * tall]
        start = hips + [side * HALF_HIPS * tall, 0.0, -0.01]
        knee = joint(start, ankle, (THIGH * tall, SHANK * tall), np.array([0.0, -1.0, 0.25]))
        legs += [
            limb(start, knee, 0.05 * tall, 0.037 * tall),
            limb(knee, ankle, 0.036 * tall, 0.026 * tall),
        ]
        shoes.append(shoe(ankle, tall))
        shoulder = neck + [side * HALF_SHOULDERS * tall, 0.0, -0.02 * tall]
        grip = np.array([side * GRIP[0], GRIP[1], GRIP[2]])
        elbow = joint(
            shoulder, grip, (UPPER_ARM * tall, FOREARM * tall), np.array([side * 0.6, 0.3, -1.0])
        )
        arms += [
            limb(shoulder, elbow, 0.029 * tall, 0.023 * tall),
            limb(elbow, grip, 0.023 * tall, 0.018 * tall),
        ]
        hands.append(ball(0.03 * tall, grip - [0, 0, 0.03 * tall], 8))
    parts = _frame(paint) + dressed(wear, tall, (hips, neck), (legs, shoes, arms, hands))
    if rng.random() < 0.6:
        crown = neck + (1 - 0.818) * tall * np.array([0.0, -0.17, 1.0])
        parts += parts_of(
            painted(rng, CAR_PAINTS, "plastic"), ball(0.085 * tall, crown - [0, 0, 0.12 * tall], 12)
        )
    return Model(label="cyclist", parts=tuple(parts), finish=wear.top)


def motorcycle(rng: np.random.Generator) -> Model:
    """A parked motorcycle or scooter on its stand."""
    paint = painted(rng, CAR_PAINTS)
    radius, base = 0.3, 1.36
    front, rear = np.array([0.0, -0.5 * base, radius]), np.array([0.0, 0.5 * base, radius])
    tyres = [ring(radius, 0.11, spot, 20) for spot in (front, rear)]
    low = min(tyre.low for tyre in tyres)
    tank = hull([(-0.32, 0.2, 0.62, 0.82), (-0.1, 0.3, 0.58, 0.92), (0.18, 0.22, 0.6, 0.8)], 0.08)
    tail = hull([(0.3, 0.24, 0.66, 0.8), (0.85, 0.16, 0.78, 0.88)], 0.05)
    fender = hull(
        [(-0.98, 0.1, 0.5, 0.56), (-0.68, 0.14, 0.6, 0.66), (-0.42, 0.12, 0.5, 0.58)], 0.03
    )
    engine = soft_block((0.34, 0.5, 0.36), 0.05, (0, 0.02, 0.2))
    seat = soft_block((0.26, 0.66, 0.09), 0.05, (0, 0.48, 0.79))
    forks = [bar((s * 0.09, front[1], radius), (s * 0.09, -0.36, 0.98), 0.024, 8) for s in (-1, 1)]
    swing = [bar((s * 0.09, 0.1, 0.36), (s * 0.09, rear[1], radius), 0.024, 8) for s in (-1, 1)]
    bars = [
        bar((-0.36, -0.26, 1.06), (0.36, -0.26, 1.06), 0.016, 8),
        bar((0, -0.36, 0.95), (0, -0.28, 1.07), 0.03, 8),
    ]
    pipe = [bar((0.17, 0.0, 0.26), (0.19, 0.75, 0.36), 0.045, 10)]
    stand, foot = (
        bar((-0.08, 0.1, 0.26), (-0.24, 0.16, 0.015), 0.014, 6),
        block((0.05, 0.05, 0.02), (-0.245, 0.165, 0)),
    )
    lamp, red = ball(0.085, (0, -0.46, 0.8), 12), block((0.12, 0.03, 0.05), (0, 0.86, 0.8))
    hubs = [wheel(0.17, 0.05, spot, 14) for spot in (front, rear)]
    parts = [
        *parts_of(paint, tank, tail, fender), *parts_of(BLACK, engine, seat, merged(bars)),
        *parts_of(RUBBER, *(tyre.moved((0, 0, -low)) for tyre in tyres)),
        *parts_of(CHROME, merged(forks + swing + pipe + hubs + [stand, foot])),
        *parts_of(LAMP_WHITE, lamp), *parts_of(LAMP_RED, red),
    ]  # fmt: skip
    return Model(label="motorcycle", parts=tuple(parts), finish=paint)
