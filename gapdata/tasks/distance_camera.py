"""How far objects are from the camera: from its optical centre to the nearest point of their surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.camera import inside_image
from gapdata.geometry.depth import DepthTolerance
from gapdata.tasks.candidates import drawn, number_or_choice, orders, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise, keeps_option
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, refer, referable

Array = np.ndarray

EXACT = DepthTolerance(a=0.05, b=0.0)  # of rendered depth: what is deeper is not the nearest point


def nearest_seen(facts: Facts, view: int) -> Float[Array, "N 3"]:
    """For each instance the point of its surface that is nearest to a view's camera, in the world; NaN where the view does not see it.

    It is seen when a pixel next to it shows the instance at its depth: on an edge the pixel itself may miss it.
    """
    shown = facts.views[view]
    assert shown.depth is not None
    shown_some = np.flatnonzero(facts.visibility.pixels[view])
    nearest = facts.scene.surfaces.nearest_points(shown_some, shown.camera.center_world)
    pixel, depth = shown.camera.project(nearest)
    tolerance = EXACT if shown.depth_source == "mesh" else DepthTolerance()
    allowed = tolerance.at(depth)
    seen = inside_image(pixel, shown.camera.height, shown.camera.width)
    for row in np.flatnonzero(seen).tolist():
        u, v = np.floor(pixel[row] + 0.5).astype(np.int64).tolist()
        around = np.s_[max(v - 1, 0) : v + 2, max(u - 1, 0) : u + 2]
        own = shown.depth[around][facts.columns(view)[around] == shown_some[row]]
        seen[row] = (np.abs(own - depth[row]) <= allowed[row]).any()
    result = np.full((len(facts.scene.ids), 3), np.nan)
    result[shown_some[seen]] = nearest[seen]
    return result


def camera_distances(facts: Facts, view: int, columns: Sequence[int]) -> Float[Array, " n"]:
    """Metres from a view's camera to the nearest points of instances; NaN for those whose nearest point it does not see."""
    nearest = facts.once(nearest_seen, view)[list(columns)]
    return np.asarray(np.linalg.norm(nearest - facts.views[view].camera.center_world, axis=-1))


def moved_distances(
    facts: Facts, view: int, columns: Sequence[int], noise: Noise
) -> Float[Array, "K n"]:
    """`camera_distances` in disturbed worlds."""
    center = noise.cam2world(view)[:, :3, 3]
    nearest = facts.once(nearest_seen, view)
    away = [noise.points(column, nearest[[column]])[:, 0] - center for column in columns]
    return np.asarray(np.linalg.norm(np.stack(away, axis=1), axis=-1))


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraObjectDistance:
    """Distance from the camera of a view to the nearest point of an object, which that view sees."""

    name: ClassVar[str] = "camera_object_distance"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "distance from a view's camera to the nearest point of an object"
    counterparts: ClassVar[str] = "VSTI camera_obj_abs_dist; SPAR distance_prediction_oc"

    seen: SeenRule = CLEARLY_SEEN
    min_distance: float = 0.3  # metres
    min_option_gap: float = 0.1  # of the distance: how far wrong options stay from it, as written
    candidates: int = 8  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object, of several views for the camera of one that is drawn; about half with options.

        Objects are marked, not named: small things are seen well only from near, so their names would tell.
        """
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            for column, own in drawn(columns, self.candidates, rng):
                place = int(own.integers(len(views)))
                distance = float(camera_distances(facts, views[place], [column])[0])
                if np.isnan(distance):
                    facts.drop(self.name, "nearest point not seen")
                    continue
                answer = number_or_choice(distance, "m", own)
                if distance < self.min_distance:
                    facts.drop(self.name, "object too near")
                    continue
                if answer.get("margin", np.inf) < self.min_option_gap * distance:
                    facts.drop(self.name, "options too near")
                    continue
                (named,) = refer(facts, views, (column,), own, MARKED)
                camera = "the camera" if len(views) == 1 else f"the camera of image {place + 1}"
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    objects=(facts.id(column),),
                    evidence={
                        "view": views[place],
                        "distance_m": distance,
                        "min_option_gap": self.min_option_gap,
                    },
                    references=(named,),
                    holds=partial(_keeps_distance, facts, views[place], column, answer),
                    slots=name_slots(x=named.words) | {"camera": camera},
                    **answer,
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class NearestToCamera:
    """Which of three or four named objects is nearest to the camera, or whether one is nearer than another."""

    name: ClassVar[str] = "nearest_to_camera"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "which of 3 or 4 objects is nearest to the camera, or which of two"
    counterparts: ClassVar[str] = "VSTI camera_obj_rel_dist; SPAR distance_infer_center_oc"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 0.15  # metres between the nearest and the second nearest
    min_gap_ratio: float = 0.1  # likewise, of the second nearest
    max_options: int = 4
    candidates: int = 4  # groups tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Some questions a view, about half of them about two objects."""
        for views in facts.view_sets("single"):
            columns = referable(facts, self.name, views, self.seen)
            if len(columns) < 2:
                continue
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                is_claim = bool(own.random() < 0.5)
                count = 2 if is_claim else self.max_options
                group = [columns[i] for i in own.permutation(len(columns))[:count].tolist()]
                if len(group) < (2 if is_claim else 3):
                    continue
                question = self._question(facts, views, group, is_claim, own)
                if question is not None:
                    yield question

    def _question(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: list[int],
        is_claim: bool,
        rng: np.random.Generator,
    ) -> Question | None:
        distances = camera_distances(facts, views[0], group)
        if np.isnan(distances).any():
            facts.drop(self.name, "nearest point not seen")
            return None
        nearest, second = np.sort(distances)[:2].tolist()
        threshold = max(self.min_gap, self.min_gap_ratio * second)
        if second - nearest < threshold:
            facts.drop(self.name, "two objects are about equally near")
            return None
        named = refer(facts, views, group, rng)
        words = tuple(reference.words for reference in named)
        best = int(distances.argmin())
        return Question(
            task=self.name,
            wording=f"{self.name}_{'yesno' if is_claim else 'choice'}",
            format="yesno" if is_claim else "choice",
            views=views,
            value=best == 0 if is_claim else words[best],
            unit="m",
            choices=() if is_claim else words,
            objects=tuple(facts.id(column) for column in group),
            evidence={"distances_m": distances.tolist(), "min_gap_m": threshold},
            margin=second - nearest,
            references=named,
            holds=partial(_keeps_order, facts, views[0], group, [best]),
            slots=name_slots(a=words[0], b=words[1]) if is_claim else {},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DistanceOrder:
    """Three named objects from the nearest to the farthest from the camera."""

    name: ClassVar[str] = "distance_order"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "order of 3 objects by their distance from the camera"
    counterparts: ClassVar[str] = "SPAR distance_infer_center_oc; MultiSPA depth_comparison"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 0.15  # metres between one object and the next
    min_gap_ratio: float = 0.1  # likewise, of the farthest distance
    objects: int = 3
    candidates: int = 4  # groups tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a group, with four orders to choose from."""
        for views in facts.view_sets("single"):
            columns = referable(facts, self.name, views, self.seen)
            groups = list(combinations(columns, self.objects))
            for group, own in drawn(groups, self.candidates, rng):
                distances = camera_distances(facts, views[0], group)
                if np.isnan(distances).any():
                    facts.drop(self.name, "nearest point not seen")
                    continue
                order = np.argsort(distances, kind="stable").tolist()
                steps = distances[order]
                gap = float(np.diff(steps).min())
                threshold = max(self.min_gap, self.min_gap_ratio * float(steps[-1]))
                if gap < threshold:
                    facts.drop(self.name, "two objects are about equally near")
                    continue
                named = refer(facts, views, group, own)
                options = orders([named[place].words for place in order], own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="choice",
                    views=views,
                    value=options[0],
                    unit="m",
                    choices=shuffled(options, own),
                    objects=tuple(facts.id(column) for column in group),
                    evidence={
                        "distances_m": distances.tolist(),
                        "min_gap_m": threshold,
                    },
                    margin=gap,
                    references=named,
                    holds=partial(_keeps_order, facts, views[0], group, order),
                )


def _keeps_distance(
    facts: Facts, view: int, column: int, answer: Mapping[str, Any], noise: Noise
) -> Bool[Array, " K"]:
    moved = moved_distances(facts, view, [column], noise)[:, 0]
    if answer["format"] == "number":
        return np.ones(len(moved), bool)
    return keeps_option(answer["value"], answer["choices"], moved)


def _keeps_order(
    facts: Facts, view: int, columns: Sequence[int], first: Sequence[int], noise: Noise
) -> Bool[Array, " K"]:
    """Whether the nearest of the columns are still those at these places, in that order."""
    moved = moved_distances(facts, view, columns, noise)
    return np.asarray((moved.argsort(axis=1)[:, : len(first)] == np.array(first)).all(axis=1))
