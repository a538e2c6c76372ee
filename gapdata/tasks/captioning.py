"""From an object to its description and back: a caption of a marked object, and the marked object that fits a description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gapdata.answers import format_box
from gapdata.captions import Caption, write_caption
from gapdata.markers import COLORS
from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, HALF_SEEN, Facts, SeenRule
from gapdata.tasks.matching import BOX, box_marker, nearest_other
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import is_plural, name_slots, with_article
from gapdata.tasks.question import Question
from gapdata.tasks.references import (
    ADJECTIVES,
    IN_WORDS,
    MARKED,
    UNTOLD,
    Reference,
    refer,
    referable,
)

Array = np.ndarray

LABEL = ("label",)


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribeObject:
    """A caption of an object that a marker or a 3D box singles out: what it is, its size, a neighbour and where from that."""

    name: ClassVar[str] = "describe_object"
    formats: ClassVar[tuple[str, ...]] = ("text",)
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = (
        "caption of a marked object: attributes, label, size, distance and side of a neighbour"
    )
    counterparts: ClassVar[str] = "GAP-MLLM captioning; Scan2Cap"

    seen: SeenRule = HALF_SEEN
    max_truncated: float = 0.01  # part outside the image: the size of more is a guess
    neighbours: int = 4  # named objects, by distance of centres, of which the nearest is told
    apart: float = 0.1  # metres at least to the neighbour that is named
    candidates: int = 2  # objects tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view some objects, half of them by a drawn marker, half by their 9-DoF box."""
        for views in facts.view_sets("single"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            neighbours = referable(facts, self.name, views, CLEARLY_SEEN, LABEL)
            for column, own in drawn(columns, self.candidates, rng):
                by_marker = bool(own.random() < 0.5)
                if facts.visibility.truncated[views[0], column] > self.max_truncated:
                    facts.drop(self.name, "object truncated")
                    continue
                caption = self._caption(facts, views[0], column, neighbours)
                references: tuple[Reference, ...] = ()
                if by_marker:
                    references = refer(facts, views, (column,), own, MARKED)
                    slots = {"what": f"the {references[0].words}"}
                else:
                    box = format_box(facts.bbox_3d(views[0], column))
                    slots = {"what": f"the object with bbox_3d {box}"}
                label = facts.scene.labels[column]
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{'marked' if by_marker else 'box'}",
                    format="text",
                    views=views,
                    value=write_caption(
                        caption,
                        many=is_plural(label),
                        many_neighbours=is_plural(caption.neighbour),
                    ),
                    frame=self.frame,
                    unit="m",
                    objects=(facts.id(column),),
                    references=references,
                    evidence={
                        "name": caption.name,
                        "height_m": caption.height,
                        "width_m": caption.width,
                        "neighbour": caption.neighbour,
                        "distance_m": caption.distance,
                        "side": caption.side,
                    },
                    slots=slots,
                )

    def _caption(self, facts: Facts, view: int, column: int, neighbours: list[int]) -> Caption:
        instance = facts.scene.instances[column]
        width = float(instance.box.size[:2].max())
        caption = Caption(
            name=with_article(phrase(facts, column)),
            height=float(instance.box.size[2]),
            width=width,
        )
        others = [other for other in neighbours if other != column]
        centers = [
            facts.scene.instances[other].box.center - instance.box.center for other in others
        ]
        order = np.argsort([round(float(np.linalg.norm(c)), 6) for c in centers], kind="stable")
        about = [others[index] for index in order[: self.neighbours].tolist()]
        away = facts.scene.surfaces.distances(column, about).tolist()
        near = [
            (round(distance, 6), other)
            for distance, other in zip(away, about, strict=True)
            if self.apart <= distance < np.inf
        ]
        if not near:
            return caption
        distance, other = min(near, key=lambda row: row[0])
        left, _, right, _ = facts.extents[view, column]
        other_left, _, other_right, _ = facts.extents[view, other]
        side = "left" if right < other_left else "right" if left > other_right else ""
        label = facts.scene.labels[other]
        return replace(caption, neighbour=label, distance=distance, side=side)


def phrase(facts: Facts, column: int) -> str:
    """The label with its colour and material before it, as far as they are known: "red wooden chair"."""
    said = facts.scene.instances[column].attributes
    label = facts.scene.labels[column]
    words = [said.color, ADJECTIVES.get(said.material, said.material)]
    told = [word for word in words if word and word not in UNTOLD and word not in label.split()]
    return " ".join([*told, label])


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferToObject:
    """Which of several box-marked objects a description means: its name, or its distance to something named."""

    name: ClassVar[str] = "refer_to_object"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = (
        "which marked box a description fits: a name, or nearest to or farthest from something"
    )
    counterparts: ClassVar[str] = "ScanRefer; SceneVerse; GAP-MLLM grounding"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = (
        0.15  # metres: between distances to the named object, and between centres of marked ones
    )
    min_gap_ratio: float = 0.1  # likewise of distances, of the larger one
    candidates: int = 2  # groups tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each view some groups of two to four marked objects, half described by name, half by a distance."""
        for views in facts.view_sets("single"):
            boxed = referable(facts, self.name, views, self.seen, BOX)
            named = referable(facts, self.name, views, self.seen, IN_WORDS)
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                by_name = bool(own.random() < 0.5)
                anchor = int(own.choice(named)) if named and not by_name else -1
                targets = [c for c in boxed if c != anchor and (c in named or not by_name)]
                if not targets or len(boxed) < 3 or not named:
                    facts.drop(self.name, "too few objects that words or boxes single out")
                    continue
                target = int(own.choice(targets))
                others = [column for column in boxed if column not in (target, anchor)]
                labels = facts.scene.labels
                # Objects of the same label first: they are what the description has to tell apart.
                order = sorted(
                    own.permutation(len(others)).tolist(),
                    key=lambda index: labels[others[index]] != labels[target],
                )
                group = [target, *(others[index] for index in order[: OPTIONS - 1])]
                if nearest_other(facts, target, group[1:]) < self.min_gap:
                    facts.drop(self.name, "marked objects too near each other")
                    continue
                question = (
                    self._by_name(facts, views, group, own)
                    if by_name
                    else self._by_distance(facts, views, group, anchor, own)
                )
                if question is not None:
                    yield question

    def _by_name(
        self, facts: Facts, views: tuple[int, ...], group: list[int], rng: np.random.Generator
    ) -> Question:
        (reference,) = refer(facts, views, (group[0],), rng, IN_WORDS)
        gap = nearest_other(facts, group[0], group[1:])
        question = Question(
            task=self.name,
            wording=f"{self.name}_name",
            format="choice",
            views=views,
            value="",
            frame=self.frame,
            unit="m",
            references=(reference,),
            evidence={"nearest_other_m": gap, "min_gap_m": self.min_gap},
            margin=gap,
            slots=name_slots(x=reference.words),
        )
        return _boxed(facts, question, group, 0, rng)

    def _by_distance(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: list[int],
        anchor: int,
        rng: np.random.Generator,
    ) -> Question | None:
        farthest = bool(rng.random() < 0.5)
        (reference,) = refer(facts, views, (anchor,), rng, IN_WORDS)
        away = facts.scene.surfaces.distances(anchor, group)
        sign = -1.0 if farthest else 1.0
        order = np.argsort(sign * away, kind="stable")
        gap = float(abs(away[order[1]] - away[order[0]]))
        threshold = max(self.min_gap, self.min_gap_ratio * float(away[order[:2]].max()))
        if not np.isfinite(away).all() or gap < threshold:
            facts.drop(self.name, "two marked objects about equally far")
            return None
        right = int(order[0])

        def holds(noise: Noise) -> Array:
            disturbed = np.stack([noise.distance(anchor, column) for column in group])
            return np.asarray((sign * disturbed).argmin(axis=0) == right)

        question = Question(
            task=self.name,
            wording=f"{self.name}_{'farthest' if farthest else 'nearest'}",
            format="choice",
            views=views,
            value="",
            frame=self.frame,
            unit="m",
            references=(reference,),
            evidence={
                "anchor": facts.id(anchor),
                "distances_m": away.tolist(),
                "min_gap_m": threshold,
            },
            margin=gap,
            slots=name_slots(x=reference.words),
            holds=holds,
        )
        return _boxed(facts, question, group, right, rng)


def _boxed(
    facts: Facts, question: Question, group: list[int], right: int, rng: np.random.Generator
) -> Question:
    """The question with a coloured box around each of the group and the right one's colour as its answer."""
    colors = shuffled(tuple(COLORS), rng)[: len(group)]
    options = [f"the {color} box" for color in colors]
    boxes = [
        box_marker(facts, question.views[0], column, color)
        for column, color in zip(group, colors, strict=True)
    ]
    return replace(
        question,
        value=options[right],
        choices=shuffled(options, rng),
        objects=tuple(facts.id(column) for column in group),
        markers=tuple(boxes),
    )
