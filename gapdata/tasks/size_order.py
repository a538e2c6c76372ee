"""Which objects are larger than others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np

from gapdata.tasks.candidates import drawn, orders, shuffled
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.size import shown_whole


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeComparison:
    """Which of two objects is wider, taller or bigger, by their upright boxes.

    Wider goes by the longer horizontal side, taller by the height, bigger by the volume.
    """

    name: ClassVar[str] = "size_comparison"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "which of two objects is wider, taller or bigger"
    counterparts: ClassVar[str] = "SPAR spatial_volume_infer; SpatialRGPT wide, tall, big"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of each object's pixels, in the view that shows it
    min_size: float = 0.1  # metres, of the larger extent; of a volume, its cube root
    # By how much the smaller extent stays below the larger, in parts of it; of volumes: of the cube root.
    min_gap: float = 0.1
    max_ratio: float = 3.0  # of the extents; of larger ones the names alone would tell
    candidates: int = 6  # pairs tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a pair of named objects, about half of them as a claim."""
        for views in facts.view_sets("single", "all"):
            columns = facts.named(self.name, views, self.seen)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for pair, own in drawn(list(combinations(columns, 2)), self.candidates, rng):
                a, b = pair if own.random() < 0.5 else pair[::-1]
                aspect = ("wider", "taller", "bigger")[int(own.integers(3))]
                is_claim = bool(own.random() < 0.5)
                if not (whole[a] and whole[b]):
                    facts.drop(self.name, "object truncated")
                    continue
                extents = [_extent(facts, column, aspect) for column in (a, b)]
                small, large = sorted(extents)
                if large < self.min_size:
                    facts.drop(self.name, "objects too small to measure")
                    continue
                if large - small < self.min_gap * large:
                    facts.drop(self.name, "about equally large")
                    continue
                if large > self.max_ratio * small:
                    facts.drop(self.name, "sizes too different to need a look")
                    continue
                labels = (facts.scene.labels[a], facts.scene.labels[b])
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{aspect}_{'yesno' if is_claim else 'choice'}",
                    format="yesno" if is_claim else "choice",
                    views=views,
                    value=extents[0] > extents[1] if is_claim else labels[int(np.argmax(extents))],
                    unit="m",
                    choices=() if is_claim else labels,
                    objects=(facts.id(a), facts.id(b)),
                    evidence={
                        "aspect": aspect,
                        "extents_m": extents,
                        "min_gap_m": self.min_gap * large,
                    },
                    margin=large - small,
                    slots=name_slots(a=labels[0], b=labels[1]) if is_claim else {},
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectVolumeOrder:
    """Three objects from the smallest to the largest volume of their upright boxes."""

    name: ClassVar[str] = "object_volume_order"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "order of 3 objects by the volume of their boxes"
    counterparts: ClassVar[str] = "SPAR spatial_volume_infer"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.0  # of each object's pixels, in the view that shows it
    min_gap: float = 0.1  # between cube roots of two volumes, in parts of the larger
    objects: int = 3
    candidates: int = 4  # groups tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a group of named objects, with four orders to choose from."""
        for views in facts.view_sets("single", "all"):
            columns = facts.named(self.name, views, self.seen)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            groups = list(combinations(columns, self.objects))
            for group, own in drawn(groups, self.candidates, rng):
                if not whole[list(group)].all():
                    facts.drop(self.name, "object truncated")
                    continue
                extents = {column: _extent(facts, column, "bigger") for column in group}
                order = sorted(group, key=extents.__getitem__)
                roots = np.array([extents[column] for column in order])
                gaps = 1.0 - roots[:-1] / np.maximum(roots[1:], 1e-9)
                if gaps.min() < self.min_gap:
                    facts.drop(self.name, "about equally large")
                    continue
                options = orders([facts.scene.labels[column] for column in order], own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="choice",
                    views=views,
                    value=options[0],
                    choices=shuffled(options, own),
                    objects=tuple(facts.id(column) for column in group),
                    evidence={
                        "volumes_m3": [extents[column] ** 3 for column in group],
                        "min_gap": self.min_gap,
                    },
                    margin=float(gaps.min()),
                )


def _extent(facts: Facts, column: int, aspect: str) -> float:
    """Metres: longer horizontal side, height, or the cube root of the volume."""
    size = facts.scene.instances[column].box.size
    if aspect == "wider":
        return float(size[:2].max())
    return float(size[2] if aspect == "taller" else np.cbrt(np.prod(size)))
