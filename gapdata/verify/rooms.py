"""Questions about the room and its floor, from the visible floor, walls and whatever stands between them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.resting import shell
from gapdata.verify.surroundings import all_points
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    options_verdict,
    stated_number,
)

Array = np.ndarray

CELL = 0.1  # metres
WHOLE = 0.9  # of the most that an area can be that has to be seen to know it
BODY = (0.12, 1.75)  # metres above the floor between which something is in the way


def room_size(facts: PixelFacts, qa: QA) -> Verdict:
    """The area: at least that of the floor seen, at most that of the floors' boxes together.

    Of several floors only those below all cameras count: others are seen through doors.
    """
    stated = stated_number(qa)
    floors = _floors_below(facts, qa)
    grid, _ = _raster(_floor(facts, floors))
    least = float(grid.sum()) * CELL**2
    edge = 4.0 * float(np.sqrt(max(least, 0.0))) * CELL
    boxes = [facts.instance(number).box for number in floors]
    most = float(sum(box.size[0] * box.size[1] for box in boxes))
    detail = f"stated {qa.answer}, {least:.1f} seen, {most:.1f} at most"
    if not least - edge - 0.05 <= stated <= most + 0.05:
        return contradict(detail)
    if abs(stated - qa.evidence["area_m2"]) > 0.051:
        return contradict(f"{detail}, measured {qa.evidence['area_m2']:.1f}")
    near = least >= WHOLE * most
    return first_doubt(options_verdict(qa), AGREE if near else bounded(detail))


def room_count(facts: PixelFacts, qa: QA) -> Verdict:
    """The number of pieces into which visible walls divide the visible floor; unseen walls and floor only bound it."""
    stated = int(stated_number(qa))
    if stated != qa.evidence["count"]:
        return contradict(f"stated {stated}, measured {qa.evidence['count']}")
    walls = np.concatenate(
        [np.zeros((0, 3)), *(facts.cloud(number) for number in shell(facts, "wall"))]
    )
    floor, origin = _raster(_floor(facts))
    cell = np.floor((walls[:, :2] - origin) / CELL).astype(np.int64)
    cell = cell[((cell >= 0) & (cell < floor.shape)).all(axis=1)]
    floor[cell[:, 0], cell[:, 1]] = False
    label, _ = ndimage.label(floor)
    pieces = int((np.bincount(label.ravel())[1:] * CELL**2 >= 1.0).sum())
    return AGREE if pieces == stated else bounded(f"stated {stated}, {pieces} pieces of floor")


def free_space_point(facts: PixelFacts, qa: QA) -> Verdict:
    """The nearest visible thing to a visible spot on the floor; what hides it may hide nearer things too."""
    (view,) = qa.views
    u, v = qa.value if qa.format == "pixel" else qa.markers[0]["pixel"]
    if facts.id_at(view, u, v) not in shell(facts, "floor"):
        return contradict(f"pixel ({u:.0f}, {v:.0f}) shows no floor")
    spot = facts.point_at(view, u, v)
    if np.isnan(spot).any():
        return contradict(f"pixel ({u:.0f}, {v:.0f}) has no depth")
    radius = qa.evidence["radius_m"]
    fits = qa.value if qa.format == "yesno" else True
    points = all_points(facts, {*shell(facts, "floor"), *shell(facts, "ceiling")})
    height = points[:, 2] - spot[2]
    near = points[(height > BODY[0]) & (height < BODY[1])]
    away = np.linalg.norm(near[:, :2] - spot[:2], axis=1)
    nearest = float(away.min(initial=np.inf))
    if not facts.exact and len(away) >= 5:  # recorded depth flies off at edges
        nearest = float(np.sort(away)[4])
    detail = f"stated {qa.answer}, radius {radius:.2f} m, nearest thing seen at {nearest:.2f} m"
    if f"{2 * radius:.1f} m across" not in qa.question:
        return contradict(f"the question does not say {2 * radius:.1f} m across")
    if not fits:
        return AGREE if nearest <= radius else _hidden(facts, qa, detail)
    if nearest < radius - 0.5 * facts.tolerance:
        return contradict(detail)
    ring = np.linalg.norm(_floor(facts)[:, :2] - spot[:2], axis=1) <= radius
    grid, _ = _raster(_floor(facts)[ring])
    seen = float(grid.sum()) * CELL**2 / (np.pi * radius**2)
    return AGREE if seen >= WHOLE else bounded(f"{detail}, {seen:.2f} of the floor there seen")


def _hidden(facts: PixelFacts, qa: QA, detail: str) -> Verdict:
    """What is said to be in the way is not seen: contradicted when all floor around the spot is."""
    (view,) = qa.views
    spot = facts.point_at(view, *qa.markers[0]["pixel"])
    radius = qa.evidence["radius_m"]
    floor = _floor(facts)
    grid, _ = _raster(floor[np.linalg.norm(floor[:, :2] - spot[:2], axis=1) <= radius])
    seen = float(grid.sum()) * CELL**2 / (np.pi * radius**2)
    return contradict(f"{detail}, all floor seen") if seen >= 1.2 else bounded(detail)


def _floors_below(facts: PixelFacts, qa: QA) -> list[int]:
    """The floors whose boxes hold all cameras of the question seen from above; all floors where there is one or none."""
    floors = sorted(shell(facts, "floor"))
    eyes = np.array([facts.views[view].camera.center_world for view in qa.views])

    def holds(number: int) -> bool:
        box = facts.instance(number).box
        local = (eyes - box.center) @ box.rotation
        return bool((np.abs(local[:, :2]) <= 0.5 * box.size[:2]).all())

    below = [number for number in floors if holds(number)]
    return below if len(floors) > 1 and below else floors


def _floor(facts: PixelFacts, floors: Iterable[int] | None = None) -> Float[Array, "n 3"]:
    """What all views show of the floors, or of some of them."""
    parts = [
        facts.points(view, number, 16384)
        for number in (shell(facts, "floor") if floors is None else floors)
        for view in range(len(facts.views))
    ]
    return np.concatenate([np.zeros((0, 3)), *parts])


def _raster(points: Float[Array, "n 3"]) -> tuple[Bool[Array, "w h"], Float[Array, "2"]]:
    """Cells that hold a point, and the world x, y of the first cell's corner."""
    if len(points) == 0:
        return np.zeros((1, 1), bool), np.zeros(2)
    origin = points[:, :2].min(axis=0)
    cell = np.floor((points[:, :2] - origin) / CELL).astype(np.int64)
    grid = np.zeros(cell.max(axis=0) + 1, bool)
    grid[cell[:, 0], cell[:, 1]] = True
    return grid, origin
