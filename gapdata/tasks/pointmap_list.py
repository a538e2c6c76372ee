"""The 3D positions and labels of several pixels at once, as a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from gapdata.geometry.camera import unproject_pixels
from gapdata.geometry.transforms import relative_pose, transform_points
from gapdata.markers import marker
from gapdata.tasks.candidates import drawn
from gapdata.tasks.facts import Facts
from gapdata.tasks.points import surface_pixels
from gapdata.tasks.question import Question

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PointmapList:
    """Label and position of what some pixels show, in the camera frame of the first asked view."""

    name: ClassVar[str] = "pointmap_list"
    formats: ClassVar[tuple[str, ...]] = ("text",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = (
        "label and x, y, z of one or several pixels, as JSON with one point a line"
    )
    counterparts: ClassVar[str] = "GAP-MLLM pointmap"

    points: int = 4  # pixels asked at most
    questions: int = 2  # tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For some single views and for all views lists of one to four pixels, marked or named by coordinates."""
        sets = facts.view_sets("single")
        chosen = [views for views, _ in drawn(sets, self.questions, rng)]
        if len(facts.views) > 1:
            chosen += facts.view_sets("all") * self.questions
        for views, own in drawn(chosen, len(chosen), rng):
            wanted = 1 + int(own.integers(self.points))
            sources = own.choice(views, wanted).tolist()
            spots = [self._spot(facts, view, own) for view in sources]
            found = [spot for spot in spots if spot is not None]
            if len(found) < wanted:
                facts.drop(self.name, "no even surface")
                continue
            yield self._question(facts, views, found, bool(own.random() < 0.5))

    def _spot(
        self, facts: Facts, view: int, rng: np.random.Generator
    ) -> tuple[int, int, int, int] | None:
        """View, pixel and column of a pixel well inside a surface; None when none was drawn."""
        pixel, _, columns = surface_pixels(facts, view, rng)
        if len(pixel) == 0:
            return None
        return view, int(pixel[0, 0]), int(pixel[0, 1]), int(columns[0])

    def _question(
        self,
        facts: Facts,
        views: tuple[int, ...],
        spots: list[tuple[int, int, int, int]],
        is_marked: bool,
    ) -> Question:
        points = [_in_first(facts, views[0], view, u, v) for view, u, v, _ in spots]
        labels = [facts.scene.labels[column] for *_, column in spots]
        rows = [
            f'{{"label": {json.dumps(label, ensure_ascii=False)}, "point_3d": [{", ".join(_written(x) for x in point)}]}}'
            for label, point in zip(labels, points, strict=True)
        ]
        markers: list[dict[str, Any]] = []
        if is_marked:
            markers = [
                marker("cross", view, "red", pixel=(u, v), text=str(number))
                for number, (view, u, v, _) in enumerate(spots, 1)
            ]
            named = f"the red cross{'es' if len(spots) > 1 else ''}, in the order of their numbers"
            spot_words = named if len(spots) > 1 else "the red cross"
        else:
            spot_words = ", ".join(self._pixel_words(facts, views, spot) for spot in spots)
        return Question(
            task=self.name,
            wording=self.name,
            format="text",
            views=views,
            value="```json\n[\n" + ",\n".join(rows) + "\n]\n```",
            frame=self.frame,
            unit="m",
            objects=tuple(dict.fromkeys(facts.id(column) for *_, column in spots)),
            evidence={
                "views": [view for view, *_ in spots],
                "pixels": [[float(u), float(v)] for _, u, v, _ in spots],
                "labels": labels,
                "points_m": [point.tolist() for point in points],
            },
            markers=tuple(markers),
            slots={
                "spots": spot_words,
                "camera": "the camera" if len(views) == 1 else "the first image's camera",
            },
        )

    def _pixel_words(
        self, facts: Facts, views: tuple[int, ...], spot: tuple[int, int, int, int]
    ) -> str:
        view, u, v, _ = spot
        camera = facts.views[view].camera
        image = "the image" if len(views) == 1 else f"image {views.index(view) + 1}"
        return f"pixel ({u}, {v}) of {image} ({camera.width} x {camera.height})"


def _in_first(facts: Facts, first: int, view: int, u: int, v: int) -> Float[Array, "3"]:
    """What a view's pixel shows, in the camera frame of another view."""
    depth = facts.views[view].depth
    assert depth is not None
    camera = facts.views[view].camera
    z = np.array([float(depth[v, u])])
    own = unproject_pixels(camera.K, np.array([[u, v]], np.float64), z)
    pose = relative_pose(facts.views[first].camera.cam2world, camera.cam2world)
    return np.asarray(transform_points(pose, own)[0])


def _written(value: float) -> str:
    return f"{float(f'{value:.2f}') + 0.0:.2f}"
