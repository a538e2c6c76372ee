"""Where objects stand among the others: next to one, between two, against a wall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.boxes import steps_between
from gapdata.tasks.candidates import drawn
from gapdata.tasks.claims import Case, Judgement, Relation, claims
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SceneFacts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, referable

Array = np.ndarray

# From "surely" to "surely not"; what is in between is neither asked nor an option. Fields of tasks only tighten these.
NEXT_TO = (0.5, 1.0)  # metres of gap; less between things that are smaller than the first
BETWEEN = (150.0, 90.0)  # degrees from one object to the other, seen from the one between
AGAINST = (0.06, 0.5)  # metres to the nearest wall
HALF = 0.5  # of an underside that lies on something
LEAST_HEIGHT = 0.2  # metres; what is lower (a rug) stands against nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class NextTo:
    """Whether two objects are side by side: little gap, nothing between, neither on nor under the other."""

    name: ClassVar[str] = "next_to"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object is right next to another"
    counterparts: ClassVar[str] = "SceneVerse near relation; SpatialRGPT"
    boundaries: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("max_gap", "min_apart"), sum(NEXT_TO) / 2
    )

    seen: SeenRule = CLEARLY_SEEN
    max_gap: float = NEXT_TO[0]  # metres between the nearest points of what is next to each other
    min_apart: float = NEXT_TO[1]  # ... and of what is not
    others: int = 4  # objects compared with an anchor, the nearest and farther ones
    candidates: int = 4  # anchors tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question an anchor object."""
        scene = facts.scene
        stands = partial(_is_near, scene)
        relation = Relation(task=self.name, frame=self.frame, unit="m", stands=stands)
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            chosen = {}
            for anchor, own in drawn(columns, self.candidates, rng):
                others = [column for column in columns if column != anchor]
                away = np.linalg.norm(
                    scene.boxes.center[others] - scene.boxes.center[anchor], axis=1
                )
                ranked = [others[index] for index in np.argsort(away, kind="stable").tolist()]
                farther = own.permutation(len(ranked[2:]))[: self.others - 2].tolist()
                chosen[anchor] = ranked[:2] + [ranked[2 + index] for index in farther]
            scene.surfaces.measure((a, anchor) for anchor in chosen for a in chosen[anchor])
            cases = [
                Case(anchors=(anchor,), judged={a: self._judge(scene, a, anchor) for a in others})
                for anchor, others in chosen.items()
            ]
            yield from claims(facts, relation, views, cases, len(cases), rng)

    def _judge(self, scene: SceneFacts, a: int, b: int) -> Judgement | None:
        gap, scale = scene.surfaces.distance(a, b), _scale(scene, a, b)
        near, far = NEXT_TO[0] * scale, NEXT_TO[1] * scale
        if near < gap < far or gap == np.inf or (gap <= near and not _side_by_side(scene, a, b)):
            return None
        return Judgement(
            holds=gap <= near,
            margin=abs(gap - 0.5 * (near + far)),
            is_clear=gap <= self.max_gap * scale or gap >= self.min_apart * scale,
            evidence={"gap_m": gap, "scale": scale},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Between:
    """Which object is between two others, seen from above: these lie on opposite sides of its centre."""

    name: ClassVar[str] = "between"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object is between two others"
    counterparts: ClassVar[str] = "SceneVerse between relation; ScanRefer-style descriptions"
    boundaries: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("min_straight", "max_bent"), sum(BETWEEN) / 2
    )

    seen: SeenRule = CLEARLY_SEEN
    min_straight: float = BETWEEN[0]  # degrees from one to the other, seen from what is between
    max_bent: float = BETWEEN[1]  # ... and from what is not
    min_separation: float = (
        0.4  # metres from the centre of what is between to the two others' centres
    )
    candidates: int = 8  # pairs of anchors tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a pair of objects that has others between its two and others not."""
        scene = facts.scene
        relation = Relation(task=self.name, frame=self.frame, unit="deg", stands=_is_between)
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            spots = scene.boxes.center[columns, :2]
            angles = _angles_between(spots)
            apart = np.linalg.norm(spots[:, None] - spots, axis=-1)
            cases = []
            pairs = np.argwhere(np.triu((angles >= BETWEEN[0]).any(axis=-1), 1)).tolist()
            for (i, j), own in drawn(pairs, self.candidates, rng):
                i, j = (i, j) if own.random() < 0.5 else (j, i)
                anchors = columns[i], columns[j]
                near = np.minimum(apart[i], apart[j]).tolist()
                judged = {
                    column: self._judge(scene, (*anchors, column), angle, nearest)
                    for column, angle, nearest in zip(
                        columns, angles[i, j].tolist(), near, strict=True
                    )
                    if column not in anchors
                }
                cases.append(Case(anchors=anchors, judged=judged))
            yield from claims(facts, relation, views, cases, len(cases), rng)

    def _judge(
        self, scene: SceneFacts, columns: tuple[int, int, int], angle: float, near: float
    ) -> Judgement | None:
        """Whether the last column is between the others, at that angle and that far from the nearer one's centre."""
        straight, bent = BETWEEN
        if bent < angle < straight:
            return None
        holds = angle >= straight
        if holds and scene.boxes.shares_floor[columns[2], list(columns[:2])].any():
            return None
        is_clear = angle >= self.min_straight and near >= self.min_separation
        return Judgement(
            holds=holds,
            margin=abs(angle - 0.5 * (straight + bent)),
            is_clear=is_clear if holds else angle <= self.max_bent,
            evidence={"angle_deg": angle, "nearest_center_m": near},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AgainstWall:
    """Whether an object that stands on the floor stands against a wall."""

    name: ClassVar[str] = "against_wall"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "world"
    summary: ClassVar[str] = "which object stands against a wall"
    counterparts: ClassVar[str] = "SceneVerse; SpatialRGPT"
    boundaries: ClassVar[Mapping[str, float]] = {
        **dict.fromkeys(("max_gap", "min_apart"), sum(AGAINST) / 2),
        "min_rest": 0.5,
    }

    seen: SeenRule = CLEARLY_SEEN
    max_gap: float = AGAINST[0]  # metres to the wall of what stands against it
    min_apart: float = AGAINST[1]  # ... and of what does not
    min_rest: float = 0.7  # of the underside lies on the floor
    questions: int = 2  # a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Some questions a view set about things that stand on the floor."""
        scene = facts.scene
        relation = Relation(
            task=self.name,
            styles=MARKED,
            frame=self.frame,
            unit="m",
            stands=partial(_is_at_wall, scene),
        )
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen, MARKED)
            standing = [a for a in columns if _stands_on_floor(scene, a)]
            standing = [a for a in standing if not scene.contacts.is_opening(a)]
            gaps = scene.surfaces.nearest_of(standing, scene.contacts.walls)[1].tolist()
            judged = {a: self._judge(scene, a, gap) for a, gap in zip(standing, gaps, strict=True)}
            cases = [Case(anchors=(), judged=judged)] * self.questions
            yield from claims(facts, relation, views, cases, len(cases), rng)

    def _judge(self, scene: SceneFacts, a: int, gap: float) -> Judgement | None:
        near, far = AGAINST
        if near < gap < far or gap == np.inf:
            return None
        # Where walls are missing something may yet stand against one.
        if gap >= far and scene.floor_plan.room_of(scene.boxes.center[a, :2]) is None:
            return None
        rest = float(scene.contacts.rest[a, scene.contacts.floors].max(initial=0.0))
        is_clear = gap <= self.max_gap or gap >= self.min_apart
        return Judgement(
            holds=gap <= near,
            margin=abs(gap - 0.5 * (near + far)),
            is_clear=is_clear and rest >= self.min_rest,
            evidence={"wall_m": gap, "rest_share": rest},
        )


def _is_near(
    scene: SceneFacts, noise: Noise, anchors: tuple[int, ...], column: int
) -> Bool[Array, " K"]:
    limit = sum(NEXT_TO) / 2 * _scale(scene, anchors[0], column)
    return noise.distance(anchors[0], column) < limit


def _scale(scene: SceneFacts, a: int, b: int) -> float:
    """What NEXT_TO is multiplied by: two cups are next to each other when no more than a cup fits between them."""
    largest = max(float(scene.instances[column].box.size.max()) for column in (a, b))
    return min(1.0, largest / NEXT_TO[0])


def _is_at_wall(
    scene: SceneFacts, noise: Noise, _: tuple[int, ...], column: int
) -> Bool[Array, " K"]:
    (wall,), _gap = scene.surfaces.nearest_of([column], scene.contacts.walls)
    return noise.distance(column, int(wall)) < sum(AGAINST) / 2


def _is_between(noise: Noise, anchors: tuple[int, ...], column: int) -> Bool[Array, " K"]:
    spots = noise.centers([*anchors, column])[..., :2]
    one, other = spots[:, 0] - spots[:, 2], spots[:, 1] - spots[:, 2]
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = (one * other).sum(axis=1) / np.maximum(lengths, 1e-12)
    return np.asarray(cosine < np.cos(np.radians(sum(BETWEEN) / 2)))


def _side_by_side(scene: SceneFacts, a: int, b: int) -> bool:
    """Neither is on, under or in the other, and no third object is between."""
    contacts = scene.contacts
    piled = contacts.piled[a, b] or contacts.piled[b, a]
    covered = contacts.cover[a, b] > 0 or contacts.cover[b, a] > 0
    if piled or covered:
        return False
    return not _anything_between(scene, a, b)


def _anything_between(scene: SceneFacts, a: int, b: int) -> bool:
    """Whether the line between the nearest points of two objects runs into the box of a third."""
    line = steps_between(*scene.surfaces.nearest(a, b))
    others = np.flatnonzero(scene.is_object)
    rest = scene.contacts.rest
    carries = (rest[a] > HALF) & (rest[b] > HALF)
    others = others[(others != a) & (others != b) & ~carries[others]]
    hit = scene.boxes.contain(line, others)
    # What the two stand on or in touches both ends, and is not between them.
    return bool((hit.any(axis=1) & ~(hit[:, 0] & hit[:, -1])).any())


def _stands_on_floor(scene: SceneFacts, a: int) -> bool:
    rest = scene.contacts.rest[a, scene.contacts.floors].max(initial=0.0)
    return bool(rest > 0.5 and scene.instances[a].box.size[2] >= LEAST_HEIGHT)


def _angles_between(spots: Float[Array, "n 2"]) -> Float[Array, "n n n"]:
    """angles[i, j, k]: degrees between the directions from spot k to spots i and j; 0 where spots coincide."""
    offset = spots[None] - spots[:, None]  # from k to i
    length = np.linalg.norm(offset, axis=-1)
    unit = offset / np.maximum(length, 1e-9)[..., None]
    cosine = np.einsum("kix,kjx->ijk", unit, unit)
    apart = (length[:, :, None] > 1e-6) & (length[:, None, :] > 1e-6)
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return np.asarray(np.where(apart.transpose(1, 2, 0), angle, 0.0))
