"""The plan of a house: rooms that share walls, the doors between them, windows to the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from gapdata.errors import GapdataError
from gapdata.synthetic.layout import WALL_THICKNESS, Opening, Plan, sample_window
from gapdata.synthetic.materials import Palette, sample_palette
from gapdata.synthetic.palettes import palette_for

Array = np.ndarray

OUTSIDE = -1  # in place of a room's number
PARTITION = 0.14  # metres: a wall between two rooms, half of it each room's
TRIES = 200
# Floor area in square metres from wall to wall.
AREAS: dict[str, tuple[float, float]] = {
    "bathroom": (4.0, 8.5), "bedroom": (9.0, 18.0), "dining room": (11.0, 20.0), "kitchen": (9.0, 18.0),
    "living room": (17.0, 36.0), "office": (8.0, 15.0),
}  # fmt: skip
LEAST_SIDE, LEAST_BATHROOM_SIDE = 2.4, 1.75
# What a house has, in the order in which rooms are added; the first is the one that others open to.
PROGRAM = ("living room", "bathroom", "bedroom", "kitchen", "corridor", "bedroom", "office")
EXTRA = ("bedroom", "bathroom", "dining room", "office")
ROOMS = (3, 8)
CORRIDOR_WIDTH = (1.25, 1.9)
BAND_DEPTH = (2.6, 4.4)
DOOR_WIDTH, BATHROOM_DOOR_WIDTH = (0.84, 0.96), (0.8, 0.86)
PASSAGE_WIDTH = (1.2, 1.8)  # of an opening without a leaf
DOOR_HEIGHT = (2.02, 2.1)
CORNER = (0.13, 0.5)  # metres from a room's corner to a door
STEP_ASIDE = 0.7  # metres of floor that stay free in front of a door that opens the other way


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cell:
    """One room's share of the house, to the middle of its partition walls and the inside of its outer walls."""

    kind: str
    low: Float[Array, "2"]
    high: Float[Array, "2"]

    @property
    def area(self) -> float:
        """Square metres."""
        return float(np.prod(self.high - self.low))


@dataclass(frozen=True, kw_only=True, slots=True)
class Doorway:
    """An opening in the wall of room `owner`, into which its leaf turns, to room `other` or OUTSIDE."""

    owner: int
    other: int
    wall: int  # of the owner's plan
    start: float  # metres along that wall
    end: float
    top: float
    has_leaf: bool
    hinge: int  # 1: on the right seen from the owner, -1: on the left
    angle: float  # radians by which the leaf is open


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HousePlan:
    """Rooms and the doorways between them; floor at z = 0, the house centred on the origin."""

    rooms: tuple[Plan, ...]
    kinds: tuple[str, ...]
    doorways: tuple[Doorway, ...]


def sample_house(rng: np.random.Generator) -> HousePlan:
    """A house of 3 to 8 rooms. Raises GapdataError when no layout was found in a bounded number of tries."""
    count = int(rng.integers(ROOMS[0], ROOMS[1] + 1))
    for _ in range(TRIES):
        cells = _flip(rng, _cells(rng, _program(rng, count)))
        if all(_is_roomy(cell) for cell in cells):
            break
    else:
        raise GapdataError(f"expected a layout of {count} rooms, found none in {TRIES} tries")
    height = float(rng.uniform(2.4, 2.9))
    style = sample_palette(rng)
    plans = [
        _plan(rng, cells, number, name, height, style)
        for number, name in enumerate(_names([cell.kind for cell in cells]))
    ]
    doorways = _doorways(rng, cells, plans)
    rooms = [
        _with_openings(rng, cells[n].kind, plan, n, doorways, plans) for n, plan in enumerate(plans)
    ]
    return HousePlan(
        rooms=tuple(rooms), kinds=tuple(cell.kind for cell in cells), doorways=tuple(doorways)
    )


def _program(rng: np.random.Generator, count: int) -> list[str]:
    kinds = list(PROGRAM[: min(count, len(PROGRAM))])
    extra = rng.permutation(np.array(EXTRA)).tolist()
    kinds += extra[: count - len(kinds)]
    if "kitchen" not in kinds:
        kinds[0] = "kitchen"  # the smallest homes live in it
    return kinds


def _is_roomy(cell: Cell) -> bool:
    short = float((cell.high - cell.low).min()) - PARTITION
    if cell.kind == "corridor":
        return True
    long = float((cell.high - cell.low).max())
    least = LEAST_BATHROOM_SIDE if cell.kind == "bathroom" else LEAST_SIDE
    return short >= least and long <= 2.6 * short


def _cells(rng: np.random.Generator, kinds: Sequence[str]) -> list[Cell]:
    """Rooms in two bands on both sides of a corridor, the living room across one end; or without a corridor."""
    main, others = kinds[0], [kind for kind in kinds[1:] if kind != "corridor"]
    area = {number: float(rng.uniform(*AREAS[kind])) for number, kind in enumerate(others)}
    main_area = float(rng.uniform(*AREAS[main]))
    order = [int(number) for number in rng.permutation(len(others))]
    if "corridor" not in kinds:
        total = sum(area.values())
        length = total / float(rng.uniform(2.4, 4.0))
        deep = total / length
        front = Cell(kind=main, low=np.zeros(2), high=np.array([length, main_area / length]))
        at = np.array([0.0, main_area / length])
        return [front, *_band(others, order, area, at, (length, deep))]
    bands = _two_bands(order, area)
    sums = [sum(area[number] for number in band) for band in bands]
    length = 0.5 * sum(sums) / float(rng.uniform(*BAND_DEPTH))
    below, above = sums[0] / length, sums[1] / length
    aisle = float(rng.uniform(*CORRIDOR_WIDTH)) + PARTITION
    across = below + aisle + above
    start = main_area / across
    # The corridor may end before the last room, which is then reached through its end.
    cells = [
        Cell(kind=main, low=np.zeros(2), high=np.array([start, across])),
        Cell(
            kind="corridor",
            low=np.array([start, below]),
            high=np.array([start + length, below + aisle]),
        ),
    ]
    cells += _band(others, bands[0], area, np.array([start, 0.0]), (length, below))
    cells += _band(others, bands[1], area, np.array([start, below + aisle]), (length, above))
    return cells


def _two_bands(order: Sequence[int], area: dict[int, float]) -> tuple[list[int], list[int]]:
    """The rooms shared out so that both sides have about the same area."""
    bands: tuple[list[int], list[int]] = ([], [])
    filled = [0.0, 0.0]
    for number in sorted(order, key=lambda n: -area[n]):
        side = int(filled[1] < filled[0])
        bands[side].append(number)
        filled[side] += area[number]
    place = {number: k for k, number in enumerate(order)}
    return sorted(bands[0], key=place.__getitem__), sorted(bands[1], key=place.__getitem__)


def _band(
    kinds: Sequence[str], order: Sequence[int], area: dict[int, float], at: Array, size: tuple[float, float]
) -> list[Cell]:  # fmt: skip
    total, x = sum(area[number] for number in order), float(at[0])
    cells = []
    for number in order:
        wide = size[0] * area[number] / total
        cells.append(
            Cell(
                kind=kinds[number],
                low=np.array([x, at[1]]),
                high=np.array([x + wide, at[1] + size[1]]),
            )
        )
        x += wide
    return cells


def _flip(rng: np.random.Generator, cells: Sequence[Cell]) -> list[Cell]:
    """The house centred on the origin, mirrored and turned at random."""
    low = np.min([cell.low for cell in cells], axis=0)
    high = np.max([cell.high for cell in cells], axis=0)
    sign, swap = np.where(rng.random(2) < 0.5, -1.0, 1.0), rng.random() < 0.5

    def turned(point: Array) -> Array:
        moved = (point - 0.5 * (low + high)) * sign
        return moved[::-1].copy() if swap else moved

    corners = [(turned(cell.low), turned(cell.high)) for cell in cells]
    return [
        Cell(kind=cell.kind, low=np.minimum(a, b), high=np.maximum(a, b))
        for cell, (a, b) in zip(cells, corners, strict=True)
    ]


def _names(kinds: Sequence[str]) -> list[str]:
    """The kinds, numbered where there are several of one."""
    names = []
    for number, kind in enumerate(kinds):
        several = kinds.count(kind) > 1
        names.append(f"{kind} {kinds[: number + 1].count(kind)}" if several else kind)
    return names


def _plan(
    rng: np.random.Generator, cells: Sequence[Cell], number: int, name: str, height: float, style: Palette
) -> Plan:  # fmt: skip
    """An empty room without openings. Woodwork and metal are the whole house's."""
    cell = cells[number]
    own = palette_for(rng, cell.kind)
    if cell.kind not in ("bathroom", "kitchen") and rng.random() < 0.75:
        own = replace(own, floor=style.floor)
    palette = replace(own, trim=style.trim, metal=style.metal, wood=style.wood)
    inside = [_neighbours(cells, number, wall) != [] for wall in range(4)]
    thickness = tuple(PARTITION / 2 if shared else WALL_THICKNESS for shared in inside)
    # Outer walls stand outside the cell, partition walls half inside it.
    inset = [PARTITION / 2 if shared else 0.0 for shared in inside]
    low = cell.low + np.array([inset[3], inset[0]])
    high = cell.high - np.array([inset[1], inset[2]])
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    return Plan(
        name=name, corners=corners, height=height, openings=(), palette=palette, thickness=thickness
    )


def _neighbours(cells: Sequence[Cell], number: int, wall: int) -> list[int]:
    """Rooms behind wall 0 (towards -y), 1 (+x), 2 (+y) or 3 (-x)."""
    axis, sign = ((1, -1), (0, 1), (1, 1), (0, -1))[wall]
    own = cells[number]
    edge = (own.high if sign > 0 else own.low)[axis]
    found = []
    for other, cell in enumerate(cells):
        facing = (cell.low if sign > 0 else cell.high)[axis]
        along = 1 - axis
        shared = min(own.high[along], cell.high[along]) - max(own.low[along], cell.low[along])
        if other != number and abs(facing - edge) < 1e-6 and shared > 1e-6:
            found.append(other)
    return found


def _doorways(
    rng: np.random.Generator, cells: Sequence[Cell], plans: Sequence[Plan]
) -> list[Doorway]:
    """Every room opens to the corridor, or without one to the first room; an entrance; now and then one more."""
    kinds = [cell.kind for cell in cells]
    hub = kinds.index("corridor") if "corridor" in kinds else 0
    doorways = []
    for room in range(len(cells)):
        if room != hub:
            is_passage = room == 0 and rng.random() < 0.5
            doorways.append(_doorway(rng, cells, plans, room, hub, is_passage=is_passage))
    if "kitchen" in kinds[1:] and hub != 0 and rng.random() < 0.6:
        kitchen = kinds.index("kitchen")
        if any(kitchen in _neighbours(cells, 0, wall) for wall in range(4)):
            doorways.append(_doorway(rng, cells, plans, kitchen, 0, is_passage=True))
    return [*(door for door in doorways if door is not None), _entrance(rng, cells, plans, hub)]


def _doorway(
    rng: np.random.Generator, cells: Sequence[Cell], plans: Sequence[Plan], owner: int, other: int, *, is_passage: bool
) -> Doorway | None:  # fmt: skip
    """A doorway in the wall that two rooms share; None where they share too little of one."""
    for wall in range(4):
        if other not in _neighbours(cells, owner, wall):
            continue
        plan, far = plans[owner], plans[other]
        ends = sorted(
            float(np.clip(plan.along(wall, corner), 0.0, plan.lengths[wall]))
            for corner in (far.corners.min(axis=0), far.corners.max(axis=0))
        )
        widths = BATHROOM_DOOR_WIDTH if cells[owner].kind == "bathroom" else DOOR_WIDTH
        width = float(rng.uniform(*(PASSAGE_WIDTH if is_passage else widths)))
        room = ends[1] - ends[0] - 2 * CORNER[0]
        width = min(width, room - 0.02)
        if width < BATHROOM_DOOR_WIDTH[0] - 0.01:
            return None
        hinge = 1 if rng.random() < 0.5 else -1
        nudge = min(float(rng.uniform(*CORNER)) - CORNER[0], room - width)
        start = ends[0] + CORNER[0] + nudge if hinge < 0 else ends[1] - CORNER[0] - nudge - width
        return Doorway(
            owner=owner, other=other, wall=wall, start=start, end=start + width, top=float(rng.uniform(*DOOR_HEIGHT)),
            has_leaf=not is_passage, hinge=hinge, angle=float(np.deg2rad(rng.uniform(82.0, 104.0))),
        )  # fmt: skip
    return None


def _entrance(
    rng: np.random.Generator, cells: Sequence[Cell], plans: Sequence[Plan], hub: int
) -> Doorway:
    """The shut front door, in an outer wall of the room that the others open to."""
    plan = plans[hub]
    outer = [wall for wall in range(4) if not _neighbours(cells, hub, wall)]
    wall = outer[int(rng.integers(len(outer)))]
    length, width = float(plan.lengths[wall]), float(rng.uniform(0.9, 1.0))
    start = CORNER[0] + float(rng.random()) * max(0.0, length - width - 2 * CORNER[0])
    return Doorway(
        owner=hub, other=OUTSIDE, wall=wall, start=start, end=start + width, top=float(rng.uniform(*DOOR_HEIGHT)),
        has_leaf=True, hinge=1, angle=0.0,
    )  # fmt: skip


def _with_openings(
    rng: np.random.Generator, kind: str, plan: Plan, number: int, doorways: Sequence[Doorway], plans: Sequence[Plan]
) -> Plan:  # fmt: skip
    """The plan with its doors and windows."""
    openings = []
    for door in doorways:
        if door.owner == number:
            clear = max(0.75, door.end - door.start + 0.08)
            openings.append(_hole(door.wall, door.start, door.end, door.top, clear))
        elif door.other == number:
            wall = (door.wall + 2) % 4
            ends = [
                plan.along(wall, plans[door.owner].point(door.wall, s))
                for s in (door.end, door.start)
            ]
            openings.append(_hole(wall, ends[0], ends[1], door.top, STEP_ASIDE))
    taken = {opening.wall for opening in openings}
    outer = [w for w in range(4) if plan.thicknesses[w] == WALL_THICKNESS and plan.lengths[w] > 1.6]
    free = [wall for wall in outer if wall not in taken]
    lit = rng.permutation(np.array(free, np.int64))[: int(rng.integers(1, 3))].tolist()
    openings += [sample_window(rng, plan, wall, kind) for wall in lit]
    return replace(plan, openings=tuple(openings))


def _hole(wall: int, start: float, end: float, top: float, clear: float) -> Opening:
    return Opening(wall=wall, kind="door", start=start, end=end, sill=0.0, top=top, clear=clear)
