"""Which objects are larger than others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.candidates import drawn, orders, shuffled
from gapdata.tasks.facts import HALF_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, refer, referable
from gapdata.tasks.size import shown_whole

Array = np.ndarray


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
            columns = referable(facts, self.name, views, self.seen)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            for pair, own in drawn(list(combinations(columns, 2)), self.candidates, rng):
                a, b = pair if own.random() < 0.5 else pair[::-1]
                aspect = ("wider", "taller", "bigger")[int(own.integers(3))]
                is_claim = bool(own.random() < 0.5)
                if not (whole[a] and whole[b]):
                    facts.drop(self.name, "object truncated")
                    continue
                boxes = np.array([facts.scene.instances[column].box.size for column in (a, b)])
                extents: list[float] = _extents(boxes, aspect).tolist()
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
                named = refer(facts, views, (a, b), own)
                words = tuple(reference.words for reference in named)
                larger = int(np.argmax(extents))
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{aspect}_{'yesno' if is_claim else 'choice'}",
                    format="yesno" if is_claim else "choice",
                    views=views,
                    value=larger == 0 if is_claim else words[larger],
                    unit="m",
                    choices=() if is_claim else words,
                    objects=(facts.id(a), facts.id(b)),
                    evidence={
                        "aspect": aspect,
                        "extents_m": extents,
                        "min_gap_m": self.min_gap * large,
                    },
                    margin=large - small,
                    references=named,
                    holds=partial(_keeps_order, (a, b) if larger else (b, a), aspect),
                    slots=name_slots(a=words[0], b=words[1]) if is_claim else {},
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
            columns = referable(facts, self.name, views, self.seen, MARKED)
            whole = shown_whole(facts, views, self.seen, self.max_truncated)
            groups = list(combinations(columns, self.objects))
            for group, own in drawn(groups, self.candidates, rng):
                if not whole[list(group)].all():
                    facts.drop(self.name, "object truncated")
                    continue
                boxes = np.array([facts.scene.instances[column].box.size for column in group])
                extents = _extents(boxes, "bigger")
                order = np.argsort(extents, kind="stable").tolist()
                roots = extents[order]
                gaps = 1.0 - roots[:-1] / np.maximum(roots[1:], 1e-9)
                if gaps.min() < self.min_gap:
                    facts.drop(self.name, "about equally large")
                    continue
                named = refer(facts, views, group, own, MARKED)
                options = orders([named[place].words for place in order], own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="choice",
                    views=views,
                    value=options[0],
                    choices=shuffled(options, own),
                    objects=tuple(facts.id(column) for column in group),
                    evidence={
                        "volumes_m3": (extents**3).tolist(),
                        "min_gap": self.min_gap,
                    },
                    margin=float(gaps.min()),
                    references=named,
                    holds=partial(_keeps_order, [group[place] for place in order], "bigger"),
                )


def _extents(sizes: Float[Array, "*n 3"], aspect: str) -> Float[Array, "*n"]:
    """Metres: longer horizontal side, height, or the cube root of the volume."""
    if aspect == "wider":
        return np.asarray(sizes[..., :2].max(axis=-1))
    return np.asarray(sizes[..., 2] if aspect == "taller" else np.cbrt(np.prod(sizes, axis=-1)))


def _keeps_order(columns: Sequence[int], aspect: str, noise: Noise) -> Bool[Array, " K"]:
    """Whether these objects, from the smallest to the largest, stay in that order."""
    steps = np.diff(_extents(noise.sizes(columns), aspect), axis=-1)
    return np.asarray((steps > 0).all(axis=-1))
