"""How large objects are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool

from gapdata.tasks.candidates import drawn, number_or_choice
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise, keeps_option
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, refer, referable

Array = np.ndarray


def shown_whole(
    facts: Facts, views: Sequence[int], rule: SeenRule, max_truncated: float
) -> Bool[Array, " N"]:
    """For each column, whether one of the views shows it by the rule with at most that part cut off by the border."""
    rows = list(views)
    whole = facts.seen(rule)[rows] & (facts.visibility.truncated[rows] <= max_truncated)
    return np.asarray(whole.any(axis=0))


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
    candidates: int = 4  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object: its longest dimension or its height, about half with options."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for column, own in drawn(columns, self.candidates, rng):
                if not whole[column]:
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
                (named,) = refer(facts, views, (column,), own, MARKED)
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
                    references=(named,),
                    holds=partial(_keeps_size, answer, column, aspect),
                    slots=name_slots(x=named.words),
                    **answer,
                )


def _keeps_size(
    answer: Mapping[str, Any], column: int, aspect: str, noise: Noise
) -> Bool[Array, " K"]:
    sizes = noise.sizes([column])[:, 0]
    if answer["format"] == "number":
        return np.ones(len(sizes), bool)
    moved = sizes[:, 2] if aspect == "height" else sizes.max(axis=1)
    return keeps_option(answer["value"], answer["choices"], moved)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectBox:
    """The 9-DoF box of one named object that a view shows untruncated."""

    name: ClassVar[str] = "object_box"
    formats: ClassVar[tuple[str, ...]] = ("list",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = "9-DoF box of a named object in the first view's camera frame"
    counterparts: ClassVar[str] = "GAP-MLLM grounding; ScanRefer; SPAR obj_frame_locate"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of the object's pixels, in the view that shows it
    candidates: int = 3  # objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object; the answer is a list of one row."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for column, own in drawn(columns, self.candidates, rng):
                if not whole[column]:
                    facts.drop(self.name, "object truncated")
                    continue
                (named,) = refer(facts, views, (column,), own)
                label = facts.scene.labels[column]
                camera = "the camera" if len(views) == 1 else "the first image's camera"
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="list",
                    views=views,
                    value=[{"label": label, "bbox_3d": facts.bbox_3d(views[0], column)}],
                    frame=self.frame,
                    unit="m",
                    objects=(facts.id(column),),
                    evidence={
                        "visible_fraction": float(
                            facts.visibility.visible[list(views), column].max()
                        ),
                        "min_visible": self.seen.min_visible,
                    },
                    references=(named,),
                    slots=name_slots(x=named.words) | {"camera": camera},
                )
