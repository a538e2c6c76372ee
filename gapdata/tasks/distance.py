"""How far objects are from each other, surface to surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.candidates import drawn, number_or_choice
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise, keeps_option
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import refer, referable

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDistance:
    """Distance between the nearest points of two objects."""

    name: ClassVar[str] = "object_distance"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "distance between the nearest points of two objects"
    counterparts: ClassVar[str] = "VSI object_abs_distance; SPAR distance_prediction_oo"

    seen: SeenRule = CLEARLY_SEEN
    min_distance: float = 0.15  # metres; nearer objects may as well touch
    min_option_gap: float = 0.1  # of the distance: how far wrong options stay from it, as written
    candidates: int = 4  # pairs tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a pair of named objects, about half of them with options."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            pairs = list(drawn(list(combinations(columns, 2)), self.candidates, rng))
            facts.scene.surfaces.measure(pair for pair, _ in pairs)
            for pair, own in pairs:
                distance = facts.scene.surfaces.distance(*pair)
                if not self.min_distance <= distance < np.inf:
                    facts.drop(self.name, "objects touch or have no surface")
                    continue
                a, b = pair if own.random() < 0.5 else pair[::-1]
                answer = number_or_choice(distance, "m", own)
                if answer.get("margin", np.inf) < self.min_option_gap * distance:
                    facts.drop(self.name, "options too near")
                    continue
                named = refer(facts, views, (a, b), own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    objects=(facts.id(a), facts.id(b)),
                    references=named,
                    holds=partial(_keeps_distance, answer, a, b),
                    evidence={
                        "distance_m": distance,
                        "min_distance_m": self.min_distance,
                        "min_option_gap": self.min_option_gap,
                    },
                    slots=name_slots(a=named[0].words, b=named[1].words),
                    **answer,
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosestObject:
    """Which of three or four named objects is nearest to another one."""

    name: ClassVar[str] = "closest_object"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "which of 3 or 4 objects is nearest to another, between nearest points"
    counterparts: ClassVar[str] = "VSI object_rel_distance; SPAR distance_infer_center_oo"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 0.15  # metres between the nearest and the second nearest
    min_gap_ratio: float = 0.1  # likewise, of the second nearest
    max_options: int = 4
    candidates: int = 3  # anchors tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an anchor object, when one of the others is nearest by the margin."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            if len(columns) < 4:
                continue
            groups = []
            for anchor, own in drawn(columns, self.candidates, rng):
                others = [column for column in columns if column != anchor]
                order = own.permutation(len(others))[: self.max_options].tolist()
                groups.append((anchor, [others[index] for index in order], own))
            facts.scene.surfaces.measure((a, b) for a, options, _ in groups for b in options)
            for anchor, options, own in groups:
                distances = facts.scene.surfaces.distances(anchor, options)
                nearest, second = np.sort(distances)[:2]
                gap = float(second - nearest)
                threshold = max(self.min_gap, self.min_gap_ratio * float(second))
                if not np.isfinite(distances).all() or gap < threshold:
                    facts.drop(self.name, "two objects are about equally near")
                    continue
                yield self._question(facts, views, (anchor, options), (distances, threshold), own)

    def _question(
        self,
        facts: Facts,
        views: tuple[int, ...],
        columns: tuple[int, list[int]],
        measured: tuple[Float[Array, " n"], float],
        rng: np.random.Generator,
    ) -> Question:
        anchor, options = columns
        distances, threshold = measured
        nearest = int(distances.argmin())
        first, *others = refer(facts, views, (anchor, *options), rng)
        words = tuple(other.words for other in others)
        return Question(
            task=self.name,
            wording=self.name,
            format="choice",
            views=views,
            value=words[nearest],
            unit="m",
            choices=words,
            objects=(facts.id(anchor), *(facts.id(option) for option in options)),
            references=(first, *others),
            evidence={"distances_m": distances.tolist(), "min_gap_m": threshold},
            margin=float(np.diff(np.sort(distances))[0]),
            holds=partial(_stays_nearest, anchor, options, nearest),
            slots=name_slots(x=first.words),
        )


def _keeps_distance(answer: Mapping[str, Any], a: int, b: int, noise: Noise) -> Bool[Array, " K"]:
    moved = noise.distance(a, b)
    if answer["format"] == "number":
        return np.ones(len(moved), bool)
    return keeps_option(answer["value"], answer["choices"], moved)


def _stays_nearest(
    anchor: int, options: Sequence[int], nearest: int, noise: Noise
) -> Bool[Array, " K"]:
    moved = np.stack([noise.distance(anchor, option) for option in options])
    return np.asarray(moved.argmin(axis=0) == nearest)
