"""How far objects are from the camera: from its optical centre to the nearest point of their surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np

from gapdata.geometry.depth import SEEN, point_visibility
from gapdata.tasks.candidates import drawn, number_or_choice, orders, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question


def camera_distance(facts: Facts, view: int, column: int) -> float:
    """Metres from the camera's centre to the nearest point of an instance's surface; NaN when the view does not see that point."""
    shown = facts.views[view]
    assert shown.depth is not None
    center = shown.camera.center_world
    nearest = facts.scene.surfaces.nearest_point(column, center)
    _, state = point_visibility(nearest[None], shown.camera, shown.depth)
    return float(np.linalg.norm(nearest - center)) if state[0] == SEEN else float("nan")


def distances_or_nan(facts: Facts, view: int, columns: Sequence[int]) -> list[float]:
    """`camera_distance` of several instances; all NaN as soon as one is."""
    distances: list[float] = []
    for column in columns:
        distances.append(camera_distance(facts, view, column))
        if np.isnan(distances[-1]):
            return [float("nan")] * len(columns)
    return distances


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
    candidates: int = 4  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object, of several views for the camera of one that is drawn; about half with options."""
        for views in facts.view_sets("single", "all"):
            columns = facts.named(self.name, views, self.seen)
            for column, own in drawn(columns, self.candidates, rng):
                place = int(own.integers(len(views)))
                distance = camera_distance(facts, views[place], column)
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
                    slots=name_slots(x=facts.scene.labels[column]) | {"camera": camera},
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
            columns = facts.named(self.name, views, self.seen)
            if len(columns) < 2:
                continue
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                is_claim = bool(own.random() < 0.5)
                count = 2 if is_claim else self.max_options
                group = [columns[i] for i in own.permutation(len(columns))[:count].tolist()]
                if len(group) < (2 if is_claim else 3):
                    continue
                question = self._question(facts, views, group, is_claim)
                if question is not None:
                    yield question

    def _question(
        self, facts: Facts, views: tuple[int, ...], group: list[int], is_claim: bool
    ) -> Question | None:
        distances = np.array(distances_or_nan(facts, views[0], group))
        if np.isnan(distances).any():
            facts.drop(self.name, "nearest point not seen")
            return None
        nearest, second = np.sort(distances)[:2].tolist()
        threshold = max(self.min_gap, self.min_gap_ratio * second)
        if second - nearest < threshold:
            facts.drop(self.name, "two objects are about equally near")
            return None
        labels = tuple(facts.scene.labels[column] for column in group)
        best = int(distances.argmin())
        return Question(
            task=self.name,
            wording=f"{self.name}_{'yesno' if is_claim else 'choice'}",
            format="yesno" if is_claim else "choice",
            views=views,
            value=best == 0 if is_claim else labels[best],
            unit="m",
            choices=() if is_claim else labels,
            objects=tuple(facts.id(column) for column in group),
            evidence={"distances_m": distances.tolist(), "min_gap_m": threshold},
            margin=second - nearest,
            slots=name_slots(a=labels[0], b=labels[1]) if is_claim else {},
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
    min_gap_ratio: float = 0.1  # likewise, of the farther of the two
    objects: int = 3
    candidates: int = 4  # groups tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a group, with four orders to choose from."""
        for views in facts.view_sets("single"):
            columns = facts.named(self.name, views, self.seen)
            groups = list(combinations(columns, self.objects))
            for group, own in drawn(groups, self.candidates, rng):
                distances = dict(zip(group, distances_or_nan(facts, views[0], group), strict=True))
                if np.isnan(list(distances.values())).any():
                    facts.drop(self.name, "nearest point not seen")
                    continue
                order = sorted(group, key=distances.__getitem__)
                steps = np.array([distances[column] for column in order])
                gaps = np.diff(steps)
                thresholds = np.maximum(self.min_gap, self.min_gap_ratio * steps[1:])
                if (gaps < thresholds).any():
                    facts.drop(self.name, "two objects are about equally near")
                    continue
                tightest = int((gaps - thresholds).argmin())
                options = orders([facts.scene.labels[column] for column in order], own)
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
                        "distances_m": [distances[column] for column in group],
                        "min_gap_m": float(thresholds[tightest]),
                    },
                    margin=float(gaps[tightest]),
                )
