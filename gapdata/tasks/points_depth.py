"""How deep in the picture a single point lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from gapdata.geometry.camera import unproject_pixels
from gapdata.geometry.transforms import transform_points
from gapdata.tasks.candidates import drawn, number_or_choice
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise, keeps_option
from gapdata.tasks.points import spot, surface_pixels
from gapdata.tasks.question import Question

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PointDepth:
    """The z-depth of a pixel: how far its point lies from the camera along the viewing direction."""

    name: ClassVar[str] = "point_depth"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = "depth of a marked pixel along the viewing direction"
    counterparts: ClassVar[str] = "SPAR depth_prediction_oc; MultiSPA depth_estimation"

    min_depth: float = 0.3  # metres; nearer than that no depth sensor measures
    min_option_gap: float = 0.1  # of the depth: how far wrong options stay from it, as written
    points: int = 5  # pixels tried a view, in turn alone and among all views

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view some pixels, by coordinates or marked with a red cross, about half with options."""
        everything = facts.view_sets("all")[-1] if facts.views else ()
        for view, own in drawn(range(len(facts.views)), len(facts.views), rng):
            pixel, depths, columns = surface_pixels(facts, view, own)
            facts.drop(self.name, "no even surface", max(0, self.points - len(pixel)))
            for number, index in enumerate(_evenly_deep(depths, self.points, own)):
                asked = (view,) if number % 2 == 0 else everything
                is_marked = bool(own.random() < 0.5)
                depth = float(depths[index])
                answer = number_or_choice(depth, "m", own)
                if depth < self.min_depth:
                    facts.drop(self.name, "point too near")
                    continue
                if answer.get("margin", np.inf) < self.min_option_gap * depth:
                    facts.drop(self.name, "options too near")
                    continue
                words, markers = spot(facts, asked, view, pixel[index], is_marked)
                column = int(columns[index])
                camera = "the camera" if len(asked) == 1 else "that image's camera"
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=asked,
                    frame=self.frame,
                    objects=(facts.id(column),),
                    evidence={
                        "view": view,
                        "pixel": pixel[index].astype(float).tolist(),
                        "depth_m": depth,
                        "min_option_gap": self.min_option_gap,
                    },
                    markers=markers,
                    holds=partial(_keeps_depth, facts, answer, (view, pixel[index], depth)),
                    slots={"spot": words, "camera": camera},
                    **answer,
                )


def _keeps_depth(
    facts: Facts,
    answer: Mapping[str, Any],
    seen: tuple[int, Int[Array, "2"], float],
    noise: Noise,
) -> Bool[Array, " K"]:
    view, pixel, depth = seen
    world2cam = noise.world2cam(view)
    if answer["format"] == "number":
        return np.ones(len(world2cam), bool)
    camera = facts.views[view].camera
    own_cam = unproject_pixels(camera.K, pixel[None].astype(np.float64), np.array([depth]))
    world = transform_points(camera.cam2world, own_cam)
    moved = noise.points(int(facts.columns(view)[pixel[1], pixel[0]]), world)[:, 0]
    depths = (world2cam[:, 2, :3] * moved).sum(axis=-1) + world2cam[:, 2, 3]
    return keeps_option(answer["value"], answer["choices"], depths)


def _evenly_deep(depths: Float[Array, " n"], count: int, rng: np.random.Generator) -> list[int]:
    """At most `count` of the points, as likely near as far: those next to depths drawn evenly on a logarithmic scale.

    Drawn evenly over the picture most points are as deep as the room, and that would be a good guess.
    """
    chosen: list[int] = []
    if len(depths) == 0:
        return chosen
    scale = np.log(depths)
    for target in rng.uniform(scale.min(), scale.max(), size=count).tolist():
        free = [index for index in range(len(depths)) if index not in chosen]
        if free:
            chosen.append(free[int(np.abs(scale[free] - target).argmin())])
    return chosen
