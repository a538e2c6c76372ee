"""What rests on, lies under or is inside of what, and what hangs: facts of the world, whoever looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.claims import Case, Judgement, Relation, claims
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SceneFacts, SeenRule
from gapdata.tasks.noise import WORLDS, Noise
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, referable

Array = np.ndarray

HALF = 0.5  # of an underside, or of a body: where "on", "under" and "inside" flip
SIDES = 4  # of an object, from which an open vessel stands around it
OUTSIDE = 0.05  # metres outside an object's box from which something is clearly not inside it
DROP = 0.08  # metres of air below an object: where "hanging" flips
ATTACHED = 0.05  # metres to the wall or ceiling that holds an object


@dataclass(frozen=True, kw_only=True, slots=True)
class OnTopOf:
    """Whether an object rests on another: its underside lies on surfaces of that one, and is not roofed."""

    name: ClassVar[str] = "on_top_of"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object rests on top of another"
    counterparts: ClassVar[str] = "SceneVerse support relations; RoboSpatial configuration"
    boundaries: ClassVar[Mapping[str, float]] = {"min_rest": HALF, "max_roof": HALF}

    seen: SeenRule = CLEARLY_SEEN
    min_rest: float = 0.7  # of the underside lies on the other, or not on it
    max_roof: float = (
        0.2  # of the object is below a part of the other: more, and it is rather inside
    )
    candidates: int = 6  # supporting objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a supporting object, about things that rest on some object or other."""
        scene = facts.scene
        relation = Relation(
            task=self.name, styles=MARKED, frame=self.frame, stands=partial(_stays_on, scene)
        )
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            on_object = [a for a in columns if _supporters(scene, a)]
            cases = []
            for b in (b for b in columns if any(scene.contacts.rest[a, b] > HALF for a in columns)):
                others = [a for a in on_object if a != b]
                judged = {a: self._judge(scene, a, b) for a in others}
                cases.append(Case(anchors=(b,), judged=judged))
            yield from claims(facts, relation, views, cases, self.candidates, rng)

    def _judge(self, scene: SceneFacts, a: int, b: int) -> Judgement | None:
        contacts = scene.contacts
        rest, roof = float(contacts.rest[a, b]), float(contacts.cover[a, b])
        if rest <= HALF and (contacts.piled[a, b] or contacts.piled[b, a]):
            return None
        if (a, b) in scene.once(_walled_in):
            return None
        return Judgement(
            holds=rest > HALF,
            margin=abs(rest - HALF),
            is_clear=rest <= 1 - self.min_rest or (rest >= self.min_rest and roof <= self.max_roof),
            evidence={"rest_share": rest, "roof_share": roof},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Under:
    """Whether an object lies under another without carrying or being carried by it."""

    name: ClassVar[str] = "under"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object is underneath another"
    counterparts: ClassVar[str] = "SceneVerse; RoboSpatial configuration"
    boundaries: ClassVar[Mapping[str, float]] = {"min_cover": HALF}

    seen: SeenRule = CLEARLY_SEEN
    min_cover: float = 0.8  # of the lower object has the upper one straight above; else none
    candidates: int = 6  # upper objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object that has something underneath."""
        scene = facts.scene
        relation = Relation(
            task=self.name, styles=MARKED, frame=self.frame, stands=partial(_stays_under, scene)
        )
        cover = scene.contacts.cover
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            cases = [
                Case(anchors=(b,), judged={a: self._judge(scene, a, b) for a in columns if a != b})
                for b in columns
                if any(cover[a, b] > HALF for a in columns)
            ]
            yield from claims(facts, relation, views, cases, self.candidates, rng)

    def _judge(self, scene: SceneFacts, a: int, b: int) -> Judgement | None:
        contacts = scene.contacts
        cover = float(contacts.cover[a, b])
        piled = contacts.piled[a, b] or contacts.piled[b, a]
        if piled or 0.0 < cover <= HALF:
            return None
        return Judgement(
            holds=cover > HALF,
            margin=abs(cover - HALF),
            is_clear=cover >= self.min_cover or cover <= 1 - self.min_cover,
            evidence={"cover_share": cover},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Inside:
    """Whether an object is inside another: it rests on that one within its box, roofed and walled on three sides, or
    open above and walled all around.
    """

    name: ClassVar[str] = "inside"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object is inside another"
    counterparts: ClassVar[str] = "SceneVerse; RoboSpatial configuration"
    boundaries: ClassVar[Mapping[str, float]] = {"min_boxed": HALF, "min_sides": 1.5}

    seen: SeenRule = CLEARLY_SEEN
    min_boxed: float = 0.95  # of the object's surface lies in the other's box, or outside of it
    min_sides: float = 3.0  # of 4 on which the other stands around it
    candidates: int = 6  # containing objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an object with something inside, about things that rest on some object or other."""
        scene = facts.scene
        relation = Relation(
            task=self.name, styles=MARKED, frame=self.frame, stands=partial(_stays_inside, scene)
        )
        contained = scene.once(_contained)
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            on_object = [a for a in columns if _supporters(scene, a)]
            cases = []
            for b in (b for b in columns if any((a, b) in contained for a in columns)):
                judged = {a: self._judge(scene, a, b) for a in on_object if a != b}
                cases.append(Case(anchors=(b,), judged=judged))
            yield from claims(facts, relation, views, cases, self.candidates, rng)

    def _judge(self, scene: SceneFacts, a: int, b: int) -> Judgement | None:
        holds = (a, b) in scene.once(_contained)
        boxed, rest = scene.contacts.boxed_in(a, b), float(scene.contacts.rest[a, b])
        sides, roofed = scene.contacts.enclosure(a, b) if holds else (0, False)
        near = scene.instances[b].box.contains(scene.surfaces.points(a), OUTSIDE)
        if not holds and near.any():
            return None
        return Judgement(
            holds=holds,
            margin=abs(min(boxed, rest) - HALF),
            is_clear=(boxed >= self.min_boxed and sides >= (self.min_sides if roofed else SIDES))
            if holds
            else boxed <= 1 - self.min_boxed,
            evidence={"boxed_share": boxed, "sides": sides, "rest_share": rest},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Hanging:
    """Whether an object hangs: attached to a wall or the ceiling, with air below; else it rests on something."""

    name: ClassVar[str] = "hanging"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object hangs on a wall or from the ceiling"
    counterparts: ClassVar[str] = "SceneVerse hanging relation"
    boundaries: ClassVar[Mapping[str, float]] = {"min_drop": DROP, "min_rest": HALF}

    seen: SeenRule = CLEARLY_SEEN
    min_drop: float = 0.15  # metres of air below what hangs
    max_gap: float = ATTACHED  # metres between what hangs and the wall or ceiling
    min_rest: float = 0.7  # of the underside of what does not hang lies on something
    questions: int = 2  # a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Some questions a view set, about objects that may be said to hang or to stand."""
        scene = facts.scene
        relation = Relation(
            task=self.name,
            styles=MARKED,
            frame=self.frame,
            unit="m",
            stands=partial(_hangs, scene),
        )
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            judged = {a: self._judge(scene, a) for a in columns if not scene.contacts.is_opening(a)}
            cases = [Case(anchors=(), judged=judged)] * self.questions
            yield from claims(facts, relation, views, cases, len(cases), rng)

    def _judge(self, scene: SceneFacts, a: int) -> Judgement | None:
        contacts = scene.contacts
        drop, rest = float(contacts.drop[a]), float(contacts.rest[a].max(initial=0.0))
        if drop > DROP:
            shell = np.concatenate([contacts.walls, contacts.ceilings])
            gap = float(scene.surfaces.nearest_of([a], shell)[1][0])
            if drop == np.inf or contacts.hover[a].max(initial=0.0) > 0.0 or gap > ATTACHED:
                return None
            is_clear = drop >= self.min_drop and gap <= self.max_gap
        elif rest <= HALF:
            return None
        else:
            gap, is_clear = 0.0, rest >= self.min_rest
        return Judgement(
            holds=drop > DROP,
            margin=abs(drop - DROP),
            is_clear=is_clear,
            evidence={"drop_m": drop, "rest_share": rest, "attached_m": gap},
        )


# Things that touch stay in touch when they are a little elsewhere: they slide along each other, and how far that
# may go is measured once a scene. Half of the worlds take the least contact there is then, half the most.


def _stays_on(
    scene: SceneFacts, _: Noise, anchors: tuple[int, ...], column: int
) -> Bool[Array, " K"]:
    return _least_and_most(scene.contacts.rest_aside[:, column, anchors[0]])


def _stays_under(
    scene: SceneFacts, _: Noise, anchors: tuple[int, ...], column: int
) -> Bool[Array, " K"]:
    return _least_and_most(scene.contacts.cover_aside[:, column, anchors[0]])


def _stays_inside(
    scene: SceneFacts, _: Noise, anchors: tuple[int, ...], column: int
) -> Bool[Array, " K"]:
    """What is not inside is clear of the other's box by more than noise."""
    pair = column, anchors[0]
    if pair in scene.once(_walled_in):
        return np.ones(WORLDS, bool)  # its walls stop what slides
    rest, cover = scene.contacts.rest_aside[:, *pair], scene.contacts.cover_aside[:, *pair]
    return _least_and_most(np.minimum(rest, cover) * (pair in scene.once(_contained)))


def _hangs(scene: SceneFacts, noise: Noise, _: tuple[int, ...], column: int) -> Bool[Array, " K"]:
    """By how much each world lifts the object off what is below."""
    risen = noise.centers([column])[:, 0, 2] - scene.boxes.center[column, 2]
    return np.asarray(scene.contacts.drop[column] + risen > DROP)


def _least_and_most(share: Float[Array, "2"]) -> Bool[Array, " K"]:
    return np.repeat(share > HALF, WORLDS // 2)


def _supporters(scene: SceneFacts, a: int) -> list[int]:
    """Columns of the objects that the column rests on; the floor is none."""
    on = np.flatnonzero((scene.contacts.rest[a] > HALF) & scene.is_object)
    return [int(column) for column in on]


def _contained(scene: SceneFacts) -> frozenset[tuple[int, int]]:
    """All pairs of an object and another that it is rather inside than not."""
    contacts = scene.contacts
    roofed = contacts.cover > HALF
    return scene.once(_walled_in) | frozenset(
        pair for pair in _boxed(scene) if roofed[pair] and contacts.enclosure(*pair)[0] >= 2
    )


def _walled_in(scene: SceneFacts) -> frozenset[tuple[int, int]]:
    """All pairs of an object and another that is open above it and stands around it on all sides."""
    contacts = scene.contacts
    roofed = contacts.cover > HALF
    return frozenset(
        pair for pair in _boxed(scene) if not roofed[pair] and contacts.enclosure(*pair)[0] == SIDES
    )


def _boxed(scene: SceneFacts) -> list[tuple[int, int]]:
    """All pairs of an object and another that it rests on, most of it within that one's box."""
    contacts = scene.contacts
    held = np.argwhere(contacts.rest > HALF).tolist()
    return [(a, b) for a, b in held if a != b and contacts.boxed_in(a, b) > HALF]
