"""Which views show an object, and which of several objects comes into view first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gapdata.tasks.candidates import drawn, orders, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import NAMED, refer, referable

Array = np.ndarray

WRONG_IMAGES = 2  # in a choice of one image


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectFrameLocate:
    """Which views show a named object. A view that shows a trace of it is never asked about."""

    name: ClassVar[str] = "object_frame_locate"
    formats: ClassVar[tuple[str, ...]] = ("text", "choice", "yesno")
    views: ClassVar[str] = "all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "numbers of the images that show a named object, or whether one does"
    counterparts: ClassVar[str] = "SPAR obj_frame_locate"

    seen: SeenRule = CLEARLY_SEEN
    candidates: int = 8  # answers tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each of some objects all its images, one image out of several, or a claim about one.

        The answer is drawn first and then an object that has it, so that no image is named more often than it has to be.
        """
        if len(facts.views) < 2:
            facts.drop(self.name, "only one view")
            return
        views = tuple(range(len(facts.views)))
        columns = referable(facts, self.name, views, self.seen, NAMED)
        done: set[tuple[int, str]] = set()
        for _, own in drawn(range(self.candidates), self.candidates, rng):
            kind = self.formats[int(own.integers(3))]
            want = bool(own.random() < 0.5)
            found = self._drawn(facts, columns, kind, want, own)
            if found is None or (found[0], kind) in done:
                facts.drop(self.name, f"no views for a {kind} question")
                continue
            column, asked = found
            done.add((column, kind))
            (reference,) = refer(facts, views, (column,), own, NAMED)
            slots = name_slots(x=reference.words)
            images = [f"image {view + 1}" for view in asked]
            value: str | bool = want
            if kind == "text":
                value = f"{[view + 1 for view in asked]}"
            elif kind == "choice":
                value = images[0]
            else:
                slots["image"] = images[0]
            shown = facts.seen(self.seen)[:, column]
            clear = np.where(shown, facts.visibility.visible[:, column], self.seen.min_visible)
            relevant = views if kind == "text" else asked
            yield Question(
                task=self.name,
                wording=f"{self.name}_{kind}",
                format=kind,
                views=views,
                value=value,
                choices=shuffled(images, own) if kind == "choice" else (),
                objects=(facts.id(column),),
                references=(reference,),
                evidence={
                    "pixels": facts.visibility.pixels[:, column].tolist(),
                    "visible_fraction": facts.visibility.visible[:, column].tolist(),
                    "min_visible": self.seen.min_visible,
                },
                margin=float(clear[list(relevant)].min()),
                slots=slots,
            )

    def _drawn(
        self, facts: Facts, columns: list[int], kind: str, want: bool, rng: np.random.Generator
    ) -> tuple[int, tuple[int, ...]] | None:
        """An object, and its views (text), one of them and wrong ones (choice), or a view to make a claim about.

        None when no object has the answer that was drawn.
        """
        shown = facts.seen(self.seen)[:, columns]
        absent = facts.visibility.pixels[:, columns] == 0
        if kind == "text":
            clear = (shown | absent).all(axis=0) & absent.any(axis=0)
            answers = np.unique(shown[:, clear], axis=1)
            if answers.shape[1] == 0:
                return None
            answer = answers[:, int(rng.integers(answers.shape[1]))]
            pool = clear & (shown == answer[:, None]).all(axis=0)
            column = columns[int(rng.choice(np.flatnonzero(pool)))]
            return column, tuple(np.flatnonzero(answer).tolist())
        view = int(rng.integers(len(shown)))
        if kind == "yesno":
            pool = shown[view] if want else absent[view]
        else:
            pool = shown[view] & (absent.sum(axis=0) >= WRONG_IMAGES)
        if not pool.any():
            return None
        place = int(rng.choice(np.flatnonzero(pool)))
        if kind == "yesno":
            return columns[place], (view,)
        wrong = rng.permutation(np.flatnonzero(absent[:, place]))[:WRONG_IMAGES].tolist()
        return columns[place], (view, *wrong)


@dataclass(frozen=True, kw_only=True, slots=True)
class AppearanceOrder:
    """In which order objects first come into view. No earlier view may show a trace of them."""

    name: ClassVar[str] = "appearance_order"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "all"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "order in which 3 or 4 objects first appear in the images"
    counterparts: ClassVar[str] = (
        "VSI obj_appearance_order; SPAR appearance_order; SIMS-V temporal_rel, temporal_order"
    )

    seen: SeenRule = CLEARLY_SEEN
    candidates: int = 4  # groups tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Orders of three or four objects, and claims that one comes before another."""
        if len(facts.views) < 2:
            facts.drop(self.name, "only one view")
            return
        views = tuple(range(len(facts.views)))
        columns = referable(facts, self.name, views, self.seen, NAMED)
        first = facts.seen(self.seen).argmax(axis=0)
        clear: dict[int, list[int]] = {}  # first view -> columns that appear in it
        for column in columns:
            if facts.visibility.pixels[: first[column], column].any():
                facts.drop(self.name, "a trace seen earlier")
            else:
                clear.setdefault(int(first[column]), []).append(column)
        if len(clear) < 2:
            facts.drop(self.name, "objects appear together")
            return
        tried: set[tuple[int, ...]] = set()
        for _, own in drawn(range(self.candidates), self.candidates, rng):
            is_choice = bool(own.random() < 0.6)
            size = int(own.integers(3, 5)) if is_choice else 2
            if len(clear) < size:
                size = len(clear) if is_choice and len(clear) == 3 else 2
            times = sorted(own.choice(sorted(clear), size, replace=False).tolist())
            group = tuple(int(own.choice(clear[time])) for time in times)
            if group not in tried:
                tried.add(group)
                yield self._question(facts, views, group, times, own)

    def _question(
        self,
        facts: Facts,
        views: tuple[int, ...],
        group: tuple[int, ...],
        times: list[int],
        rng: np.random.Generator,
    ) -> Question:
        references = refer(facts, views, group, rng, NAMED)
        words = [reference.words for reference in references]
        mixed = rng.permutation(len(group)).tolist()
        evidence = {"first_views": times, "min_visible": self.seen.min_visible}
        if len(group) == 2:
            a, b = mixed
            return Question(
                task=self.name,
                wording=f"{self.name}_yesno",
                format="yesno",
                views=views,
                value=a < b,
                objects=(facts.id(group[a]), facts.id(group[b])),
                references=references,
                evidence=evidence | {"first_views": [times[a], times[b]]},
                margin=float(times[1] - times[0]),
                slots=name_slots(a=words[a], b=words[b]),
            )
        options = orders(words, rng)
        named = [f"the {words[index]}" for index in mixed]
        return Question(
            task=self.name,
            wording=f"{self.name}_choice",
            format="choice",
            views=views,
            value=options[0],
            choices=shuffled(options, rng),
            objects=tuple(facts.id(column) for column in group),
            references=references,
            evidence=evidence,
            margin=float(np.diff(times).min()),
            slots={"names": f"{', '.join(named[:-1])} and {named[-1]}"},
        )
