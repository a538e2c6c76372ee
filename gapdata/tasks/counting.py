"""How many objects of a kind there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gapdata.tasks.candidates import OPTIONS, drawn
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import is_plural, name_slots
from gapdata.tasks.question import Question


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectCount:
    """Number of objects with a label, when every one of them is seen well or not at all."""

    name: ClassVar[str] = "object_count"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "number of objects of a kind that the views show"
    counterparts: ClassVar[str] = "VSI object_counting; SPAR obj_count"

    seen: SeenRule = CLEARLY_SEEN
    ones_per_set: int = 1  # questions a view set with the answer 1, else most of them
    candidates: int = 12  # labels tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a label, about half with options."""
        scene = facts.scene
        for views in facts.view_sets("single", "all"):
            rows = list(views)
            present = np.asarray(facts.present[rows].any(axis=0))
            visible = np.where(facts.seen(self.seen)[rows], facts.visibility.visible[rows], 0.0)
            best = visible.max(axis=0)
            rivals = scene.rivals(present)
            labels = sorted({scene.labels[c] for c in np.flatnonzero(present & scene.is_object)})
            ones = 0
            for label, own in drawn(labels, self.candidates, rng):
                members = present & np.array([other == label for other in scene.labels], bool)
                columns = np.flatnonzero(members)
                if is_plural(label) or rivals[columns[0]] != len(columns):
                    facts.drop(self.name, "label does not say what one object is")
                    continue
                ones += len(columns) == 1
                if len(columns) == 1 and ones > self.ones_per_set:
                    facts.drop(self.name, "too many with the answer 1")
                    continue
                least = float(best[columns].min())
                if least == 0.0:
                    facts.drop(self.name, "some only seen in part")
                    continue
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    objects=tuple(facts.id(column) for column in columns.tolist()),
                    evidence={
                        "count": len(columns),
                        "visible_fraction": best[columns].tolist(),
                        "min_visible": self.seen.min_visible,
                    },
                    margin=least - self.seen.min_visible,
                    slots=name_slots(x=label),
                    **_number_or_choice(len(columns), own),
                )


def _number_or_choice(count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Format, value and choices: consecutive counts in random order, the truth's rank among them uniform where it can be."""
    if rng.random() < 0.5:
        return {"format": "number", "value": float(count)}
    lowest = count - int(rng.integers(min(OPTIONS, count)))
    options = [str(lowest + int(step)) for step in rng.permutation(OPTIONS)]
    return {"format": "choice", "value": str(count), "choices": tuple(options)}
