"""What is measured before anything is asked: once a scene (`SceneFacts`), once a sample (`Facts`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int32, UInt8

from gapdata.geometry.camera import inside_image, unproject_pixels
from gapdata.geometry.depth import SEEN, UNKNOWN, point_visibility
from gapdata.geometry.transforms import euler_zxy_from_rotation, transform_points
from gapdata.labels import GROUND_LABELS, NYU40, STRUCTURE_NYU40, is_structure
from gapdata.sample import Visibility
from gapdata.scene import Scene
from gapdata.tasks.boxes import Boxes
from gapdata.tasks.contacts import Contacts
from gapdata.tasks.floor_plan import FloorPlan
from gapdata.tasks.nouns import fit_table
from gapdata.tasks.surfaces import Surfaces
from gapdata.view import AmodalMask, View

Array = np.ndarray
Histograms = tuple[Int[Array, "N W"], Int[Array, "N H"]]
T = TypeVar("T")

REFERENCE_AREA = 640 * 480  # pixel thresholds are stated for this image area and scale with it
EXTENT_PERCENT = 5.0  # visible extents leave out this much at each end
OVERLAP_GRID = 32  # cells across the image when the overlap of two views is measured


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenRule:
    """When an instance counts as seen in a view."""

    min_visible: float = 0.2  # visible fraction
    min_pixels: float = 200.0  # at 640 x 480, in proportion to the image area


CLEARLY_SEEN = SeenRule()
HALF_SEEN = SeenRule(min_visible=0.5)


class Remembered:
    """Remembers what was computed from it."""

    def __init__(self) -> None:
        self._once: dict[Hashable, Any] = {}

    def once(self, compute: Callable[..., T], *args: Hashable) -> T:
        """`compute(self, *args)`, computed when first asked for: facts that few tasks need."""
        key = (compute, *args)
        if key not in self._once:
            self._once[key] = compute(self, *args)
        value: T = self._once[key]
        return value


class SceneFacts(Remembered):
    """Facts of a scene that no view changes. Columns follow `ids` (ascending)."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.instances = tuple(sorted(scene.instances, key=lambda instance: instance.id))
        self.ids: Int32[Array, " N"] = np.array([i.id for i in self.instances], np.int32)
        self.labels = tuple(instance.label for instance in self.instances)
        self.is_object: Bool[Array, " N"] = np.array(
            [bool(i.label.strip()) and not is_structure(i.label, i.nyu40) for i in self.instances],
            bool,
        )
        shell = GROUND_LABELS | {NYU40[number] for number in STRUCTURE_NYU40}
        self.has_name: Bool[Array, " N"] = self.is_object | np.array(
            [label in shell for label in self.labels], bool
        )
        self.boxes = Boxes(self.instances)
        self.surfaces = Surfaces(scene, self.ids)
        names, self.label_index = np.unique(
            np.array(self.labels, dtype=object), return_inverse=True
        )
        self._fits = fit_table(names.tolist())
        # Column of an instance id; ids that are not in the table lead to the extra last column.
        self.column_of: Int32[Array, " M"] = np.full(65536, len(self.ids), np.int32)
        self.column_of[self.ids] = np.arange(len(self.ids))

    @cached_property
    def contacts(self) -> Contacts:
        """What rests on, lies under or in what."""
        return Contacts(self.scene, self.instances, self.surfaces, self.column_of)

    @cached_property
    def floor_plan(self) -> FloorPlan:
        """The floor seen from above."""
        return FloorPlan(self.scene, self.contacts, self.column_of)

    def rivals(self, present: Bool[Array, " N"]) -> Int[Array, " N"]:
        """For each column, how many of the present instances its label fits, itself included."""
        if len(self.ids) == 0:
            return np.zeros(0, np.int64)
        count = np.bincount(self.label_index[present], minlength=len(self._fits))
        return np.asarray((self._fits @ count)[self.label_index])

    def fitted(self, column: int) -> Bool[Array, " N"]:
        """The instances that the column's label fits, itself included."""
        return np.asarray(self._fits[self.label_index[column]][self.label_index])


class Facts(Remembered):
    """Facts of one sample: which view shows what, and everything tasks measure, shared between them.

    `drops` counts, as "task: reason", the candidates that tasks gave up.
    """

    def __init__(self, scene_facts: SceneFacts, views: Sequence[View]) -> None:
        super().__init__()
        self.scene = scene_facts
        self.views = tuple(views)
        self.drops: Counter[str] = Counter()
        self._seen: dict[SeenRule, Bool[Array, "V N"]] = {}
        self._cam: dict[tuple[int, int], Float[Array, "n 3"]] = {}
        self._bbox: dict[tuple[int, int], list[float]] = {}
        self._overlap: dict[tuple[int, int], float] = {}
        self._columns = [scene_facts.column_of.take(_ids(view)) for view in self.views]
        count = len(scene_facts.ids)
        self._histograms = [_histograms(columns, count) for columns in self._columns]
        pixels = [down.sum(axis=1) for _, down in self._histograms]
        self.visibility, self.present = _measure(scene_facts, self.views, self._columns, pixels)

    def view_sets(self, *kinds: str) -> list[tuple[int, ...]]:
        """Which views a question may be about: every "single" one, every "pair" in order, "all" of them."""
        count = len(self.views)
        sets: list[tuple[int, ...]] = []
        if "single" in kinds or ("all" in kinds and count == 1):
            sets += [(view,) for view in range(count)]
        if "pair" in kinds:
            sets += [(a, b) for a in range(count) for b in range(a + 1, count)]
        if "all" in kinds and count > 1:
            sets.append(tuple(range(count)))
        return sets

    def seen(self, rule: SeenRule) -> Bool[Array, "V N"]:
        """Whether each view shows each instance well enough by the rule."""
        if rule not in self._seen:
            area = [view.camera.height * view.camera.width for view in self.views]
            pixels = rule.min_pixels * np.array(area)[:, None] / REFERENCE_AREA
            self._seen[rule] = (self.visibility.visible >= rule.min_visible) & (
                self.visibility.pixels >= pixels
            )
        return self._seen[rule]

    def named(self, task: str, views: Sequence[int], rule: SeenRule) -> list[int]:
        """Columns of the objects that are seen in some asked view and whose label fits nothing else there.

        Sorted by label. An instance of which the asked views show only a trace is still a rival.
        """
        rows = list(views)
        present = np.asarray(self.present[rows].any(axis=0))
        candidates = present & self.scene.is_object
        seen = candidates & self.seen(rule)[rows].any(axis=0)
        unique = seen & (self.scene.rivals(present) == 1)
        self.drop(task, "object not seen well enough", int(candidates.sum() - seen.sum()))
        self.drop(task, "label fits several objects", int(seen.sum() - unique.sum()))
        return sorted(np.flatnonzero(unique).tolist(), key=lambda column: self.scene.labels[column])

    def drop(self, task: str, reason: str, count: int = 1) -> None:
        """Count candidates that a task gave up."""
        if count:
            self.drops[f"{task}: {reason}"] += count

    def columns(self, view: int) -> Int32[Array, "H W"]:
        """The view's instance ids as columns; pixels of no known instance hold the number of columns."""
        return self._columns[view]

    def id(self, column: int) -> int:
        """Instance id of a column."""
        return int(self.scene.ids[column])

    def surface_cam(self, view: int, column: int) -> Float[Array, "n 3"]:
        """Surface points of an instance in a view's camera frame, metres."""
        if (view, column) not in self._cam:
            world2cam = self.views[view].camera.world2cam
            points = self.scene.surfaces.points(column)
            self._cam[view, column] = transform_points(world2cam, points)
        return self._cam[view, column]

    def bbox_3d(self, view: int, column: int) -> list[float]:
        """The instance's box in a view's camera frame: center (m), size (m), extrinsic zxy angles (rad).

        Its axes are named so that the rotation is smallest: size and angles of an upright box in a level
        camera are (width, height, depth) and (0, 0, yaw).
        """
        if (view, column) not in self._bbox:
            world2cam = self.views[view].camera.world2cam
            box = self.scene.instances[column].box.transformed(world2cam).with_nearest_axes()
            angles = euler_zxy_from_rotation(box.rotation)
            self._bbox[view, column] = np.concatenate([box.center, box.size, angles]).tolist()
        return list(self._bbox[view, column])

    def overlap(self, a: int, b: int) -> float:
        """How much two views show of the same surfaces: the smaller of the two directions, 0 to 1.

        In one direction it is the part of the pixels with depth, on a coarse grid, whose points the other view
        sees at the depth it measured; points that fall into the other view's holes count neither way.
        """
        key = (min(a, b), max(a, b))
        if key not in self._overlap:
            self._overlap[key] = min(
                _seen_part(self.views[a], self.views[b]), _seen_part(self.views[b], self.views[a])
            )
        return self._overlap[key]

    @cached_property
    def extents(self) -> Float[Array, "V N 4"]:
        """Where each view shows each instance: (left, top, right, bottom) pixels, without the outermost 5 %; NaN = nowhere."""
        return self._extents(EXTENT_PERCENT / 100)

    @cached_property
    def bounds(self) -> Float[Array, "V N 4"]:
        """The same with the outermost pixels: the rectangle around what each view shows of each instance."""
        return self._extents(0.0)

    def _extents(self, left_out: float) -> Float[Array, "V N 4"]:
        result = np.full((len(self.views), len(self.scene.ids), 4), np.nan)
        for row, histograms in enumerate(self._histograms):
            for axis, histogram in enumerate(histograms):
                cumulative = np.cumsum(histogram, axis=1)
                total = cumulative[:, -1:]
                low = (cumulative <= left_out * total).sum(axis=1)
                high = (cumulative < (1 - left_out) * total).sum(axis=1)
                shown = total[:, 0] > 0
                result[row, shown, axis] = low[shown]
                result[row, shown, axis + 2] = high[shown]
        return result


def _histograms(columns: Int32[Array, "H W"], count: int) -> Histograms:
    """Pixels of each of `count` instances by image column and by image row, from runs of equal pixels along the rows."""
    height, width = columns.shape
    is_start = np.ones(columns.shape, bool)
    np.not_equal(columns[:, 1:], columns[:, :-1], out=is_start[:, 1:])
    start = np.flatnonzero(is_start)
    length = np.diff(start, append=columns.size)
    owner = columns.ravel()[start].astype(np.int64)
    v, u = np.divmod(start, width)
    down = np.bincount(owner * height + v, weights=length, minlength=(count + 1) * height)
    # A run adds one pixel to each column from where it starts up to where it ends.
    first, size = owner * (width + 1) + u, (count + 1) * (width + 1)
    steps = np.bincount(first, minlength=size) - np.bincount(first + length, minlength=size)
    across = np.cumsum(steps.reshape(-1, width + 1)[:count, :-1], axis=1)
    return across, down.reshape(-1, height)[:count].astype(np.int64)


def _ids(view: View) -> Array:
    if view.instance is None or view.depth is None:
        raise ValueError(f"facts: view {view.frame_id} has no instance ids or no depth to measure")
    return view.instance


def _measure(
    scene: SceneFacts,
    views: Sequence[View],
    columns: Sequence[Int32[Array, "H W"]],
    counted: Sequence[Int[Array, " N"]],
) -> tuple[Visibility, Bool[Array, "V N"]]:
    """Visibility of every instance, and whether any of it lies inside the image (hidden or not)."""
    shape = (len(views), len(scene.ids))
    pixels = np.zeros(shape, np.int32)
    visible, truncated, occluded = (np.zeros(shape, np.float32) for _ in range(3))
    present = np.zeros(shape, bool)
    for row, view in enumerate(views):
        pixels[row] = counts = counted[row]
        if scene.scene.mesh is None and not view.amodal:
            fractions, in_image = _fractions_from_points(scene, view)
        else:
            fractions, in_image = _fractions_from_masks(scene, view, columns[row], counts)
        visible[row], truncated[row], occluded[row] = fractions
        present[row] = in_image | (counts > 0)
    visibility = Visibility(
        ids=scene.ids, pixels=pixels, visible=visible, truncated=truncated, occluded=occluded
    )
    return visibility, present


def _fractions_from_masks(
    scene: SceneFacts, view: View, columns: Int32[Array, "H W"], counts: Int[Array, " N"]
) -> tuple[Float32[Array, "3 N"], Bool[Array, " N"]]:
    """Visible, truncated and occluded fractions from amodal masks, and whether a mask is in the image."""
    fractions = np.zeros((3, len(scene.ids)), np.float32)
    in_image = np.zeros(len(scene.ids), bool)
    for amodal in view.amodal:
        column = int(scene.column_of[amodal.instance])
        if column == len(scene.ids):
            continue
        inside = int(np.count_nonzero(amodal.mask))
        total = inside + amodal.outside
        in_image[column] = inside > 0
        if total > 0:
            seen = min(int(counts[column]), inside)
            hidden = _hidden_pixels(view, amodal, columns, column)
            fractions[:, column] = seen / total, amodal.outside / total, hidden / total
    return fractions, in_image


def _hidden_pixels(
    view: View, amodal: AmodalMask, columns: Int32[Array, "H W"], column: int
) -> int:
    """Amodal pixels inside the image where something else was measured; holes of the sensor do not count."""
    height, width = amodal.mask.shape
    window = np.s_[amodal.top : amodal.top + height, amodal.left : amodal.left + width]
    measured = view.depth[window] > 0  # type: ignore[index]
    return int(np.count_nonzero(amodal.mask & measured & (columns[window] != column)))


def _fractions_from_points(
    scene: SceneFacts, view: View
) -> tuple[Float32[Array, "3 N"], Bool[Array, " N"]]:
    """The same from surface points, for scenes without a mesh: a back that hides itself counts as occluded.

    So the visible fraction is a lower bound of the one from masks.
    """
    count = len(scene.ids)
    points = [scene.surfaces.points(column) for column in range(count)]
    owner = np.repeat(np.arange(count), [len(part) for part in points])
    pixel, state = _states(np.concatenate([np.zeros((0, 3)), *points]), view)
    inside = inside_image(pixel, view.camera.height, view.camera.width)
    seen, unknown = state == SEEN, inside & (state == UNKNOWN)
    parts = (seen, ~inside, inside & ~seen & ~unknown)
    total = np.maximum(np.bincount(owner, minlength=count), 1)
    fractions = np.stack([np.bincount(owner[part], minlength=count) / total for part in parts])
    in_image = np.bincount(owner[inside], minlength=count) > 0
    return fractions.astype(np.float32), in_image


def _states(
    points: Float[Array, "n 3"], view: View
) -> tuple[Float32[Array, "n 2"], UInt8[Array, " n"]]:
    return point_visibility(points, view.camera, view.depth)  # type: ignore[arg-type]


def _seen_part(view: View, other: View) -> float:
    depth = view.depth
    assert depth is not None
    step = max(1, depth.shape[1] // OVERLAP_GRID)
    v, u = np.mgrid[step // 2 : depth.shape[0] : step, step // 2 : depth.shape[1] : step]
    z = depth[v, u].ravel().astype(np.float64)
    pixel = np.stack([u.ravel(), v.ravel()], axis=-1)[z > 0].astype(np.float64)
    points_cam = unproject_pixels(view.camera.K, pixel, z[z > 0])
    _, state = _states(transform_points(view.camera.cam2world, points_cam), other)
    known = np.count_nonzero(state != UNKNOWN)
    return float(np.count_nonzero(state == SEEN) / known) if known else 0.0
