"""How the distance of an object from the camera changes between two views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool

from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.distance_camera import camera_distances, moved_distances
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import refer, referable

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class DistanceChange:
    """Whether the second view's camera is nearer to an object than the first's, or by how much.

    Distances go to the nearest point of the object's surface, which each view has to see.
    """

    name: ClassVar[str] = "distance_change"
    formats: ClassVar[tuple[str, ...]] = ("choice", "number")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "whether the camera gets nearer to an object, and by how much"
    counterparts: ClassVar[str] = "VSTI camera_displacement; MultiSPA object movement"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 0.15  # metres between the two distances
    min_gap_ratio: float = 0.1  # likewise, of the larger one
    pairs: int = 6  # pairs of views tried
    candidates: int = 3  # objects tried a pair

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For pairs of views in either order some objects, about half of them by how much."""
        for pair, own in drawn(facts.view_sets("pair"), self.pairs, rng):
            views = (pair[0], pair[1]) if own.random() < 0.5 else (pair[1], pair[0])
            columns = referable(facts, self.name, views, self.seen)
            for column, single in drawn(columns, self.candidates, own):
                before, after = (
                    float(camera_distances(facts, view, [column])[0]) for view in views
                )
                if np.isnan([before, after]).any():
                    facts.drop(self.name, "nearest point not seen in both views")
                    continue
                change = after - before
                threshold = max(self.min_gap, self.min_gap_ratio * max(before, after))
                if abs(change) < threshold:
                    facts.drop(self.name, "about as far in both views")
                    continue
                word = "nearer" if change < 0 else "farther"
                (named,) = refer(facts, views, (column,), single)
                kind, answer = self._answer(word, abs(change), single)
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{kind}",
                    views=views,
                    unit="m",
                    objects=(facts.id(column),),
                    evidence={"distances_m": [before, after], "min_gap_m": threshold},
                    margin=abs(change),
                    references=(named,),
                    holds=partial(_keeps_sign, facts, views, column, change),
                    slots=name_slots(x=named.words) | {"word": word},
                    **answer,
                )

    def _answer(
        self, word: str, amount: float, rng: np.random.Generator
    ) -> tuple[str, dict[str, Any]]:
        if rng.random() < 0.5:
            return "number", {"format": "number", "value": amount}
        options = shuffled(("nearer", "farther"), rng)
        return "choice", {"format": "choice", "value": word, "choices": options}


def _keeps_sign(
    facts: Facts, views: tuple[int, int], column: int, change: float, noise: Noise
) -> Bool[Array, " K"]:
    before, after = (moved_distances(facts, view, [column], noise)[:, 0] for view in views)
    return np.asarray(np.sign(after - before) == np.sign(change))
