"""The plan of a room: its corners, its height, where doors and windows are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.materials import Palette

Array = np.ndarray

AREA = (7.0, 60.0)  # square metres of floor: from a small bedroom to a large open-plan room
LEAST_SIDE = 2.3  # metres: short side of a room's bounding rectangle
LONGEST = 2.2  # of the short side: a room's long side at most
CORRIDOR_SIDE, CORRIDOR_LONGEST = 1.75, 4.0  # the same of corridors
LEAST_ARM = 1.9  # metres: width of the arms of an L
WALL_THICKNESS = 0.14  # metres, of walls to the outside
CORNER_MARGIN = 0.35  # openings keep this distance from the wall's ends
WINDOW_WIDTH, WINDOW_SILL = (0.7, 2.6), (0.6, 1.1)  # metres
# Nobody looks into bathrooms; a worktop fits below a kitchen's windows.
WIDTH_BY_KIND = {"bathroom": (0.45, 0.8)}
SILL_BY_KIND = {"bathroom": (1.3, 1.5), "kitchen": (1.0, 1.15)}
MOST_WINDOWS = {"bathroom": 2, "corridor": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """A hole in a wall, metres along the wall from its first corner, and above the floor."""

    wall: int
    kind: str  # "door" or "window"
    start: float
    end: float
    sill: float
    top: float
    clear: float = 0.95  # metres of floor in front of a door that stay free


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """An empty room in the world frame: floor at z = 0, the bounding rectangle centred on the origin."""

    name: str  # of the room, unique in the scene
    corners: Float[Array, "K 2"]  # inner corners, counter-clockwise, walls along x or y
    height: float
    openings: tuple[Opening, ...]
    palette: Palette
    thickness: tuple[float, ...] = ()  # metres, of each wall; () = WALL_THICKNESS for all

    @property
    def lengths(self) -> Float[Array, " K"]:
        """Inner length of each wall; wall i runs from corner i to corner i + 1."""
        return np.asarray(np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1))

    @property
    def directions(self) -> Float[Array, "K 2"]:
        """Unit vectors along the walls."""
        return np.asarray(
            (np.roll(self.corners, -1, axis=0) - self.corners) / self.lengths[:, None]
        )

    @property
    def inward(self) -> Float[Array, "K 2"]:
        """Unit normals of the walls that point into the room."""
        return np.asarray(self.directions @ np.array([[0.0, 1.0], [-1.0, 0.0]]))

    @property
    def area(self) -> float:
        """Floor area in square metres (shoelace formula)."""
        x, y = self.corners.T
        return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))

    def point(self, wall: int, along: float) -> Float[Array, "2"]:
        """The point of a wall's inner face `along` metres from its first corner."""
        return np.asarray(self.corners[wall] + self.directions[wall] * along)

    def along(self, wall: int, point: Float[Array, "2"]) -> float:
        """How far along a wall a point lies, in metres from the wall's first corner."""
        return float((point - self.corners[wall]) @ self.directions[wall])

    @property
    def thicknesses(self) -> Float[Array, " K"]:
        """Thickness of each wall."""
        return np.array(self.thickness or (WALL_THICKNESS,) * len(self.corners))

    @property
    def outer_corners(self) -> Float[Array, "K 2"]:
        """Where the outer faces of the walls meet."""
        return self.offset_corners(self.thicknesses)

    def offset_corners(self, distance: float | Float[Array, " K"]) -> Float[Array, "K 2"]:
        """The corners moved outwards by `distance`, one or one a wall, from both walls that meet there."""
        shift = self.inward * np.broadcast_to(distance, len(self.corners))[:, None]
        return np.asarray(self.corners - shift - np.roll(shift, 1, axis=0))

    def inside(self, point: Float[Array, "2"]) -> bool:
        """Whether a point of the floor lies in the room."""
        return any(bool(((point > a) & (point < b)).all()) for a, b in self.rectangles(0.0))

    def rectangles(self, margin: float | Float[Array, " K"]) -> list[tuple[Array, Array]]:
        """(low, high) corners of rectangles that together cover the plan grown by `margin`, disjoint inside."""
        grown = self.offset_corners(margin)
        low, high = grown.min(axis=0), grown.max(axis=0)
        if len(grown) == 4:
            return [(low, high)]
        notch = grown[_reflex_corner(self)]
        split_x = notch[0]
        spans = ((low[0], split_x), (split_x, high[0]))
        rects = []
        for x0, x1 in spans:
            inside = [
                c for c in grown if x0 - 1e-9 <= c[0] <= x1 + 1e-9 and not np.isclose(c[0], split_x)
            ]
            ys = [c[1] for c in inside]
            rects.append((np.array([x0, min(ys)]), np.array([x1, max(ys)])))
        return rects


def _reflex_corner(plan: Plan) -> int:
    before, after = np.roll(plan.directions, 1, axis=0), plan.directions
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return int(np.argmin(turn))


def sample_plan(rng: np.random.Generator, name: str, area: float, palette: Palette) -> Plan:
    """A room of `area` square metres with a door and windows: a rectangle or, when there is space, often an L.

    Its proportions are drawn evenly on a logarithmic scale between a square and what its sides allow; corridors are
    long.
    """
    notch = rng.uniform(0.25, 0.55, 2)
    around, least_side = area / (1.0 - float(notch.prod())), LEAST_ARM / (1.0 - float(notch.max()))
    is_corridor = name == "corridor"
    is_l = rng.random() < 0.5 and around > least_side**2 and not is_corridor
    if not is_l:
        around, least_side = area, CORRIDOR_SIDE if is_corridor else LEAST_SIDE
    even = float(rng.random())
    if is_corridor:
        stretch = min(CORRIDOR_LONGEST, around / least_side**2) ** (0.7 + 0.3 * even)
    else:
        stretch = min(LONGEST, around / least_side**2) ** even
    size = np.sqrt(around * np.array([stretch, 1.0 / stretch]))
    if rng.random() < 0.5:
        size = size[::-1]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.5 * size
    if is_l:
        corners = _cut_corner(corners, size * notch, int(rng.integers(4)))
    # Large rooms have high ceilings more often.
    height = rng.uniform(2.35, 2.75 + 0.8 * min(1.0, area / 40.0))
    bare = Plan(name=name, corners=corners, height=float(height), openings=(), palette=palette)
    return replace(bare, openings=_openings(rng, bare))


def _cut_corner(corners: Array, notch: Array, which: int) -> Array:
    corner = corners[which]
    inner = corner - np.sign(corner) * notch
    before = corners[which - 1]
    # Walking counter-clockwise the wall before the corner runs along x for corners 1 and 3.
    along_x = np.isclose(before[1], corner[1])
    first = np.array([inner[0], corner[1]] if along_x else [corner[0], inner[1]])
    last = np.array([corner[0], inner[1]] if along_x else [inner[0], corner[1]])
    return np.concatenate([corners[:which], [first, inner, last], corners[which + 1 :]])


def _openings(rng: np.random.Generator, plan: Plan) -> tuple[Opening, ...]:
    walls = [i for i in np.argsort(-plan.lengths, kind="stable").tolist() if plan.lengths[i] > 1.7]
    door_wall = walls[int(rng.integers(len(walls)))]
    width, top = float(rng.uniform(0.74, 1.05)), float(rng.uniform(1.95, 2.15))
    slack = float(plan.lengths[door_wall]) - width - 2 * CORNER_MARGIN
    # Doors stand near a corner, which keeps the wall free for furniture.
    nudge = min(slack, float(rng.uniform(0.0, 0.4)))
    start = CORNER_MARGIN + (nudge if rng.random() < 0.5 else slack - nudge)
    openings = [
        Opening(wall=door_wall, kind="door", start=start, end=start + width, sill=0.0, top=top)
    ]
    others = [i for i in walls if i != door_wall and plan.lengths[i] > 1.9]
    count = min(len(others), int(rng.integers(1, MOST_WINDOWS.get(plan.name, 4) + 1)))
    lit = rng.permutation(np.array(others))[:count].tolist()
    return (*openings, *(sample_window(rng, plan, wall, plan.name) for wall in lit))


def sample_window(rng: np.random.Generator, plan: Plan, wall: int, kind: str) -> Opening:
    """A window somewhere in a wall at least 1.5 m long, as rooms of that kind have them."""
    width, sill = WIDTH_BY_KIND.get(kind, WINDOW_WIDTH), SILL_BY_KIND.get(kind, WINDOW_SILL)
    room = float(plan.lengths[wall]) - 2 * CORNER_MARGIN - 0.2
    wide = min(float(rng.uniform(*width)), room)
    middle = float(plan.lengths[wall]) / 2 + float(rng.uniform(-0.5, 0.5)) * (room - wide)
    low, top = float(rng.uniform(*sill)), float(rng.uniform(1.9, 2.2))
    return Opening(
        wall=wall,
        kind="window",
        start=middle - wide / 2,
        end=middle + wide / 2,
        sill=low,
        top=top,
    )
