"""The same object in two views: which marked box it is, where it is, whether two boxes mark one object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gapdata.markers import COLORS, marker
from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.question import Question
from gapdata.tasks.references import referable

BOX = ("box",)


def box_marker(facts: Facts, view: int, column: int, color: str) -> dict[str, Any]:
    """A box drawn around what a view shows of an instance."""
    bounds = facts.bounds[view, column].astype(int).tolist()
    return marker("box", view, color, bbox=bounds, instance=facts.id(column))


def nearest_other(facts: Facts, column: int, others: list[int]) -> float:
    """Metres from the centre of an instance's box to the nearest of the others' centres."""
    center = facts.scene.instances[column].box.center
    away = [facts.scene.instances[other].box.center - center for other in others]
    return float(np.linalg.norm(away, axis=-1).min())


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionMatching:
    """The box-marked object of the first view in the second one: which marked box, or its 2D box."""

    name: ClassVar[str] = "position_matching"
    formats: ClassVar[tuple[str, ...]] = ("choice", "text")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = (
        "find the object marked in one image in the other: a marked box or a 2D box"
    )
    counterparts: ClassVar[str] = "SPAR position_matching"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = (
        0.1  # metres between the centres of the right object and of any other marked one
    )
    pairs: int = 4  # pairs of views tried
    candidates: int = 2  # objects tried a pair

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For some pairs of views, in either order, some of the objects both show well."""
        for views, column, others, own in _objects_of_pairs(facts, self, rng):
            if own.random() < 0.4:
                yield self._box(facts, views, column)
                continue
            picked = own.permutation(len(others))[: OPTIONS - 1].tolist()
            chosen = [others[index] for index in picked]
            if not chosen:
                facts.drop(self.name, "nothing else to choose")
            elif (gap := nearest_other(facts, column, chosen)) < self.min_gap:
                facts.drop(self.name, "marked objects too near each other")
            else:
                yield self._choice(facts, views, (column, *chosen), gap, own)

    def _choice(
        self,
        facts: Facts,
        views: tuple[int, ...],
        columns: tuple[int, ...],
        gap: float,
        rng: np.random.Generator,
    ) -> Question:
        own, *colors = shuffled(tuple(COLORS), rng)
        options = [f"the {color} box" for color, _ in zip(colors, columns, strict=False)]
        boxes = [
            box_marker(facts, views[1], column, color)
            for color, column in zip(colors, columns, strict=False)
        ]
        return Question(
            task=self.name,
            wording=f"{self.name}_choice",
            format="choice",
            views=views,
            value=options[0],
            frame=self.frame,
            unit="m",
            choices=shuffled(options, rng),
            objects=tuple(facts.id(column) for column in columns),
            evidence={"nearest_other_m": gap, "min_gap_m": self.min_gap},
            margin=gap,
            markers=(box_marker(facts, views[0], columns[0], own), *boxes),
            slots={"color": own},
        )

    def _box(self, facts: Facts, views: tuple[int, ...], column: int) -> Question:
        left, top, right, bottom = facts.bounds[views[1], column].astype(int).tolist()
        camera = facts.views[views[1]].camera
        return Question(
            task=self.name,
            wording=f"{self.name}_text",
            format="text",
            views=views,
            value=f'```json\n{{"bbox_2d": [{left}, {top}, {right}, {bottom}]}}\n```',
            frame=self.frame,
            objects=(facts.id(column),),
            evidence={"pixels": facts.visibility.pixels[list(views), column].tolist()},
            markers=(box_marker(facts, views[0], column, "red"),),
            slots={"color": "red", "size": f"{camera.width} x {camera.height}"},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SameObject:
    """Whether boxes in two views mark one object; half of the time, another one, of the same label if there is one."""

    name: ClassVar[str] = "same_object"
    formats: ClassVar[tuple[str, ...]] = ("yesno",)
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = "do two boxes drawn in two images mark the same object"
    counterparts: ClassVar[str] = "SPAR position_matching; MindCube"

    seen: SeenRule = CLEARLY_SEEN
    min_gap: float = 0.1  # metres between the object's centre and that of the nearest other one in the second view
    pairs: int = 4  # pairs of views tried
    candidates: int = 2  # objects tried a pair

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For some pairs of views, in either order, some of the objects both show well."""
        for views, column, others, own in _objects_of_pairs(facts, self, rng):
            same = bool(own.random() < 0.5)
            if not others:
                facts.drop(self.name, "no other object to mistake it for")
                continue
            labels = facts.scene.labels
            alike = [other for other in others if labels[other] == labels[column]]
            other = int(own.choice(alike or others))
            gap = nearest_other(facts, column, others if same else [other])
            if gap < self.min_gap:
                facts.drop(self.name, "objects too near each other")
                continue
            shown = column if same else other
            colors = shuffled(tuple(COLORS), own)[:2]
            yield Question(
                task=self.name,
                wording=self.name,
                format="yesno",
                views=views,
                value=same,
                frame=self.frame,
                unit="m",
                objects=(facts.id(column), facts.id(shown))[: 1 if same else 2],
                evidence={"nearest_other_m": gap, "min_gap_m": self.min_gap},
                margin=gap,
                markers=(
                    box_marker(facts, views[0], column, colors[0]),
                    box_marker(facts, views[1], shown, colors[1]),
                ),
                slots={"color_1": colors[0], "color_2": colors[1]},
            )


def _objects_of_pairs(
    facts: Facts, task: PositionMatching | SameObject, rng: np.random.Generator
) -> Iterator[tuple[tuple[int, ...], int, list[int], np.random.Generator]]:
    """Some pairs of views, in either order, each with an object that a box singles out in both, and the others of the second."""
    for pair, pair_rng in drawn(facts.view_sets("pair"), task.pairs, rng):
        views = pair if pair_rng.random() < 0.5 else pair[::-1]
        first, second = (referable(facts, task.name, [v], task.seen, BOX) for v in views)
        both = [column for column in second if column in first]
        if not both:
            facts.drop(task.name, "no object that both views show well")
        for column, own in drawn(both, task.candidates, pair_rng):
            yield views, column, [other for other in second if other != column], own
