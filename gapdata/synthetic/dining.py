"""Tables with chairs around them, and what is laid and stands on them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.arrangements import Builder, amount, build, chance
from gapdata.synthetic.furniture import containers, decor, tableware
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.tabletop import things

Array = np.ndarray

ELBOW_ROOM = 0.14  # metres between chairs side by side
RIM = 0.03  # metres from a table's edge to the plate
CUTLERY_GAP = 0.025  # ... from the plate to what lies beside it
# What stands along the middle of a table.
MIDDLE: tuple[Builder, ...] = (
    decor.vase, tableware.bowl, tableware.bottle, decor.candle, decor.small_plant, tableware.pot,
    tableware.bottle, decor.candle, tableware.fruit, containers.basket,
)  # fmt: skip
TALLEST = 0.42  # metres, of what stands between people who talk


def chairs_around(placer: Placer, table: int, builder: Builder, *, ends: bool) -> float:
    """Chairs at half or more of a table's seats, facing it, pushed in by different amounts.

    Returns the fraction of them that found room.
    """
    chair = build(placer, builder)
    seats = _seats(placer.placed[table].model, float(chair.size[0]) + ELBOW_ROOM, ends=ends)
    wanted = int(placer.rng.integers((len(seats) + 1) // 2, len(seats) + 1))
    taken = 0
    for place in placer.rng.permutation(len(seats))[:wanted].tolist():
        edge, outward = seats[place]
        turn = float(np.arctan2(-outward[0], outward[1]))
        for gap in sorted(placer.rng.uniform(0.08, 0.3, 4).tolist()):
            tilt = float(placer.rng.uniform(-0.12, 0.12))
            if placer.near(chair, table, edge + outward * gap, turn=turn + tilt) is not None:
                taken += 1
                break
        else:
            placer.give_up(chair)
    return taken / wanted


def _seats(table: Model, pitch: float, *, ends: bool) -> list[tuple[Array, Array]]:
    """Points of a table's edge before which one sits at least `pitch` metres apart, and the ways out from there."""
    width, depth = table.size[:2]
    if table.shape == "round":
        count = int(np.clip(np.pi * (width + 0.3) / pitch, 2, 6))
        angles = 2.0 * np.pi * np.arange(count) / count
        outward = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return [(0.5 * width * way, way) for way in outward]
    a_side = max(1, int(width / pitch))
    along = width * ((np.arange(a_side) + 0.5) / a_side - 0.5)
    seats = [
        (np.array([x, 0.5 * side * depth]), np.array([0.0, side]))
        for x in along
        for side in (-1, 1)
    ]
    if ends or width <= 1.0:
        seats += [
            (np.array([0.5 * side * width, 0.0]), np.array([float(side), 0.0])) for side in (-1, 1)
        ]
    return seats


def table_with_chairs(placer: Placer, builder: Builder, chair: Builder, *, rug: bool) -> int | None:
    """A table in the open with chairs around it, now and then on a rug that holds them all."""
    low, high = placer.plan.corners.min(axis=0), placer.plan.corners.max(axis=0)
    start = placer.checkpoint()
    for attempt in range(36):
        if attempt % 6 == 0:
            model = build(placer, builder)
            width, depth = model.size[:2]
        spot = 0.5 * (low + high) + placer.rng.uniform(-0.3, 0.3, 2) * (high - low)
        yaw = 0.5 * np.pi * int(placer.rng.integers(2))
        if rug and attempt < 18:
            mat = decor.rug(placer.rng, placer.plan.palette, width + 1.5, depth + 1.5, oval=False)
            if placer.on_floor(mat, spot, yaw) is None:
                continue
        index = placer.on_floor(model, spot, yaw)
        enough = 0.9 if attempt < 24 else 0.45
        if (
            index is not None
            and chairs_around(placer, index, chair, ends=chance(placer, 0.5)) >= enough
        ):
            return index
        placer.restore(start)
    placer.give_up(model)
    return None


def lay(placer: Placer, table: int) -> None:
    """Lays a table more than half of the time, a place in front of each chair; puts a few things in its middle."""
    if chance(placer, 0.65):
        settings = Settings(placer)
        for chair in _chairs_at(placer, table):
            settings.lay(table, chair)
    _middle(placer, table, amount(placer, int(placer.rng.integers(1, 5))))


def _chairs_at(placer: Placer, table: int) -> list[Float[Array, "2"]]:
    """Where chairs that face a table stand, in its axes."""
    thing = placer.placed[table]
    half, spots = 0.5 * thing.model.size[:2], []
    for other in placer.placed:
        local = (other.position[:2] - thing.position[:2]) @ thing.rotation[:2, :2]
        near = bool((np.abs(local) < half + 0.5).all())
        towards = float(other.facing @ (thing.position[:2] - other.position[:2]))
        if other.model.label == "chair" and near and towards > 0.0:
            spots.append(local)
    return spots


class Settings:
    """The places of one table: everybody gets the same things, each where it belongs."""

    def __init__(self, placer: Placer) -> None:
        """Chooses the tableware."""
        self.placer = placer
        self.plate = max((build(placer, tableware.plate) for _ in range(2)), key=_wide)
        # The same numbers drawn twice: handles that match.
        seed, palette = int(placer.rng.integers(2**32)), placer.plan.palette
        self.fork, self.knife = (
            make(np.random.default_rng(seed), palette) for make in (things.fork, things.knife)
        )
        self.with_cutlery, self.with_cup = chance(placer, 0.75), chance(placer, 0.7)
        self.cup = build(placer, tableware.cup)

    def lay(self, table: int, chair: Float[Array, "2"]) -> None:
        """A plate before a chair, fork to the left of it, knife to the right, a cup beyond the knife."""
        thing = self.placer.placed[table]
        edge, ahead = _edge_before(thing.model, chair)
        right = np.array([ahead[1], -ahead[0]])
        turn = float(np.arctan2(-ahead[0], ahead[1]))  # +y of what lies there points ahead
        radius = 0.5 * _wide(self.plate)
        middle = edge + ahead * (RIM + radius)
        if self.placer.on(self.plate, table, at=middle, turn=turn) is None:
            return
        reach = radius + CUTLERY_GAP
        if self.with_cutlery:
            for model, side in ((self.fork, -right), (self.knife, right)):
                spot = middle + side * (reach + 0.5 * _wide(model))
                tilt = float(self.placer.rng.uniform(-0.05, 0.05))
                self.placer.on(model, table, at=spot, turn=turn + tilt)
        if self.with_cup:
            spot = middle + right * reach + ahead * (0.14 + 0.5 * _wide(self.cup))
            self.placer.on(self.cup, table, at=spot, turn=turn + float(self.placer.rng.uniform(-1, 1)))  # fmt: skip


def _wide(model: Model) -> float:
    return float(model.size[0])


def _edge_before(table: Model, chair: Float[Array, "2"]) -> tuple[Array, Array]:
    """The point of a table's edge before a chair, and the direction in which who sits there looks."""
    if table.shape == "round":
        outward = chair / np.linalg.norm(chair)
        return 0.5 * float(table.size[0]) * outward, -outward
    half = 0.5 * table.size[:2]
    axis = int(np.argmax(np.abs(chair) - half))
    edge = np.clip(chair, -half, half)
    edge[axis] = np.sign(chair[axis]) * half[axis]
    ahead = np.zeros(2)
    ahead[axis] = -np.sign(chair[axis])
    return edge, ahead


def _middle(placer: Placer, table: int, count: int) -> None:
    """Different things along the middle line of a table."""
    size = placer.placed[table].model.size[:2]
    long = int(np.argmax(size))
    for number in placer.rng.permutation(len(MIDDLE))[:count].tolist():
        model = build(placer, MIDDLE[number])
        if model.size[2] > TALLEST or max(model.size[:2]) > 0.4 * min(size):
            continue
        for _ in range(8):
            spot = np.array([0.03, 0.03]) * placer.rng.standard_normal(2)
            spot[long] = float(placer.rng.uniform(-0.3, 0.3)) * size[long]
            turn = float(placer.rng.uniform(-np.pi, np.pi))
            if placer.try_on(model, table, spot, turn) is not None:
                break
