"""Houses and blocks with windows and doors. The street front is the plane y = 0 and looks towards -y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.materials import ACCENTS, Finish, pick, shaded
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, block, loft
from gapdata.synthetic.street.paints import (
    BLACK,
    BRICKS,
    CONCRETES,
    DARK_STEEL,
    DOORS,
    RENDERS,
    ROOFS,
    painted,
)  # fmt: skip
from gapdata.synthetic.street.solids import boxes, merged

Array = np.ndarray

REVEAL = 0.16  # metres that windows lie behind the wall's face
TRIM = Finish(rgb=(238, 236, 230), material="wood")
STONE = Finish(rgb=(196, 190, 178), material="stone", texture="plaster")


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """The look and the measures of one building, in metres."""

    wall: Finish
    ground: Finish  # of the ground floor
    frame: Finish
    roof: Finish
    door: Finish
    base: float  # height of the ground floor
    storey: float
    floors: int  # with the ground floor
    window: tuple[float, float]  # width, height
    sill: float  # above each storey's floor
    bay: float  # wanted distance between windows
    shop: bool
    gable: bool
    balconies: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Panels:
    """Boxes of one wall, by what they are made of: (sizes, places)."""

    wall: list[tuple[Array, Array]]
    ground: list[tuple[Array, Array]]
    glass: list[tuple[Array, Array]]
    frame: list[tuple[Array, Array]]
    door: list[tuple[Array, Array]]
    stone: list[tuple[Array, Array]]
    balcony: list[tuple[Array, Array]]
    rail: list[tuple[Array, Array]]


def city_style(rng: np.random.Generator) -> Style:
    """A block in a closed row: three to six floors, often with a shop."""
    wall = _wall(rng)
    shop, modern = rng.random() < 0.6, rng.random() < 0.25
    wide = float(rng.uniform(1.0, 1.3)) if not modern else float(rng.uniform(1.7, 2.3))
    return Style(
        wall=wall, ground=STONE if rng.random() < 0.5 else shaded(wall, 0.82),
        frame=TRIM if rng.random() < 0.6 else DARK_STEEL, roof=_roof(rng), door=painted(rng, DOORS, "wood"),
        base=float(rng.uniform(3.6, 4.3)) if shop else float(rng.uniform(3.0, 3.5)), storey=float(rng.uniform(2.9, 3.4)),
        floors=int(rng.integers(3, 7)), window=(wide, float(rng.uniform(1.5, 1.9))), sill=float(rng.uniform(0.75, 0.95)),
        bay=wide + float(rng.uniform(0.8, 1.5)), shop=shop, gable=not modern and rng.random() < 0.5,
        balconies=rng.random() < 0.3,
    )  # fmt: skip


def house_style(rng: np.random.Generator) -> Style:
    """A house of its own: one or two floors under a pitched roof."""
    wall = _wall(rng)
    wide = float(rng.uniform(1.0, 1.5))
    return Style(
        wall=wall, ground=wall, frame=TRIM, roof=_roof(rng), door=painted(rng, DOORS, "wood"),
        base=float(rng.uniform(2.7, 3.0)), storey=float(rng.uniform(2.6, 2.9)), floors=int(rng.integers(1, 3)),
        window=(wide, float(rng.uniform(1.1, 1.4))), sill=0.9, bay=wide + float(rng.uniform(1.0, 1.8)),
        shop=False, gable=True, balconies=False,
    )  # fmt: skip


def _wall(rng: np.random.Generator) -> Finish:
    kind = float(rng.random())
    if kind < 0.4:
        return Finish(rgb=pick(rng, BRICKS, 8), material="brick", texture="bricks")
    if kind < 0.85:
        return Finish(rgb=pick(rng, RENDERS, 8), material="paint", texture="plaster")
    return Finish(rgb=pick(rng, CONCRETES, 6), material="concrete", texture="concrete")


def _roof(rng: np.random.Generator) -> Finish:
    return Finish(rgb=pick(rng, ROOFS, 8), material="tile", texture="roof")


def building(
    rng: np.random.Generator, style: Style, size: tuple[float, float], label: str, *,
    open_sides: tuple[bool, bool] = (True, True),
) -> Model:  # fmt: skip
    """A building of (width, depth), door or shop towards the street.

    It has windows in front and, where `open_sides` says so, on the sides at +x and -x; the back is plain.
    """
    width, depth = size
    high = style.base + (style.floors - 1) * style.storey
    parts: list[Part] = []
    core = block((width - 2 * REVEAL, depth - 2 * REVEAL, high), (0.0, 0.5 * depth, 0.0))
    parts += parts_of(BLACK, core)
    sides = ((width, (0.0, 0.0), 0.0), (depth, (0.5 * width, 0.5 * depth), 0.5 * np.pi),
             (width, (0.0, depth), np.pi), (depth, (-0.5 * width, 0.5 * depth), -0.5 * np.pi))  # fmt: skip
    groups: dict[str, list[Solid]] = {name: [] for name in _Panels.__slots__}
    for number, (length, middle, turn) in enumerate(sides):
        inner = length if number % 2 == 0 else length - 2 * REVEAL
        if number == 0 or (number % 2 == 1 and open_sides[number // 2]):
            panels = _side(rng, style, inner, is_front=number == 0)
        else:
            panels = _blank(style, inner, high)
        for name in groups:
            made = getattr(panels, name)
            if made:
                solid = boxes(
                    np.concatenate([s for s, _ in made]), np.concatenate([a for _, a in made])
                )
                groups[name].append(_turned(solid, turn, middle))
    finishes = {
        "wall": style.wall, "ground": style.ground, "frame": style.frame, "door": style.door, "stone": STONE, "balcony": STONE, "rail": DARK_STEEL,
        "glass": Finish(rgb=pick(rng, ((74, 88, 98), (58, 70, 82), (96, 108, 114)), 6), material="glass", texture="panes"),
    }  # fmt: skip
    for name, solids in groups.items():
        if solids:
            parts += parts_of(finishes[name], merged(solids))
    if style.shop:
        parts += _awning(rng, style, width)
    parts += _gable(style, width, depth, high) if style.gable else _flat(style, width, depth, high)
    return Model(label=label, parts=tuple(parts), finish=style.wall, shape="box")


def _turned(solid: Solid, turn: float, middle: tuple[float, float]) -> Solid:
    return (
        solid if turn == 0.0 and middle == (0.0, 0.0) else solid.turned(turn).moved((*middle, 0.0))
    )


def _blank(style: Style, length: float, high: float) -> _Panels:
    """A wall without windows."""
    wall = [(np.array([[length, REVEAL, high]]), np.array([[0.0, 0.5 * REVEAL, 0.0]]))]
    return _Panels(wall=wall, ground=[], glass=[], frame=[], door=[], stone=[], balcony=[], rail=[])


def _side(rng: np.random.Generator, style: Style, length: float, *, is_front: bool) -> _Panels:
    """The wall along x from -length / 2 to length / 2, its face at y = 0, windows REVEAL behind it."""
    panels = _Panels(wall=[], ground=[], glass=[], frame=[], door=[], stone=[], balcony=[], rail=[])
    count = max(1, int((length - 0.8) / style.bay))
    pitch = length / count
    middles = -0.5 * length + pitch * (np.arange(count) + 0.5)
    wide = min(style.window[0], pitch - 0.4)
    for floor in range(style.floors):
        low = 0.0 if floor == 0 else style.base + (floor - 1) * style.storey
        high = style.base + floor * style.storey
        wall = panels.ground if floor == 0 else panels.wall
        if floor == 0 and is_front:
            _ground_front(rng, style, panels, length, middles, pitch)
        else:
            holes = np.tile(
                [wide, low + style.sill, min(low + style.sill + style.window[1], high - 0.25)],
                (count, 1),
            )
            _pierced(wall, length, middles, holes, (low, high))
            _windows(panels, middles, holes)
            if is_front and floor > 0 and style.balconies:
                _balconies(panels, middles[::2], wide, low)
        if is_front and floor > 0:
            panels.stone.append(
                (np.array([[length, 0.05, 0.12]]), np.array([[0.0, -0.025, low - 0.06]]))
            )
    return panels


def _pierced(
    wall: list[tuple[Array, Array]], length: float, middles: Float[Array, " n"], holes: Float[Array, "n 3"],
    levels: tuple[float, float],
) -> None:  # fmt: skip
    """Adds the boxes of a wall with a hole (width, low, high) about each middle."""
    low, high = levels
    starts = np.concatenate([[-0.5 * length], middles + 0.5 * holes[:, 0]])
    ends = np.concatenate([middles - 0.5 * holes[:, 0], [0.5 * length]])
    x, wide = 0.5 * (starts + ends), ends - starts
    rows = [(x, wide, np.full(len(x), low), np.full(len(x), high - low))]
    rows.append((middles, holes[:, 0], holes[:, 2], high - holes[:, 2]))
    above = holes[:, 1] > low + 1e-6
    rows.append(
        (middles[above], holes[above, 0], np.full(int(above.sum()), low), holes[above, 1] - low)
    )
    for x, wide, bottom, tall in rows:
        if len(x):
            sizes = np.stack([wide, np.full(len(x), REVEAL), tall], axis=-1)
            wall.append((sizes, np.stack([x, np.full(len(x), 0.5 * REVEAL), bottom], axis=-1)))


def _windows(panels: _Panels, middles: Float[Array, " n"], holes: Float[Array, "n 3"]) -> None:
    """Adds glass, frames with a mullion and a transom, and sills to holes."""
    wide, low, tall = holes[:, 0], holes[:, 1], holes[:, 2] - holes[:, 1]
    n, bar, y = len(middles), 0.07, REVEAL - 0.05

    def add(
        group: list[tuple[Array, Array]],
        x: Array,
        size: tuple[Array | float, float, Array | float],
        at_y: float,
        z: Array,
    ) -> None:
        sizes = np.stack([np.broadcast_to(part, (n,)) for part in size], axis=-1).astype(np.float64)
        group.append((sizes, np.stack([x, np.full(n, at_y), z], axis=-1)))

    add(panels.glass, middles, (wide, 0.03, tall), REVEAL - 0.014, low)
    for side in (-0.5, 0.5):
        add(panels.frame, middles + side * (wide - bar), (bar, 0.06, tall), y, low)
    add(panels.frame, middles, (wide - 2 * bar, 0.06, bar), y, low)
    add(panels.frame, middles, (wide - 2 * bar, 0.06, bar), y, low + tall - bar)
    add(panels.frame, middles, (0.06, 0.055, tall - 2 * bar), y, low + bar)
    if tall[0] > 1.45:
        add(panels.frame, middles, (wide - 2 * bar, 0.05, 0.05), y, low + 0.68 * tall)
    add(panels.stone, middles, (wide + 0.16, 0.12, 0.06), -0.045, low - 0.06)


def _ground_front(
    rng: np.random.Generator, style: Style, panels: _Panels, length: float, middles: Float[Array, " n"], pitch: float
) -> None:  # fmt: skip
    """Shop windows or windows on the ground floor, with one door."""
    count = len(middles)
    door = int(rng.integers(count))
    wide = np.full(count, pitch - 0.5 if style.shop else min(style.window[0], pitch - 0.4))
    low = np.full(count, 0.45 if style.shop else style.sill + 0.1)
    top = np.full(
        count,
        style.base - 1.0
        if style.shop
        else min(style.sill + 0.1 + style.window[1], style.base - 0.3),
    )
    wide[door], low[door], top[door] = min(1.15, pitch - 0.3), 0.0, 2.3
    holes = np.stack([wide, low, top], axis=-1)
    _pierced(panels.ground, length, middles, holes, (0.0, style.base))
    others = np.arange(count) != door
    if others.any():
        _windows(panels, middles[others], holes[others])
    x, w = float(middles[door]), float(wide[door])
    y = REVEAL - 0.06
    panels.door.append((
        np.array([[w - 0.14, 0.06, 2.12], [0.5 * w, 0.02, 0.6], [0.5 * w, 0.02, 0.7]]),
        np.array([[x, y, 0.05], [x, y - 0.035, 0.25], [x, y - 0.035, 1.15]]),
    ))  # fmt: skip
    panels.frame.append((
        np.array([[0.07, 0.09, 2.3], [0.07, 0.09, 2.3], [w - 0.14, 0.09, 0.13]]),
        np.array([[x - 0.5 * w + 0.035, y, 0], [x + 0.5 * w - 0.035, y, 0], [x, y, 2.17]]),
    ))  # fmt: skip
    panels.stone.append(
        (np.array([[w + 0.3, 0.05 + REVEAL, 0.05]]), np.array([[x, 0.5 * REVEAL - 0.025, 0.0]]))
    )
    panels.frame.append((np.array([[0.03, 0.06, 0.16]]), np.array([[x + 0.35 * w, y - 0.06, 1.0]])))


def _balconies(panels: _Panels, middles: Float[Array, " n"], wide: float, low: float) -> None:
    length = wide + 0.7
    posts = np.linspace(-0.5 * length + 0.02, 0.5 * length - 0.02, 9)

    def row(x: Array, size: tuple[float, float, float], y: float, z: float) -> tuple[Array, Array]:
        return np.tile(size, (len(x), 1)), np.stack(
            [x, np.full(len(x), y), np.full(len(x), z)], axis=-1
        )

    panels.balcony.append(row(middles, (length, 0.9, 0.14), -0.45, low - 0.02))
    panels.rail.append(row(middles, (length, 0.04, 0.06), -0.86, low + 1.02))
    panels.rail.append(
        row((middles[:, None] + posts).ravel(), (0.025, 0.03, 0.9), -0.86, low + 0.12)
    )
    sides = (middles[:, None] + [-0.5 * length + 0.02, 0.5 * length - 0.02]).ravel()
    panels.rail.append(row(sides, (0.04, 0.84, 0.06), -0.44, low + 1.02))


def _awning(rng: np.random.Generator, style: Style, width: float) -> list[Part]:
    """A sign board over the shop and, by chance, a sloping awning."""
    paint = Finish(rgb=pick(rng, ACCENTS, 10), material="plastic")
    board = block((0.8 * width, 0.1, 0.55), (0.0, -0.05, style.base - 0.78))
    parts = list(parts_of(paint, board))
    if rng.random() < 0.6:
        cloth = Finish(rgb=pick(rng, ACCENTS, 10), material="fabric", texture="stripes")
        half, z = 0.38 * width, style.base - 0.85
        section = np.array([[-0.02, 0.0], [-1.1, -0.45], [-1.1, -0.52], [-0.02, -0.06]])
        rings = np.zeros((2, 4, 3))
        rings[:, :, 0] = np.array([[-half], [half]])
        rings[:, :, 1:] = section + [0.0, z]
        parts += parts_of(cloth, loft(rings))
    return parts


def _flat(style: Style, width: float, depth: float, high: float) -> list[Part]:
    """A flat roof with a parapet and a cornice."""
    slab = block((width - 2 * REVEAL, depth - 2 * REVEAL, 0.12), (0, 0.5 * depth, high))
    rim = boxes(
        np.array([[width, 0.25, 0.7], [width, 0.25, 0.7], [0.25, depth - 0.5, 0.7], [0.25, depth - 0.5, 0.7]]),
        np.array([[0, 0.125, high], [0, depth - 0.125, high], [0.5 * width - 0.125, 0.5 * depth, high], [-0.5 * width + 0.125, 0.5 * depth, high]]),
    )  # fmt: skip
    cornice = boxes(np.array([[width, 0.3, 0.16]]), np.array([[0, 0.05, high + 0.58]]))
    return [*parts_of(DARK_STEEL, slab), *parts_of(style.wall, rim), *parts_of(STONE, cornice)]


def _gable(style: Style, width: float, depth: float, high: float) -> list[Part]:
    """A pitched roof whose ridge runs along the street, gable walls and a chimney."""
    rise, over = min(0.5 * depth * 0.8, 4.2), 0.35
    section = np.array([[0.0, 0.0], [depth, 0.0], [0.5 * depth, rise]])
    loft_rings = np.zeros((2, 3, 3))
    loft_rings[:, :, 0] = np.array([[-0.5 * width + 0.01], [0.5 * width - 0.01]])
    loft_rings[:, :, 1:] = section + [0.0, high]
    slope = np.array([0.5 * depth, rise]) / np.hypot(0.5 * depth, rise)
    out = np.array([-slope[1], slope[0]])
    parts = list(parts_of(style.wall, loft(loft_rings)))
    planes = []
    for mirror in (1.0, -1.0):
        low, ridge = -over * slope, np.array([0.5 * depth, rise])
        plane = np.stack([low, ridge, ridge + [0.0, 0.16], low + 0.15 * out])
        if mirror < 0:
            plane = (np.array([depth, 0.0]) + plane * [-1.0, 1.0])[::-1]
        rings = np.zeros((2, 4, 3))
        rings[:, :, 0] = np.array([[-0.5 * width], [0.5 * width]])
        rings[:, :, 1:] = plane + [0.0, high]
        planes.append(loft(rings))
    chimney = block((0.6, 0.6, 1.4), (0.3 * width, 0.62 * depth, high + 0.6 * rise))
    gutter = block((width, 0.1, 0.1), (0.0, -over * slope[0] - 0.05, high - over * slope[1] - 0.02))
    return [
        *parts,
        *parts_of(style.roof, *planes),
        *parts_of(style.wall, chimney),
        *parts_of(STONE, gutter),
    ]
