"""The room itself: how large it is, how many rooms there are, and where on its floor something fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Int

from gapdata.geometry.camera import unproject_pixels
from gapdata.geometry.transforms import transform_points
from gapdata.markers import marker
from gapdata.tasks.candidates import OPTIONS, drawn, number_or_choice
from gapdata.tasks.facts import Facts
from gapdata.tasks.floor_plan import Room
from gapdata.tasks.question import Question

Array = np.ndarray

CHOICE_SHARE = 0.6  # of the questions for a number that offer options
GRID = 96  # pixels across an image that are looked at
BLOCK = 10  # cells along the sides of a block of floor that counts as seen as a whole
SPARE = 0.1  # metres of air around what surely fits, or of overlap with what surely is in the way
DRAWS = 64  # pixels of the floor drawn a view
PATCH = 2  # pixels around a drawn one that show the floor as well
# What is to fit on the floor, and its radius in metres.
GUESTS = (
    ("a standing person who takes up a circle 0.6 m across", 0.3),
    ("a round stool 0.4 m across", 0.2),
    ("a round table 1.0 m across", 0.5),
    ("a round armchair 0.8 m across", 0.4),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomSize:
    """Floor area between the walls of the room that all asked views are taken in."""

    name: ClassVar[str] = "room_size"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "floor area of the room in square metres"
    counterparts: ClassVar[str] = "VSI room_size_estimation; SPAR room_size"

    min_seen: float = 0.4  # of the floor area, in blocks of about 0.2 m, that some view shows
    questions: int = 1

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question about all views, when walls enclose them."""
        for views in facts.view_sets("all"):
            for _, own in drawn(range(self.questions), self.questions, rng):
                plan = facts.scene.floor_plan
                eyes = [facts.views[view].camera.center_world[:2] for view in views]
                rooms = [plan.room_of(eye) for eye in eyes]
                room = rooms[0]
                if room is None or any(other is not room for other in rooms):
                    facts.drop(self.name, "no walls all around the views")
                    continue
                seen = facts.once(_seen_blocks, views, plan.rooms.index(room))
                if seen < self.min_seen:
                    facts.drop(self.name, "too little of the floor seen")
                    continue
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    evidence={"area_m2": room.area, "seen_share": seen, "min_seen": self.min_seen},
                    **number_or_choice(room.area, "m2", own, choice_share=CHOICE_SHARE),
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomCount:
    """Number of rooms that the views show, each room walled in and seen well or not at all."""

    name: ClassVar[str] = "room_count"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "number of rooms that the views show, of two or more"
    counterparts: ClassVar[str] = "SIMS-V; no counterpart in SPAR or VSI"

    min_seen: float = (
        0.15  # of a room's floor area, in blocks, that some view shows; else nothing of it
    )
    min_rooms: float = 2.0  # one room is the answer nearly always, and known without looking
    questions: int = 1

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question about all views of a place with several rooms."""
        for views in facts.view_sets("all"):
            for _, own in drawn(range(self.questions), self.questions, rng):
                plan = facts.scene.floor_plan
                rooms = () if plan.is_empty else plan.rooms
                seen = [facts.once(_seen_blocks, views, number) for number in range(len(rooms))]
                shown = [share for share in seen if share > 0.0]
                if len(shown) < self.min_rooms:
                    facts.drop(self.name, "fewer than two rooms seen")
                    continue
                if min(shown) < self.min_seen:
                    facts.drop(self.name, "some room only seen in part")
                    continue
                if any(facts.scene.floor_plan.room_of(eye) is None for eye in _eyes(facts, views)):
                    facts.drop(self.name, "a view from outside all rooms")
                    continue
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    evidence={"seen_shares": shown, "count": len(shown)},
                    margin=min(shown),
                    **_number_or_choice(len(shown), own),
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeSpacePoint:
    """A spot on the floor where something of a stated size fits, or whether it fits at a marked one."""

    name: ClassVar[str] = "free_space_point"
    formats: ClassVar[tuple[str, ...]] = ("pixel", "yesno")
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "a spot on the floor where a thing of stated size fits"
    counterparts: ClassVar[str] = "RoboSpatial context (free space); RoboPoint"

    min_room: float = SPARE  # metres of air around what fits, or of overlap with what is in the way
    questions: int = 3  # a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Some questions a view about random pixels of the floor."""
        for views in facts.view_sets("single"):
            for _, own in drawn(range(self.questions), self.questions, rng):
                words, radius = GUESTS[int(own.integers(len(GUESTS)))]
                is_claim, is_free = own.random(2) < 0.5
                spots = _floor_spots(facts, views[0], own)
                if len(spots) == 0:
                    facts.drop(self.name, "no floor seen")
                    continue
                u, v, clearance, obstacle = spots.T
                fits, blocked = clearance >= radius + SPARE, obstacle <= radius - SPARE
                good = fits if is_free or not is_claim else blocked
                if not good.any():
                    facts.drop(self.name, "no such spot seen")
                    continue
                index = int(good.argmax()) if is_claim else int(clearance.argmax())
                free = bool(fits[index])
                away = float((clearance if free else obstacle)[index])
                if abs(away - radius) < self.min_room:
                    facts.drop(self.name, "less room than asked for")
                    continue
                pixel = [float(u[index]), float(v[index])]
                points = (marker("point", views[0], "red", pixel=pixel),) if is_claim else ()
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{'yesno' if is_claim else 'pixel'}",
                    format="yesno" if is_claim else "pixel",
                    views=views,
                    value=free if is_claim else pixel,
                    unit="m",
                    evidence={"pixel": pixel, "radius_m": radius, "clearance_m": away},
                    margin=abs(away - radius),
                    markers=points,
                    slots={"guest": words, "size": _size(facts, views[0])},
                )


def _eyes(facts: Facts, views: tuple[int, ...]) -> list[Float[Array, "2"]]:
    return [facts.views[view].camera.center_world[:2] for view in views]


def _size(facts: Facts, view: int) -> str:
    camera = facts.views[view].camera
    return f"{camera.width} x {camera.height} pixels"


def _number_or_choice(count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Format, value and choices: consecutive counts from 1 in random order, the truth's rank uniform where it can be."""
    if rng.random() >= CHOICE_SHARE:
        return {"format": "number", "value": float(count)}
    lowest = count - int(rng.integers(min(OPTIONS, count)))
    options = [str(lowest + int(step)) for step in rng.permutation(OPTIONS)]
    return {"format": "choice", "value": str(count), "choices": tuple(options)}


def _seen_blocks(facts: Facts, views: tuple[int, ...], number: int) -> float:
    """Share of a room's blocks of floor over which some view shows a surface."""
    plan = facts.scene.floor_plan
    room: Room = plan.rooms[number]
    shape = tuple(-(-side // BLOCK) for side in plan.shape)
    inside = np.zeros(shape, bool)
    rows, columns = np.nonzero(room.cells)
    inside[rows // BLOCK, columns // BLOCK] = True
    seen = np.zeros(shape, bool)
    for view in views:
        cell, on_raster = plan.cells_of(_surface_spots(facts, view))
        cell = cell[on_raster]
        cell = cell[room.cells[cell[:, 0], cell[:, 1]]] // BLOCK
        seen[cell[:, 0], cell[:, 1]] = True
    return float((seen & inside).sum() / max(int(inside.sum()), 1))


def _surface_spots(facts: Facts, view: int) -> Float[Array, "n 2"]:
    """World x, y of what a coarse grid of pixels shows."""
    depth = facts.views[view].depth
    assert depth is not None
    step = max(1, depth.shape[1] // GRID)
    v, u = np.mgrid[step // 2 : depth.shape[0] : step, step // 2 : depth.shape[1] : step]
    return _spots(facts, view, np.stack([u.ravel(), v.ravel()], axis=-1))


def _spots(facts: Facts, view: int, pixel: Int[Array, "n 2"]) -> Float[Array, "m 2"]:
    """World x, y of what the pixels with depth show."""
    camera, depth = facts.views[view].camera, facts.views[view].depth
    assert depth is not None
    z = depth[pixel[:, 1], pixel[:, 0]].astype(np.float64)
    points = unproject_pixels(camera.K, pixel[z > 0].astype(np.float64), z[z > 0])
    return np.asarray(transform_points(camera.cam2world, points)[:, :2])


def _floor_spots(facts: Facts, view: int, rng: np.random.Generator) -> Float[Array, "n 4"]:
    """Random pixels (u, v) of the floor, with metres from there to what is not free floor and to what is in the way."""
    plan, columns = facts.scene.floor_plan, facts.columns(view)
    depth = facts.views[view].depth
    if plan.is_empty or depth is None or min(columns.shape) <= 2 * PATCH:
        return np.zeros((0, 4))
    v, u = facts.once(_floor_pixels, view)
    chosen = rng.choice(len(v), min(DRAWS, len(v)), replace=False)
    pixel = np.stack([u[chosen], v[chosen]], axis=-1)
    cell, inside = plan.cells_of(_spots(facts, view, pixel))
    near = plan.clearance[cell[:, 0], cell[:, 1]], plan.obstacle_distance[cell[:, 0], cell[:, 1]]
    return np.column_stack([pixel, *near])[inside]


def _floor_pixels(facts: Facts, view: int) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
    """Rows and columns of the pixels that have only floor around them."""
    depth = facts.views[view].depth
    assert depth is not None
    is_floor = np.zeros(len(facts.scene.ids) + 1, bool)
    is_floor[facts.scene.contacts.floors] = True
    floor = is_floor[facts.columns(view)] & (depth > 0)
    middle = floor[PATCH:-PATCH, PATCH:-PATCH].copy()
    for dv, du in ((0, 1), (2, 1), (1, 0), (1, 2)):
        middle &= floor[dv * PATCH :, du * PATCH :][: middle.shape[0], : middle.shape[1]]
    v, u = np.nonzero(middle)
    return v + PATCH, u + PATCH
