"""Single surface points that a pixel shows: where they are, and which of them is nearer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from gapdata.geometry.camera import unproject_pixels
from gapdata.geometry.transforms import relative_pose, transform_points
from gapdata.markers import COLORS, marker
from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question

Array = np.ndarray

PATCH = 2  # pixels around a chosen one that have to lie on the same surface
MAX_PATCH_BEND = 0.02  # of the inverse depth: how far the patch may be from a plane
DRAWS = 64  # pixels drawn a view, of which those on an even patch are kept


def surface_pixels(
    facts: Facts, view: int, rng: np.random.Generator
) -> tuple[Int[Array, "n 2"], Float[Array, " n"], Int[Array, " n"]]:
    """Random pixels (u, v) well inside a named surface, away from depth edges; their depths and columns."""
    depth, columns = facts.views[view].depth, facts.columns(view)
    assert depth is not None
    height, width = depth.shape
    if min(height, width) <= 2 * PATCH:
        return np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0, np.int64)
    u = rng.integers(PATCH, width - PATCH, size=DRAWS)
    v = rng.integers(PATCH, height - PATCH, size=DRAWS)
    even = even_patches(facts, view, np.stack([u, v], axis=-1))
    column = columns[v, u]
    even &= np.append(facts.scene.has_name, False)[column]
    pixel = np.stack([u, v], axis=-1)[even]
    return pixel, depth[v, u][even].astype(np.float64), column[even].astype(np.int64)


def even_patches(facts: Facts, view: int, pixel: Int[Array, "n 2"]) -> Bool[Array, " n"]:
    """Whether the patch around each pixel (at least PATCH inside the image) is one even surface of one instance."""
    depth, columns = facts.views[view].depth, facts.columns(view)
    assert depth is not None
    step = np.arange(-PATCH, PATCH + 1)
    u, v = pixel.T
    rows, cols = v[:, None, None] + step[:, None], u[:, None, None] + step
    patch, owner = depth[rows, cols], columns[rows, cols]
    # On a plane the inverse depth is affine in the pixel: opposite pixels average to the middle one.
    inverse = 1.0 / np.where(patch > 0, patch, np.inf)
    middle = inverse[:, PATCH, PATCH]
    bend = 0.5 * (inverse + inverse[:, ::-1, ::-1]) - middle[:, None, None]
    even = (patch > 0).all(axis=(1, 2))
    even &= np.abs(bend).max(axis=(1, 2)) <= MAX_PATCH_BEND * middle
    even &= (owner == columns[v, u][:, None, None]).all(axis=(1, 2))
    return np.asarray(even)


def spot(
    facts: Facts, asked: tuple[int, ...], view: int, pixel: Int[Array, "2"], is_marked: bool
) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """How a question speaks of a pixel of one of the asked views, and the marker to draw when it is marked."""
    u, v = (int(value) for value in pixel)
    image = "the image" if len(asked) == 1 else f"image {asked.index(view) + 1}"
    if is_marked:
        return f"the red cross in {image}", (marker("cross", view, "red", pixel=(u, v)),)
    camera = facts.views[view].camera
    return f"pixel ({u}, {v}) of {image} ({camera.width} x {camera.height} pixels)", ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointmap:
    """The 3D position of what a pixel shows, in the camera frame of the first asked view."""

    name: ClassVar[str] = "pointmap"
    formats: ClassVar[tuple[str, ...]] = ("point",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = "x, y, z of a pixel in the first view's camera frame"
    counterparts: ClassVar[str] = "GAP-MLLM pointmap; SPAR depth_prediction_oc"

    points: int = 2  # pixels asked a view, the first alone, the others among all views

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view some pixels, named by coordinates or marked with a red cross."""
        everything = facts.view_sets("all")[-1] if facts.views else ()
        for view, own in drawn(range(len(facts.views)), len(facts.views), rng):
            pixel, depth, columns = surface_pixels(facts, view, own)
            facts.drop(self.name, "no even surface", max(0, self.points - len(pixel)))
            for index in range(min(self.points, len(pixel))):
                asked = (view,) if index == 0 else everything
                is_marked = bool(own.random() < 0.5)
                chosen = (pixel[index], float(depth[index]), int(columns[index]))
                yield self._question(facts, view, asked, chosen, is_marked)

    def _question(
        self,
        facts: Facts,
        view: int,
        asked: tuple[int, ...],
        chosen: tuple[Int[Array, "2"], float, int],
        is_marked: bool,
    ) -> Question:
        pixel, depth, column = chosen
        cameras = facts.views[asked[0]].camera, facts.views[view].camera
        own_cam = unproject_pixels(cameras[1].K, pixel[None].astype(np.float64), np.array([depth]))
        to_first = relative_pose(cameras[0].cam2world, cameras[1].cam2world)
        point = transform_points(to_first, own_cam)[0].tolist()
        slots = name_slots(x=facts.scene.labels[column])
        slots["spot"], markers = spot(facts, asked, view, pixel, is_marked)
        slots["camera"] = "the camera" if len(asked) == 1 else "the first image's camera"
        return Question(
            task=self.name,
            wording=self.name,
            format="point",
            views=asked,
            value=point,
            frame=self.frame,
            unit="m",
            objects=(facts.id(column),),
            evidence={
                "view": view,
                "pixel": pixel.astype(float).tolist(),
                "depth_m": depth,
                "label": facts.scene.labels[column],
            },
            markers=markers,
            slots=slots,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PointDepthOrder:
    """Which of two or three marked points is nearest to the camera, or farthest from it."""

    name: ClassVar[str] = "point_depth_order"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = "which of 2 or 3 marked points is nearest or farthest"
    counterparts: ClassVar[str] = "MultiSPA depth_comparison; SPAR depth_prediction_oo"

    min_gap: float = 0.1  # metres between the right point and the next one
    min_gap_ratio: float = 0.05  # likewise, of the larger of the two distances
    spacing: float = 0.06  # of the image height, between two marked points
    questions: int = 2  # tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view some groups of points on different instances."""
        for view, own in drawn(range(len(facts.views)), len(facts.views), rng):
            pixel, depth, columns = surface_pixels(facts, view, own)
            left = own.permutation(len(pixel)).tolist()
            for _ in range(self.questions):
                colors = shuffled(tuple(COLORS), own)[: int(own.integers(2, 4))]
                farthest = bool(own.random() < 0.5)
                group = self._group(facts, view, pixel, columns, left, len(colors))
                left = [index for index in left if index not in group]
                if len(group) < len(colors):
                    facts.drop(self.name, "too few points apart")
                    continue
                question = self._question(facts, view, pixel[group], depth[group], colors, farthest)
                if question is None:
                    facts.drop(self.name, "points about equally far")
                    continue
                yield replace(question, objects=tuple(facts.id(c) for c in columns[group].tolist()))

    def _group(
        self,
        facts: Facts,
        view: int,
        pixel: Int[Array, "n 2"],
        columns: Int[Array, " n"],
        left: list[int],
        wanted: int,
    ) -> list[int]:
        """The first `wanted` of the pixels left that lie on different instances and apart in the image."""
        apart = self.spacing * facts.views[view].camera.height
        group: list[int] = []
        for index in left:
            far = all(np.hypot(*(pixel[index] - pixel[other])) >= apart for other in group)
            if far and columns[index] not in columns[group]:
                group.append(index)
            if len(group) == wanted:
                break
        return group

    def _question(
        self,
        facts: Facts,
        view: int,
        pixel: Int[Array, "n 2"],
        depth: Float[Array, " n"],
        colors: tuple[str, ...],
        farthest: bool,
    ) -> Question | None:
        """The question, or None when z-depth or length along the ray leaves the order within the margin."""
        points = unproject_pixels(facts.views[view].camera.K, pixel.astype(np.float64), depth)
        measures = np.stack([depth, np.linalg.norm(points, axis=-1)])
        ordered = np.sort(measures, axis=1)
        first, second = ordered[:, ::-1][:, :2].T if farthest else ordered[:, :2].T
        answers = measures.argmax(axis=1) if farthest else measures.argmin(axis=1)
        threshold = max(self.min_gap, self.min_gap_ratio * float(np.maximum(first, second).max()))
        gap = float(np.abs(second - first).min())
        if answers[0] != answers[1] or gap < threshold:
            return None
        options = tuple(f"the {color} point" for color in colors)
        return Question(
            task=self.name,
            wording=f"{self.name}_{'farthest' if farthest else 'nearest'}",
            format="choice",
            views=(view,),
            value=options[int(answers[0])],
            frame=self.frame,
            unit="m",
            choices=options,
            evidence={
                "pixels": pixel.astype(float).tolist(),
                "depths_m": depth.tolist(),
                "ray_distances_m": measures[1].tolist(),
                "min_gap_m": threshold,
            },
            margin=gap,
            holds=partial(_same_first, facts, view, (pixel, points), (int(answers[0]), farthest)),
            markers=tuple(
                marker("point", view, color, pixel=spot)
                for color, spot in zip(colors, pixel.tolist(), strict=True)
            ),
        )


def _same_first(
    facts: Facts,
    view: int,
    points: tuple[Int[Array, "n 2"], Float[Array, "n 3"]],
    answer: tuple[int, bool],
    noise: Noise,
) -> Bool[Array, " K"]:
    """Whether the same point is nearest, or farthest, when the objects with the points and the camera move."""
    pixel, own_cam = points
    first, farthest = answer
    world = transform_points(facts.views[view].camera.cam2world, own_cam)
    columns = facts.columns(view)[pixel[:, 1], pixel[:, 0]].tolist()
    center = noise.cam2world(view)[:, :3, 3]
    away = np.stack(
        [
            np.linalg.norm(noise.points(column, point[None])[:, 0] - center, axis=-1)
            for column, point in zip(columns, world, strict=True)
        ]
    )
    return np.asarray((away.argmax(axis=0) if farthest else away.argmin(axis=0)) == first)
