"""What stands on kitchen counters and dining tables."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import ball, block, curve, cylinder, lathe, soft_block, tube

COUNTER_HEIGHT, COUNTER_DEPTH = 0.9, 0.62
SINK_HOLE = (0.52, 0.4)  # cut-out of the worktop
STEEL = Finish(rgb=(182, 185, 188), material="metal")
DARK_GLASS = Finish(rgb=(28, 29, 32), material="glass")
WHITE_ENAMEL = Finish(rgb=(240, 240, 238), material="metal")


def kettle(rng: np.random.Generator, palette: Palette) -> Model:
    """An electric kettle with handle, spout and lid."""
    r, h = rng.uniform(0.06, 0.1), rng.uniform(0.15, 0.29)
    body = STEEL if rng.random() < 0.4 else accent(rng, "metal")
    dark = Finish(rgb=(40, 41, 44), material="plastic")
    knots = [
        (r * 0.7, 0, h * 0.92), (r + 0.035, 0, h * 0.95), (r + 0.055, 0, h * 0.75),
        (r + 0.05, 0, h * 0.42), (r * 0.92, 0, h * 0.25),
    ]  # fmt: skip
    handle = curve(knots, 12)
    parts = parts_of(
        body,
        lathe(curve([(0.94 * r, 0), (r, 0.1 * h), (r, 0.4 * h), (0.72 * r, h)], 10), segments=28),
    )
    parts += parts_of(
        dark,
        tube(handle, 0.011, 8),
        lathe([(0.68 * r, h), (0.5 * r, h + 0.012), (0.1 * r, h + 0.02)], segments=24),
    )
    parts += parts_of(
        body, tube(np.array([[-0.7 * r, 0, 0.7 * h], [-r - 0.025, 0, 0.92 * h]]), 0.014, 10)
    )
    return Model(label="kettle", parts=parts, finish=body)


def toaster(rng: np.random.Generator, palette: Palette) -> Model:
    """A two-slot toaster."""
    body = STEEL if rng.random() < 0.4 else accent(rng, "metal")
    width, height = rng.uniform(0.23, 0.36), rng.uniform(0.15, 0.22)
    parts = [*parts_of(body, soft_block((width, 0.17, height), 0.04, (0, 0, 0.01)))]
    parts += parts_of(DARK_GLASS, block((width - 0.03, 0.14, 0.02), (0, 0, 0)))
    parts += parts_of(
        DARK_GLASS,
        *(block((width - 0.1, 0.025, 0.002), (0, s * 0.03, height + 0.01)) for s in (-1, 1)),
    )
    parts += parts_of(DARK_GLASS, block((0.02, 0.03, 0.016), (width / 2 + 0.007, 0, 0.11)))
    return Model(label="toaster", parts=tuple(parts), finish=body, shape="box")


def pot(rng: np.random.Generator, palette: Palette) -> Model:
    """A cooking pot with two handles and a lid."""
    r, h = rng.uniform(0.07, 0.112), rng.uniform(0.07, 0.22)
    body = STEEL if rng.random() < 0.5 else accent(rng, "metal")
    lid = lathe([(r, h), (r, h + 0.006), (0.5 * r, h + 0.022), (0.02, h + 0.028)], segments=28)
    parts = parts_of(body, cylinder(r, h, segments=28), lid)
    dark = Finish(rgb=(40, 41, 44), material="plastic")
    parts += parts_of(
        dark, *(block((0.045, 0.07, 0.014), (s * (r + 0.015), 0, 0.8 * h)) for s in (-1, 1))
    )
    parts += parts_of(dark, cylinder(0.018, 0.022, (0, 0, h + 0.026), 12))
    return Model(label="pot", parts=parts, finish=body, shape="cylinder")


def cup(rng: np.random.Generator, palette: Palette) -> Model:
    """A mug with a handle."""
    r, h = rng.uniform(0.032, 0.055), rng.uniform(0.065, 0.14)
    clay = accent(rng)
    hollow = [(0.9 * r, 0), (r, 0.01), (r, h), (r - 0.004, h), (r - 0.006, 0.008)]
    knots = [
        (r - 0.002, 0, 0.8 * h), (r + 0.02, 0, 0.79 * h), (r + 0.032, 0, 0.54 * h),
        (r + 0.02, 0, 0.26 * h), (r - 0.002, 0, 0.22 * h),
    ]  # fmt: skip
    handle = curve(knots, 12)
    return Model(
        label="cup",
        parts=parts_of(clay, lathe(hollow, segments=24), tube(handle, 0.006, 8)),
        finish=clay,
        shape="cylinder",
    )


def bowl(rng: np.random.Generator, palette: Palette) -> Model:
    """An open bowl."""
    r, h = rng.uniform(0.06, 0.18), rng.uniform(0.04, 0.12)
    clay = accent(rng)
    foot = [(0.42 * r, 0), (0.42 * r, 0.06 * h)]
    outer = curve([(0.44 * r, 0.06 * h), (0.75 * r, 0.3 * h), (0.95 * r, 0.7 * h), (r, h)], 8)
    inner = curve(
        [(r - 0.006, h), (0.9 * r - 0.004, 0.7 * h), (0.7 * r - 0.004, 0.36 * h), (0.3 * r, 0.13 * h)], 8
    )  # fmt: skip
    return Model(
        label="bowl",
        parts=parts_of(clay, lathe([*foot, *outer, *inner], segments=32)),
        finish=clay,
        shape="round",
    )


def plate(rng: np.random.Generator, palette: Palette) -> Model:
    """A shallow plate."""
    r = rng.uniform(0.075, 0.155)
    clay = Finish(rgb=(240, 238, 232), material="ceramic") if rng.random() < 0.5 else accent(rng)
    outer = [(0.55 * r, 0), (0.66 * r, 0.009), (r, 0.018), (r - 0.003, 0.022)]
    inner = [(0.7 * r, 0.0125), (0.64 * r, 0.008), (0.58 * r, 0.006)]
    return Model(
        label="plate",
        parts=parts_of(clay, lathe([*outer, *inner], segments=36)),
        finish=clay,
        shape="round",
    )


def bottle(rng: np.random.Generator, palette: Palette) -> Model:
    """A bottle with neck and cap."""
    r, h = rng.uniform(0.028, 0.055), rng.uniform(0.16, 0.38)
    colors = (
        (46, 92, 58),
        (96, 54, 30),
        (176, 40, 40),
        (70, 120, 170),
        (222, 224, 226),
        (210, 170, 60),
    )
    glass = Finish(
        rgb=colors[int(rng.integers(6))], material="glass" if rng.random() < 0.6 else "plastic"
    )
    shoulder = curve(
        [(r, 0.56 * h), (0.8 * r, 0.68 * h), (0.4 * r, 0.78 * h), (0.34 * r, 0.95 * h)], 8
    )
    body = lathe([(0.9 * r, 0), (r, 0.01), *shoulder], segments=24)
    cap = cylinder(0.4 * r, 0.05 * h, (0, 0, 0.95 * h), 16)
    label = lathe([(r + 0.0008, 0.2 * h), (r + 0.0008, 0.48 * h)], segments=24)
    parts = parts_of(glass, body) + parts_of(Finish(rgb=(40, 40, 44), material="metal"), cap)
    return Model(
        label="bottle",
        parts=parts + parts_of(Finish(rgb=(240, 234, 216), material="paper"), label),
        finish=glass,
        shape="cylinder",
    )


def fruit(rng: np.random.Generator, palette: Palette) -> Model:
    """An apple or an orange."""
    if rng.random() < 0.5:
        finish = Finish(rgb=(232, 132, 36), material="fruit")
        return Model(
            label="orange",
            parts=parts_of(finish, ball(rng.uniform(0.03, 0.046), segments=20)),
            finish=finish,
            shape="sphere",
        )
    finish = Finish(rgb=((178, 36, 40), (128, 172, 66))[int(rng.integers(2))], material="fruit")
    r = rng.uniform(0.03, 0.046)
    knots = [
        (0.24 * r, 0), (0.62 * r, 0.14 * r), (0.96 * r, 0.8 * r), (0.97 * r, 1.25 * r), (0.6 * r, 1.8 * r),
        (0.3 * r, 1.84 * r), (0.05 * r, 1.66 * r),
    ]  # fmt: skip
    body: tuple[Part, ...] = parts_of(finish, lathe(curve(knots, 14), segments=24))
    stem = parts_of(
        Finish(rgb=(86, 60, 40), material="wood"), cylinder(0.0016, 0.4 * r, (0, 0, 1.6 * r), 8)
    )
    return Model(label="apple", parts=body + stem, finish=finish, shape="sphere")
