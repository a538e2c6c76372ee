"""How large objects are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gapdata.tasks.candidates import drawn, number_or_choice
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectSize:
    """Longest dimension or height of an object that one view shows untruncated."""

    name: ClassVar[str] = "object_size"
    formats: ClassVar[tuple[str, ...]] = ("number", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "longest dimension or height of an object's upright box"
    counterparts: ClassVar[str] = "VSI object_size_estimation; SPAR spatial_volume_infer"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of the object's pixels, in the view that shows it
    min_size: float = 0.1  # metres
    min_option_gap: float = 0.1  # of the size: how far wrong options stay from it, as written
    candidates: int = 6  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object: its longest dimension or its height, about half with options."""
        visibility = facts.visibility
        whole = facts.seen(self.seen) & (visibility.truncated <= self.max_truncated)
        for views in facts.view_sets("single", "all"):
            columns = facts.named(self.name, views, self.seen)
            for column, own in drawn(columns, self.candidates, rng):
                if not whole[list(views), column].any():
                    facts.drop(self.name, "object truncated")
                    continue
                box = facts.scene.instances[column].box
                aspect = "height" if own.random() < 0.5 else "longest"
                size = float(box.size[2] if aspect == "height" else box.size.max())
                if size < self.min_size:
                    facts.drop(self.name, "object too small to measure")
                    continue
                answer = number_or_choice(size, "m", own)
                if answer.get("margin", np.inf) < self.min_option_gap * size:
                    facts.drop(self.name, "options too near")
                    continue
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{aspect}",
                    views=views,
                    objects=(facts.id(column),),
                    evidence={
                        "size_m": [float(extent) for extent in box.size],
                        "aspect": aspect,
                        "min_option_gap": self.min_option_gap,
                    },
                    slots=name_slots(x=facts.scene.labels[column]),
                    **answer,
                )
