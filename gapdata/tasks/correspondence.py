"""Which points of two views are the same point of the scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from gapdata.geometry.camera import unproject_pixels
from gapdata.geometry.depth import SEEN, point_visibility
from gapdata.geometry.transforms import transform_points
from gapdata.markers import COLORS, marker
from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import Facts
from gapdata.tasks.points import PATCH, even_patches, spot, surface_pixels
from gapdata.tasks.question import Question

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelCorrespondence:
    """Where a second view shows the surface point that is marked in a first: one of four marks, or the pixel.

    Both views have to see the point, by their depth, on an even patch of one and the same instance.
    """

    name: ClassVar[str] = "pixel_correspondence"
    formats: ClassVar[tuple[str, ...]] = ("choice", "pixel")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = (
        "which of 4 marks, or which pixel, shows a point marked in another view"
    )
    counterparts: ClassVar[str] = "MultiSPA visual_correspondence; SPAR position_matching"

    min_separation: float = 0.3  # metres between the truth and each wrong mark
    spacing: float = 0.08  # of the image height, between any two marks
    candidates: int = 6  # pairs of views tried
    points: int = 2  # points tried a pair

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For pairs of views in either order some points of the one that the other sees as well."""
        for pair, own in drawn(facts.view_sets("pair"), self.candidates, rng):
            source, target = pair if own.random() < 0.5 else pair[::-1]
            pixels, depths, columns = surface_pixels(facts, source, own)
            own_cam = unproject_pixels(
                facts.views[source].camera.K, pixels.astype(np.float64), depths
            )
            points = transform_points(facts.views[source].camera.cam2world, own_cam)
            places = _places(facts, target, points, columns)
            shared = np.flatnonzero(~np.isnan(places[:, 0]))[: self.points]
            facts.drop(self.name, "no point seen in both views", self.points - len(shared))
            for index, its_own in drawn(shared.tolist(), self.points, own):
                is_marked, is_pixel = its_own.random(2) < 0.5
                measured = (pixels[index], points[index], places[index])
                if is_pixel:
                    yield self._pixel(facts, (source, target), measured, bool(is_marked))
                    continue
                question = self._choice(facts, (source, target), measured, its_own)
                if question is None:
                    facts.drop(self.name, "too few points apart")
                    continue
                yield question

    def _pixel(
        self,
        facts: Facts,
        pair: tuple[int, int],
        measured: tuple[Int[Array, "2"], Float[Array, "3"], Float[Array, "2"]],
        is_marked: bool,
    ) -> Question:
        source, target = pair
        pixel, point, place = measured
        asked = (target, source)  # a pixel answer is one of the first of the asked views
        camera = facts.views[target].camera
        words, markers = spot(facts, asked, source, pixel, is_marked)
        return Question(
            task=self.name,
            wording=f"{self.name}_pixel",
            format="pixel",
            views=asked,
            value=place.tolist(),
            frame=self.frame,
            unit="px",
            evidence=_evidence(pair, pixel, point, place),
            markers=markers,
            slots={"spot": words, "size": f"{camera.width} x {camera.height}"},
        )

    def _choice(
        self,
        facts: Facts,
        pair: tuple[int, int],
        measured: tuple[Int[Array, "2"], Float[Array, "3"], Float[Array, "2"]],
        rng: np.random.Generator,
    ) -> Question | None:
        """The question, or None when fewer than three wrong points lie well apart from the truth and each other."""
        source, target = pair
        pixel, point, place = measured
        camera = facts.views[target].camera
        others, depths, _ = surface_pixels(facts, target, rng)
        cam = unproject_pixels(camera.K, others.astype(np.float64), depths)
        distances = np.linalg.norm(transform_points(camera.cam2world, cam) - point, axis=-1)
        marks = [np.floor(place + 0.5).astype(np.int64)]
        gaps: list[float] = []
        apart = self.spacing * camera.height
        for other, distance in zip(others, distances.tolist(), strict=True):
            if len(marks) < OPTIONS and all(np.hypot(*(other - mark)) >= apart for mark in marks):
                marks.append(other)
                gaps.append(distance)
        if len(marks) < OPTIONS or min(gaps) < self.min_separation:
            return None
        first, *colors = shuffled(tuple(COLORS), rng)[: OPTIONS + 1]
        options = [f"the {color} point" for color in colors]
        asked = (source, target)
        return Question(
            task=self.name,
            wording=f"{self.name}_choice",
            format="choice",
            views=asked,
            value=options[0],
            frame=self.frame,
            unit="m",
            choices=shuffled(options, rng),
            evidence=_evidence(pair, pixel, point, place)
            | {"distances_m": gaps, "min_separation_m": self.min_separation},
            margin=min(gaps),
            markers=(
                marker("cross", source, first, pixel=pixel.tolist()),
                *(
                    marker("point", target, color, pixel=mark.tolist())
                    for color, mark in zip(colors, marks, strict=True)
                ),
            ),
            slots={"color": first},
        )


def _places(
    facts: Facts, view: int, points: Float[Array, "n 3"], columns: Int[Array, " n"]
) -> Float[Array, "n 2"]:
    """Pixels where a view sees the points of these instances on an even patch; NaN where it does not."""
    camera, depth = facts.views[view].camera, facts.views[view].depth
    assert depth is not None
    pixel, state = point_visibility(points, camera, depth)
    inner = np.array([camera.width, camera.height]) - 1 - PATCH
    with np.errstate(invalid="ignore"):
        inside = ((pixel >= PATCH) & (pixel <= inner)).all(axis=-1)
    index = np.flatnonzero(inside & (state == SEEN))
    nearest = np.floor(pixel[index] + 0.5).astype(np.int64)
    same = facts.columns(view)[nearest[:, 1], nearest[:, 0]] == columns[index]
    good = index[same & even_patches(facts, view, nearest)]
    places = np.full(pixel.shape, np.nan)
    places[good] = pixel[good]
    return places


def _evidence(
    pair: tuple[int, int],
    pixel: Int[Array, "2"],
    point: Float[Array, "3"],
    place: Float[Array, "2"],
) -> dict[str, object]:
    return {
        "source_view": pair[0],
        "source_pixel": pixel.astype(float).tolist(),
        "target_view": pair[1],
        "target_pixel": place.tolist(),
        "point_world": point.tolist(),
    }
