"""The floor seen from above: where the walls enclose it, where something stands on it, where one can walk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from gapdata.geometry.transforms import rotation_about_z
from gapdata.scene import Scene
from gapdata.tasks.contacts import Contacts
from gapdata.tasks.plumb import covered_cells, ramp

Array = np.ndarray

CELL = 0.0213  # metres; no divisor of the lengths rooms are made of, so that walls do not lie on cell edges
BORDER = 8  # cells around the floor
LEVEL = 0.7  # cosine to the vertical from which a face of the floor is level
TOP_SHARE = 0.7  # of the floor's area lies lower than its height: half of a slab's is its underside
FLOOR_DEPTH = 0.1  # metres below its height where the floor ends
BODY_LOW, BODY_HIGH = 0.10, 1.8  # metres above the floor between which something is in one's way
WALL_LOW = 0.3  # skirting boards lie lower and are no wall
ENCLOSED_FLOOR = 0.5  # of an enclosed area has to be known as floor
DOORFRAME = "doorframe"
MIN_ROOM = 2.0  # square metres; less is a niche, not a room


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """An area that walls enclose."""

    cells: Bool[Array, "h w"]
    area: float  # square metres between the walls
    floor_share: float  # of the area that is known as floor


class FloorPlan:
    """Rasters of a scene's floor in axes that lie with the floor, so that they move along with the world.

    A scene without a mesh or without a floor has an empty plan: no room and nowhere to stand.
    """

    def __init__(self, scene: Scene, contacts: Contacts, columns: Int[Array, " M"]) -> None:
        """`columns` gives the column of each instance id."""
        self._contacts = contacts
        frames = [i.id for i in scene.instances if i.label == DOORFRAME]
        self._doorframes = columns[np.array(frames, np.int64)]
        mesh = scene.mesh
        self._triangles = np.zeros((0, 3, 3))
        self._owner = np.zeros(0, np.int64)
        if mesh is not None:
            self._triangles = mesh.vertices[mesh.faces].astype(np.float64)
            self._owner = columns[mesh.face_instance].astype(np.int64)
        ground = self._triangles[np.isin(self._owner, contacts.floors)]
        upward = np.cross(ground[:, 1] - ground[:, 0], ground[:, 2] - ground[:, 0])
        area = np.linalg.norm(upward, axis=1)
        level = (np.abs(upward[:, 2]) > LEVEL * area) & (area > 0)
        self.is_empty = not level.any()
        if self.is_empty:
            return
        height = ground[level, :, 2].mean(axis=1)
        order = np.argsort(height, kind="stable")
        share = np.cumsum(area[level][order]) / area[level].sum()
        self.height = float(height[order][np.searchsorted(share, TOP_SHARE)])
        self._ground = ground[level][height >= self.height - FLOOR_DEPTH]
        self._set_axes(self._ground.reshape(-1, 3)[:, :2])

    def _set_axes(self, spots: Float[Array, "n 2"]) -> None:
        """The raster's axes: those of the smallest rectangle around the floor, about its middle."""
        start = spots.mean(axis=0)
        hull = cv2.convexHull((spots - start).astype(np.float32))
        middle, size, angle = cv2.minAreaRect(hull)
        self._turn = rotation_about_z(-np.deg2rad(float(angle)))[:2, :2]
        half = int(np.ceil(0.5 * max(size) / CELL)) + BORDER
        self._middle = start + np.asarray(middle, np.float64)
        self._half, self.shape = half, (2 * half, 2 * half)

    def grid(self, spots: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
        """World x, y in cells: the cell (i, j) holds [i, i + 1) x [j, j + 1)."""
        return np.asarray((spots - self._middle) @ self._turn.T / CELL + self._half)

    def cells_of(self, spots: Float[Array, "n 2"]) -> tuple[Int[Array, "n 2"], Bool[Array, " n"]]:
        """The cell of each world x, y, moved onto the raster, and whether it was on the raster."""
        cell = np.floor(self.grid(spots)).astype(np.int64)
        inside = ((cell >= 0) & (cell < 2 * self._half)).all(axis=1)
        return np.clip(cell, 0, 2 * self._half - 1), inside

    @cached_property
    def floor(self) -> Bool[Array, "h w"]:
        """Where the floor itself is known."""
        return self._covered(self._ground)

    @cached_property
    def rooms(self) -> tuple[Room, ...]:
        """Areas enclosed by walls, largest first; openings are closed by what hangs over or in them."""
        walls = self._triangles[np.isin(self._owner, self._contacts.walls)]
        walls = walls[walls[:, :, 2].max(axis=1) > self.height + WALL_LOW]
        label, count = ndimage.label(~(self._covered(walls) | self._outlined(walls)))
        outside = np.unique(np.concatenate([label[[0, -1]].ravel(), label[:, [0, -1]].ravel()]))
        cells = np.bincount(label.ravel(), minlength=count + 1)
        known = np.bincount(label[self.floor], minlength=count + 1)
        rooms = []
        for number in range(1, count + 1):
            if number in outside or cells[number] * CELL**2 < MIN_ROOM:
                continue
            share = float(known[number] / cells[number])
            if share < ENCLOSED_FLOOR:
                continue
            room = label == number
            # A wall's face lies anywhere in the cell that it marks: half a cell on the average.
            area = (cells[number] + 0.5 * _edge_count(room)) * CELL**2
            rooms.append(Room(room, float(area), share))
        return tuple(sorted(rooms, key=lambda room: -room.area))

    @cached_property
    def blocked(self) -> Bool[Array, "h w"]:
        """Where something is in the way of a standing person.

        All of an object that reaches below head height blocks: what is inside a wardrobe is no room to stand.
        Of walls and door frames only what is there: one can stand below a lintel.
        """
        others = ~np.isin(
            self._owner, np.concatenate([self._contacts.floors, self._contacts.ceilings])
        )
        triangles, owner = self._triangles[others], self._owner[others]
        top = triangles[:, :, 2].max(axis=1) - self.height
        low = triangles[:, :, 2].min(axis=1) - self.height
        count = int(self._owner.max()) + 1
        bottom = np.full(count, np.inf)
        np.minimum.at(bottom, owner, low)
        solid = np.ones(count, bool)
        solid[self._contacts.walls] = False
        solid[self._doorframes] = False
        in_way = (top > BODY_LOW) & (
            (low < BODY_HIGH) | (solid[owner] & (bottom[owner] < BODY_HIGH))
        )
        triangles = triangles[in_way]
        # Faces as small as a few cells leave no gap that one could pass when only their corners are marked.
        small = np.ptp(triangles[:, :, :2], axis=1).max(axis=1) <= 4 * CELL
        result = self._covered(triangles) | self._outlined(triangles[~small])
        cell, inside = self.cells_of(triangles[small, :, :2].reshape(-1, 2))
        result[cell[inside, 0], cell[inside, 1]] = True
        return result

    @cached_property
    def clearance(self) -> Float[Array, "h w"]:
        """Metres from each cell's middle to the nearest place that is blocked or not known to be floor."""
        return _distance(self.floor & ~self.blocked)

    @cached_property
    def obstacle_distance(self) -> Float[Array, "h w"]:
        """Metres from each cell's middle to the nearest place that is known to be blocked."""
        return _distance(~self.blocked)

    def room_of(self, spot: Float[Array, "2"]) -> Room | None:
        """The enclosed room a world x, y is in."""
        if self.is_empty:
            return None
        cell, inside = self.cells_of(spot[None])
        return next(
            (room for room in self.rooms if inside[0] and room.cells[cell[0, 0], cell[0, 1]]), None
        )

    def _covered(self, triangles: Float[Array, "f 3 3"]) -> Bool[Array, "h w"]:
        """Cells whose middle lies in a triangle seen from above."""
        result = np.zeros(self.shape, bool)
        plan = self.grid(triangles[:, :, :2])
        a, b = plan[:, 1] - plan[:, 0], plan[:, 2] - plan[:, 0]
        twice = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        plan, a, b, twice = (part[np.abs(twice) > 1e-6] for part in (plan, a, b, twice))
        last = 2 * self._half - 1
        first = np.clip(np.ceil(plan.min(axis=1) - 0.5), 0, last + 1).astype(np.int64)
        final = np.clip(np.floor(plan.max(axis=1) - 0.5), -1, last).astype(np.int64)
        row, cell = covered_cells(first, final)
        offset = cell + 0.5 - plan[row, 0]
        s = (offset[:, 0] * b[row, 1] - offset[:, 1] * b[row, 0]) / twice[row]
        t = (a[row, 0] * offset[:, 1] - a[row, 1] * offset[:, 0]) / twice[row]
        met = cell[(s >= 0) & (t >= 0) & (s + t <= 1)]
        result[met[:, 0], met[:, 1]] = True
        return result

    def _outlined(self, triangles: Float[Array, "f 3 3"]) -> Bool[Array, "h w"]:
        """Cells that the edges of triangles touch seen from above; what stands upright is all edge."""
        result = np.zeros(self.shape, bool)
        plan = self.grid(triangles[:, :, :2])
        start = plan.reshape(-1, 2)
        way = np.roll(plan, -1, axis=1).reshape(-1, 2) - start
        count = np.ceil(2 * np.abs(way).max(axis=1)).astype(np.int64) + 1
        row = np.repeat(np.arange(len(start)), count)
        part = ramp(count) / np.maximum(count[row] - 1, 1)
        cell = np.floor(start[row] + part[:, None] * way[row]).astype(np.int64)
        cell = cell[((cell >= 0) & (cell < 2 * self._half)).all(axis=1)]
        result[cell[:, 0], cell[:, 1]] = True
        return result


def _distance(free: Bool[Array, "h w"]) -> Float[Array, "h w"]:
    """Metres from each free cell's middle to the middle of the nearest other cell, less half a cell."""
    return np.maximum(np.asarray(ndimage.distance_transform_edt(free)) - 0.5, 0.0) * CELL


def _edge_count(cells: Bool[Array, "h w"]) -> int:
    """Edges between a cell of the set and one outside."""
    return int((cells[1:] != cells[:-1]).sum() + (cells[:, 1:] != cells[:, :-1]).sum())
