"""People of human proportions, posed by their joints; they look towards -y."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, ball, bar, block, loft, soft_block
from gapdata.synthetic.street.paints import BLACK, CLOTHES, HAIRS, SKINS, TROUSERS, painted
from gapdata.synthetic.street.solids import merged, rounded

Array = np.ndarray
Point = Float[Array, "3"]

# Lengths over body height (Drillis and Contini, "Body segment parameters", 1966).
HIP, KNEE, ANKLE, SHOULDER, CHIN = 0.53, 0.285, 0.039, 0.818, 0.87
UPPER_ARM, FOREARM, HALF_HIPS, HALF_SHOULDERS, FOOT = 0.186, 0.146, 0.055, 0.112, 0.152
THIGH, SHANK = HIP - KNEE, KNEE - ANKLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Outfit:
    """What a person is dressed in."""

    top: Finish
    legs: Finish
    shoes: Finish
    skin: Finish
    hair: Finish


def outfit(rng: np.random.Generator) -> Outfit:
    """Clothes, skin and hair by chance."""
    return Outfit(
        top=Finish(rgb=painted(rng, CLOTHES).rgb, material="fabric"),
        legs=Finish(rgb=painted(rng, TROUSERS).rgb, material="fabric"),
        shoes=Finish(rgb=painted(rng, ((40, 36, 34), (232, 230, 226), (96, 66, 44))).rgb, material="leather"),
        skin=Finish(rgb=painted(rng, SKINS).rgb, material="skin"),
        hair=Finish(rgb=painted(rng, HAIRS).rgb, material="hair"),
    )  # fmt: skip


def pedestrian(rng: np.random.Generator, *, walking: bool) -> Model:
    """A person standing or in mid-step; one in eight is a child."""
    is_child = rng.random() < 0.125
    tall = (
        float(rng.uniform(1.1, 1.45))
        if is_child
        else float(np.clip(rng.normal(1.71, 0.09), 1.5, 1.95))
    )
    wear, stride = outfit(rng), (0.21 * tall if walking else 0.03)
    lead = 1 if rng.random() < 0.5 else -1
    # Both feet are on the ground: the hips sink as the legs open.
    hip = tall * (HIP - (0.022 if walking else 0.004))
    legs: list[Solid] = []
    shoes: list[Solid] = []
    for side in (-1, 1):
        ahead = -stride if side == lead else stride
        ankle = np.array([side * HALF_HIPS * tall, ahead, ANKLE * tall])
        start = np.array([side * HALF_HIPS * tall, 0.0, hip])
        knee = joint(start, ankle, (THIGH * tall, SHANK * tall), np.array([0.0, -1.0, 0.0]))
        legs += [
            limb(start, knee, 0.05 * tall, 0.036 * tall),
            limb(knee, ankle, 0.036 * tall, 0.026 * tall),
        ]
        shoes.append(shoe(ankle, tall))
    neck = np.array([0.0, 0.01 * tall if walking else 0.0, hip + (SHOULDER - HIP) * tall])
    arms: list[Solid] = []
    hands: list[Solid] = []
    for side in (-1, 1):
        swing = (-0.45 if side != lead else 0.4) if walking else 0.06 * side
        shoulder = neck + [side * HALF_SHOULDERS * tall, 0.0, -0.02 * tall]
        down = np.array([side * 0.1, swing, -1.0])
        elbow = shoulder + UPPER_ARM * tall * down / np.linalg.norm(down)
        fore = np.array([side * 0.03, swing - 0.25, -1.0])
        wrist = elbow + FOREARM * tall * fore / np.linalg.norm(fore)
        arms += [
            limb(shoulder, elbow, 0.029 * tall, 0.023 * tall),
            limb(elbow, wrist, 0.023 * tall, 0.017 * tall),
        ]
        hands.append(ball(0.026 * tall, wrist - [0, 0, 0.045 * tall], 8))
    parts = dressed(wear, tall, (np.array([0.0, 0.0, hip]), neck), (legs, shoes, arms, hands))
    parts += _carried(rng, tall, hip, neck)
    return Model(label="pedestrian", parts=tuple(parts), finish=wear.top)


def dressed(
    wear: Outfit, tall: float, spine: tuple[Point, Point], limbs: tuple[list[Solid], list[Solid], list[Solid], list[Solid]]
) -> list[Part]:  # fmt: skip
    """Trunk and head on a spine from hips to neck, with limbs (legs, shoes, arms, hands), in an outfit."""
    hips, neck = spine
    legs, shoes, arms, hands = limbs
    hem = hips - [0, 0, 0.015 * tall]
    trunk = _trunk(hem, neck, tall)
    seat = soft_block(
        (0.19 * tall, 0.125 * tall, 0.075 * tall), 0.03 * tall, hips - [0, 0, 0.055 * tall]
    )
    up = (neck - hips) / np.linalg.norm(neck - hips)
    lean = np.array([0.0, 0.5 * up[1], 1.0])
    crown = neck + (1 - SHOULDER) * tall * lean / np.linalg.norm(lean)
    middle = crown - [0.0, 0.0, 0.066 * tall]
    skull = _egg(middle, (0.092 * tall, 0.112 * tall, 0.132 * tall))
    hair = _egg(
        middle + [0, 0.012 * tall, 0.016 * tall], (0.099 * tall, 0.112 * tall, 0.112 * tall)
    )
    throat = limb(
        neck - [0, 0, 0.02 * tall], middle - [0, 0, 0.04 * tall], 0.034 * tall, 0.032 * tall
    )
    return [
        *parts_of(wear.top, trunk, merged(arms)), *parts_of(wear.legs, seat, merged(legs)),
        *parts_of(wear.shoes, merged(shoes)), *parts_of(wear.skin, merged([skull, throat, *hands])),
        *parts_of(wear.hair, hair),
    ]  # fmt: skip


def _trunk(hem: Point, neck: Point, tall: float) -> Solid:
    rings = []
    for share, width, depth in (
        (0, 0.185, 0.12),
        (0.3, 0.165, 0.11),
        (0.72, 0.2, 0.125),
        (0.9, 0.215, 0.115),
        (0.98, 0.16, 0.095),
        (1.05, 0.082, 0.078),
    ):
        middle = hem + share * (neck + [0, 0, 0.01 * tall] - hem)
        section = rounded(width * tall, depth * tall, 0.42 * depth * tall)
        rings.append(np.column_stack([section, np.zeros(len(section))]) + middle)
    return loft(np.stack(rings))


def _egg(middle: Point, size: Sequence[float]) -> Solid:
    polar = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 7)
    turn = 2 * np.pi * np.arange(12) / 12
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    rings = np.empty((7, 12, 3))
    rings[..., :2] = np.cos(polar)[:, None, None] * unit
    rings[..., 2] = np.sin(polar)[:, None]
    return loft(rings * 0.5 * np.asarray(size) + middle)


def limb(start: Point, end: Point, first: float, last: float) -> Solid:
    """A tapering round limb between two joints, with these radii."""
    along = (end - start) / np.linalg.norm(end - start)
    side = np.cross(along, [0.0, 1.0, 0.0] if abs(along[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(along, side)
    turn = 2 * np.pi * np.arange(8) / 8
    around = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
    knots = [
        (start - 0.5 * first * along, 0.6 * first),
        (start, first),
        (end, last),
        (end + 0.5 * last * along, 0.6 * last),
    ]
    return loft(np.stack([spot + radius * around for spot, radius in knots]))


def shoe(ankle: Point, tall: float) -> Solid:
    """A flat shoe on the ground below an ankle; its sole is at the ankle's height above z = 0."""
    low = ankle[2] - ANKLE * tall
    return soft_block(
        (0.055 * tall, FOOT * tall, 0.05 * tall),
        0.02 * tall,
        (ankle[0], ankle[1] - 0.04 * tall, low),
    )


def joint(start: Point, end: Point, lengths: tuple[float, float], bend: Point) -> Point:
    """Where two bones of these lengths meet between their ends, bent towards a direction."""
    line = end - start
    reach = float(np.linalg.norm(line))
    along = line / reach
    first, second = lengths
    share = (first**2 - second**2 + reach**2) / (2 * reach)
    out = float(np.sqrt(max(0.0, first**2 - share**2)))
    side = bend - along * (bend @ along)
    return np.asarray(start + share * along + out * side / np.linalg.norm(side))


def _carried(rng: np.random.Generator, tall: float, hip: float, neck: Point) -> list[Part]:
    chance = float(rng.random())
    if chance < 0.25:
        paint = painted(rng, CLOTHES, "fabric")
        pack = soft_block(
            (0.16 * tall, 0.09 * tall, 0.24 * tall), 0.03, (0, 0.105 * tall, hip + 0.06 * tall)
        )
        return list(parts_of(paint, pack))
    if chance < 0.4:
        bag = block((0.06, 0.26, 0.2), (0.155 * tall, 0, hip - 0.12 * tall))
        strap = bar(
            (0.15 * tall, 0, hip + 0.02 * tall), (-0.08 * tall, 0.0, neck[2] - 0.01), 0.012, 6
        )
        return list(parts_of(BLACK, bag, strap))
    return []
