"""How many objects of a kind there are, and of which kind there are more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from gapdata.tasks.candidates import drawn
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import is_plural, name_slots, plural
from gapdata.tasks.question import Question

COUNTS = 3  # options of a choice


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
        for views in facts.view_sets("single", "all"):
            ones = 0
            for label, own in drawn(shown_labels(facts, views), self.candidates, rng):
                members = countable(facts, views, label)
                if members is None:
                    facts.drop(self.name, "label does not say what one object is")
                    continue
                ones += len(members) == 1
                if len(members) == 1 and ones > self.ones_per_set:
                    facts.drop(self.name, "too many with the answer 1")
                    continue
                best = best_seen(facts, views, members, self.seen)
                if min(best) == 0.0:
                    facts.drop(self.name, "some only seen in part")
                    continue
                yield Question(
                    task=self.name,
                    wording=self.name,
                    views=views,
                    objects=tuple(facts.id(column) for column in members),
                    evidence={
                        "count": len(members),
                        "visible_fraction": best,
                        "min_visible": self.seen.min_visible,
                    },
                    margin=min(best) - self.seen.min_visible,
                    slots=name_slots(x=label),
                    **_number_or_choice(len(members), own),
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class CountComparison:
    """Of which of two kinds of objects there are more, when every one of both is seen well or not at all."""

    name: ClassVar[str] = "count_comparison"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "of which of two kinds of objects the views show more"
    counterparts: ClassVar[str] = "VSI object_counting, as a comparison"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 1.0  # objects by which the counts differ
    least: int = 2  # objects of either kind: that there is one bed or stove is known unseen
    candidates: int = 8  # pairs of labels tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a pair of labels of which something is shown, about half of them as a claim."""
        for views in facts.view_sets("single", "all"):
            groups = {
                label: members
                for label in shown_labels(facts, views)
                if (members := countable(facts, views, label)) is not None
            }
            counts = {
                label: len(members)
                for label, members in groups.items()
                if len(members) >= self.least
            }
            pairs = [(a, b) for a, b in combinations(sorted(counts), 2) if counts[a] != counts[b]]
            for pair, own in drawn(pairs, self.candidates, rng):
                a, b = pair if own.random() < 0.5 else pair[::-1]
                is_claim = bool(own.random() < 0.5)
                if abs(counts[a] - counts[b]) < self.min_gap:
                    facts.drop(self.name, "about as many")
                    continue
                members = [*groups[a], *groups[b]]
                best = best_seen(facts, views, members, self.seen)
                if min(best) == 0.0:
                    facts.drop(self.name, "some only seen in part")
                    continue
                options = (plural(a), plural(b))
                more = counts[a] > counts[b]
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{'yesno' if is_claim else 'choice'}",
                    format="yesno" if is_claim else "choice",
                    views=views,
                    value=more if is_claim else options[0 if more else 1],
                    choices=() if is_claim else options,
                    objects=tuple(facts.id(column) for column in members),
                    evidence={
                        "labels": [a, b],
                        "counts": [counts[a], counts[b]],
                        "visible_fraction": best,
                        "min_visible": self.seen.min_visible,
                    },
                    margin=float(abs(counts[a] - counts[b])),
                    slots=name_slots(a=a, b=b) if is_claim else {},
                )


def shown_labels(facts: Facts, views: Sequence[int]) -> list[str]:
    """Labels, sorted, of the objects of which the views show at least a trace."""
    present = facts.present[list(views)].any(axis=0) & facts.scene.is_object
    return sorted({facts.scene.labels[column] for column in np.flatnonzero(present)})


def countable(facts: Facts, views: Sequence[int], label: str) -> list[int] | None:
    """Columns of the shown objects with a label; None when it is plural or also fits objects with another label."""
    present = np.asarray(facts.present[list(views)].any(axis=0))
    members = present & np.array([other == label for other in facts.scene.labels], bool)
    columns: list[int] = np.flatnonzero(members).tolist()
    if is_plural(label) or facts.scene.rivals(present)[columns[0]] != len(columns):
        return None
    return columns


def best_seen(
    facts: Facts, views: Sequence[int], columns: Sequence[int], rule: SeenRule
) -> list[float]:
    """The best visible fraction of each column among the views that show it by the rule; 0 when none does."""
    rows = list(views)
    visible = np.where(facts.seen(rule)[rows], facts.visibility.visible[rows], 0.0)
    best: list[float] = visible.max(axis=0)[list(columns)].tolist()
    return best


def _number_or_choice(count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Format, value and choices: three consecutive counts in random order.

    Counts up to three share the same three options, so that these do not tell which; of others the rank is uniform.
    """
    if rng.random() < 0.5:
        return {"format": "number", "value": float(count)}
    rank = int(rng.integers(COUNTS))
    lowest = count - rank if count > COUNTS else 1
    options = [str(lowest + int(step)) for step in rng.permutation(COUNTS)]
    return {"format": "choice", "value": str(count), "choices": tuple(options)}
