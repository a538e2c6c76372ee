"""Whether there is an object of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gapdata.labels import NYU40
from gapdata.tasks.candidates import drawn
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import is_plural, name_slots
from gapdata.tasks.question import Question

# NYU40 classes that say nothing of what an object is.
VAGUE_NYU40 = {
    0,
    *(NYU40.index(name) for name in ("otherstructure", "otherfurniture", "otherprop")),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exists:
    """Whether the views show an object with a label. The labels are those of the scene's own objects.

    No is certain when the views show no trace of such an object nor of anything alike, and know what they show.
    """

    name: ClassVar[str] = "exists"
    formats: ClassVar[tuple[str, ...]] = ("yesno",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "whether the views show an object of a kind"
    counterparts: ClassVar[str] = "SPAR obj_count; POPE"

    seen: SeenRule = CLEARLY_SEEN
    max_unlabelled: float = 0.2  # of the pixels with depth: beyond that something may be unnamed
    candidates: int = 2  # labels tried a view set for each answer

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view set as many labels that are there as labels that are not."""
        scene = facts.scene
        labels = sorted(
            {scene.labels[column] for column in np.flatnonzero(scene.is_object)}
            - {label for label in scene.labels if is_plural(label)}
        )
        for views in facts.view_sets("single", "all"):
            present = np.asarray(facts.present[list(views)].any(axis=0))
            shown = {scene.labels[column] for column in np.flatnonzero(present)}
            there = [label for label in labels if label in shown]
            missing = [label for label in labels if label not in shown]
            count = min(self.candidates, len(there), len(missing))
            if count == 0:
                facts.drop(self.name, "all labels are there, or none", len(labels))
            for label, _ in drawn(there, count, rng):
                yield from self._present(facts, views, label)
            for label, _ in drawn(missing, count, rng):
                yield from self._absent(facts, views, label, present)

    def _present(self, facts: Facts, views: tuple[int, ...], label: str) -> Iterator[Question]:
        rows = list(views)
        best = np.where(facts.seen(self.seen)[rows], facts.visibility.visible[rows], 0).max(axis=0)
        members = [c for c, other in enumerate(facts.scene.labels) if other == label and best[c]]
        if not members:
            facts.drop(self.name, "object not seen well enough")
            return
        clearest = max(members, key=lambda column: best[column])
        yield Question(
            task=self.name,
            wording=self.name,
            format="yesno",
            views=views,
            value=True,
            objects=(facts.id(clearest),),
            evidence={
                "label": label,
                "visible_fraction": float(best[clearest]),
                "min_visible": self.seen.min_visible,
            },
            margin=max(float(best[clearest]) - self.seen.min_visible, 1e-6),
            slots=name_slots(x=label),
        )

    def _absent(
        self, facts: Facts, views: tuple[int, ...], label: str, present: np.ndarray
    ) -> Iterator[Question]:
        scene = facts.scene
        column = scene.labels.index(label)
        if any(_alike(facts, column, other) for other in np.flatnonzero(present).tolist()):
            facts.drop(self.name, "something alike is there")
            return
        unlabelled = _unlabelled(facts, views)
        if unlabelled > self.max_unlabelled:
            facts.drop(self.name, "too much of the picture is unlabelled")
            return
        yield Question(
            task=self.name,
            wording=self.name,
            format="yesno",
            views=views,
            value=False,
            evidence={
                "label": label,
                "unlabelled": unlabelled,
                "max_unlabelled": self.max_unlabelled,
            },
            margin=1.0 - unlabelled,
            slots=name_slots(x=label),
        )


def _alike(facts: Facts, column: int, other: int) -> bool:
    """Whether one could be called by the other's name: a common noun at the end, or one telling class."""
    a, b = facts.scene.instances[column], facts.scene.instances[other]
    if a.nyu40 == b.nyu40 and a.nyu40 not in VAGUE_NYU40:
        return True
    words_a, words_b = a.label.split(), b.label.split()
    return bool(words_a and words_b) and (words_a[-1] in words_b or words_b[-1] in words_a)


def _unlabelled(facts: Facts, views: Sequence[int]) -> float:
    """The largest part, over the views, of the pixels with depth that belong to no instance with a name."""
    return max(facts.once(_unlabelled_part, view) for view in views)


def _unlabelled_part(facts: Facts, view: int) -> float:
    depth = facts.views[view].depth
    assert depth is not None
    measured = depth > 0
    named = np.append(facts.scene.has_name, False)[facts.columns(view)]
    return int(np.count_nonzero(measured & ~named)) / max(int(np.count_nonzero(measured)), 1)
