"""Where objects are relative to each other: as a viewer sees them, and for someone standing among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.boxes import Box
from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import MARKED, NAMED, refer, referable

Array = np.ndarray

NOT_COUNTED = (*NAMED, *MARKED)  # "the leftmost chair" would tell left from right

# Per camera axis, for a negative and a positive offset: the relation in a claim, and the option in a choice.
RELATIONS = (
    (("to the left of", "to the left"), ("to the right of", "to the right")),
    (("above", "above"), ("below", "below")),
    (
        ("in front of", "in front (nearer to the camera)"),
        ("behind", "behind (farther from the camera)"),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewerRelation:
    """Left, right, above, below, in front or behind, as the camera of one view sees it.

    Asked only when the offset between the objects' centres in camera axes, the order of what the view shows
    of them, and for above and below also gravity, all say the same.
    """

    name: ClassVar[str] = "viewer_relation"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "single"
    frame: ClassVar[str] = "viewer"
    summary: ClassVar[str] = "left/right, above/below or front/behind of two objects in one view"
    counterparts: ClassVar[str] = (
        "SPAR obj_spatial_relation_oo; VSTI obj_obj_relative_pos_lr, _ud, _nf"
    )

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 15.0  # degrees of the offset beyond the plane between the two answers
    max_truncated: float = 0.5  # of either object; beyond that its centre is a guess
    candidates: int = 5  # pairs tried a view

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a pair of named objects, along an axis drawn at random."""
        for views in facts.view_sets("single"):
            columns = referable(facts, self.name, views, self.seen, NOT_COUNTED)
            for pair, own in drawn(list(combinations(columns, 2)), self.candidates, rng):
                a, b = pair if own.random() < 0.5 else pair[::-1]
                axis = int(own.integers(3))
                if facts.visibility.truncated[views[0], [a, b]].max() > self.max_truncated:
                    facts.drop(self.name, "object truncated")
                    continue
                offset, angle = self._angle(facts, views[0], a, b, axis)
                if abs(angle) < self.min_angle:
                    facts.drop(self.name, "offset near the boundary")
                    continue
                if _order(facts, views[0], a, b, axis) != np.sign(angle):
                    facts.drop(self.name, "extents overlap or disagree")
                    continue
                yield self._question(facts, (a, b, axis), views, (offset, angle), own)

    def _angle(
        self, facts: Facts, view: int, a: int, b: int, axis: int
    ) -> tuple[list[float], float]:
        """Offset from b to a in camera axes, and the signed angle in degrees by which it leaves the plane between the answers."""
        boxes = facts.scene.instances[a].box, facts.scene.instances[b].box
        world = np.stack([boxes[0].center, boxes[1].center])
        offset, angle = _offset_angle(world[None], facts.views[view].camera.world2cam[None], axis)
        return offset[0].tolist(), float(angle[0])

    def _question(
        self,
        facts: Facts,
        pair_axis: tuple[int, int, int],
        views: tuple[int, ...],
        measured: tuple[list[float], float],
        rng: np.random.Generator,
    ) -> Question:
        a, b, axis = pair_axis
        offset, angle = measured
        positive = angle > 0
        is_claim = rng.random() < 0.5
        claimed = bool(rng.random() < 0.5)
        options = shuffled([option for _, option in RELATIONS[axis]], rng)
        named = refer(facts, views, (a, b), rng, NOT_COUNTED)
        slots = name_slots(a=named[0].words, b=named[1].words)
        if is_claim:
            slots["relation"] = RELATIONS[axis][int(claimed)][0]
        return Question(
            task=self.name,
            wording=f"{self.name}_{'yesno' if is_claim else 'choice'}",
            format="yesno" if is_claim else "choice",
            views=views,
            value=claimed == positive if is_claim else RELATIONS[axis][int(positive)][1],
            frame=self.frame,
            unit="deg",
            choices=() if is_claim else options,
            objects=(facts.id(a), facts.id(b)),
            evidence={
                "offset_cam_m": offset,
                "axis": "xyz"[axis],
                "angle_deg": angle,
                "min_angle_deg": self.min_angle,
            },
            margin=abs(angle),
            references=named,
            holds=partial(_same_side, views[0], (a, b), axis, positive),
            slots=slots,
        )


def _offset_angle(
    world: Float[Array, "K 2 3"], world2cam: Float[Array, "K 4 4"], axis: int
) -> tuple[Float[Array, "K 3"], Float[Array, " K"]]:
    """In K worlds the offset from the second point to the first in camera axes, and its angle (degrees) to the plane across an axis.

    Above and below also have to be above and below in the world, as the camera may be tilted: 0 when they are not.
    """
    apart = world[:, 0] - world[:, 1]
    offset = np.einsum("kij,kj->ki", world2cam[:, :3, :3], apart)
    length = np.maximum(np.linalg.norm(offset, axis=-1), 1e-9)
    angle = np.degrees(np.arcsin(np.clip(offset[:, axis] / length, -1.0, 1.0)))
    if axis == 1:
        upright = np.degrees(np.arcsin(np.clip(-apart[:, 2] / length, -1.0, 1.0)))
        least = np.where(np.abs(angle) <= np.abs(upright), angle, upright)
        angle = np.where(angle * upright > 0, least, 0.0)
    return offset, np.asarray(angle)


def _same_side(
    view: int, pair: tuple[int, int], axis: int, positive: bool, noise: Noise
) -> Bool[Array, " K"]:
    _, angle = _offset_angle(noise.centers(pair), noise.world2cam(view), axis)
    return np.asarray(angle > 0 if positive else angle < 0)


def _order(facts: Facts, view: int, a: int, b: int, axis: int) -> float:
    """Sign of a's place relative to b's along an axis when what is seen of them does not overlap there, else 0.

    Image extents for x and y; for z the depths of the two surfaces, without their outermost 5 %.
    """
    if axis == 2:
        ranges = []
        for column in (a, b):
            points: Float[Array, "n 3"] = facts.surface_cam(view, column)
            if len(points) == 0:
                return 0.0
            ranges.append(np.percentile(points[:, 2], [5.0, 95.0]))
        (low_a, high_a), (low_b, high_b) = ranges
    else:
        low_a, high_a = facts.extents[view, a, [axis, axis + 2]]
        low_b, high_b = facts.extents[view, b, [axis, axis + 2]]
    return float(low_a > high_b) - float(high_a < low_b)


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDirection:
    """On which side an object is for someone who stands at one object and faces another."""

    name: ClassVar[str] = "object_direction"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "object"
    summary: ClassVar[str] = "standing at A and facing B, on which side is C: 2, 3 or 4 directions"
    counterparts: ClassVar[str] = (
        "VSI object_rel_direction_easy, _medium, _hard; SPAR spatial_imagination_oo"
    )

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 15.0  # degrees to the nearest boundary between two answers
    # Metres on the floor from where one stands to the other two objects: 2 cm of noise at both ends then
    # turn a direction by less than 5 degrees.
    min_separation: float = 0.5
    candidates: int = 5  # triples tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question for a random triple of named objects at a random level of difficulty."""
        for views in facts.view_sets("single", "all"):
            columns = referable(facts, self.name, views, self.seen)
            if len(columns) < 3:
                continue
            tried: set[tuple[int, ...]] = set()
            for _, own in drawn(range(self.candidates), self.candidates, rng):
                triple = tuple(columns[i] for i in own.choice(len(columns), 3, replace=False))
                level = ("easy", "medium", "hard")[int(own.integers(3))]
                if triple in tried:
                    continue
                tried.add(triple)
                boxes = [facts.scene.instances[column].box for column in triple]
                if any(_stands_in(boxes[0], other) for other in boxes[1:]):
                    facts.drop(self.name, "one object stands on or in another")
                    continue
                stand = boxes[0].center[:2]
                ahead, aside = boxes[1].center[:2] - stand, boxes[2].center[:2] - stand
                reach = max(self.min_separation, 0.5 * float(np.hypot(*boxes[0].size[:2])))
                if min(np.hypot(*ahead), np.hypot(*aside)) < reach:
                    facts.drop(self.name, "objects too near each other")
                    continue
                angle = _signed_angle(ahead, aside)
                value, options, margin = side(angle, level)
                if margin < self.min_angle:
                    facts.drop(self.name, "direction near a boundary")
                    continue
                named = refer(facts, views, triple, own)
                names = {key: one.words for key, one in zip("abc", named, strict=True)}
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="choice",
                    views=views,
                    value=value,
                    frame=self.frame,
                    unit="deg",
                    choices=shuffled(options, own),
                    objects=tuple(facts.id(column) for column in triple),
                    evidence={
                        "angle_deg": angle,
                        "level": level,
                        "min_angle_deg": self.min_angle,
                        "distances_m": [float(np.hypot(*ahead)), float(np.hypot(*aside))],
                        "min_separation_m": reach,
                    },
                    margin=margin,
                    references=named,
                    holds=partial(_same_direction, triple, level, value),
                    slots=name_slots(**names),
                )


def _same_direction(
    triple: tuple[int, ...], level: str, value: str, noise: Noise
) -> Bool[Array, " K"]:
    moved = noise.centers(triple)[..., :2]
    ahead, aside = moved[:, 1] - moved[:, 0], moved[:, 2] - moved[:, 0]
    cross = ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]
    angles = np.degrees(np.arctan2(cross, (ahead * aside).sum(axis=1))).tolist()
    return np.array([side(angle, level)[0] == value for angle in angles])


def _stands_in(box: Box, other: Box) -> bool:
    """Whether the middle of a box lies within the floor area of another, whatever their heights."""
    middle = np.append(box.center[:2], other.center[2])
    return bool(other.contains(middle))


def _signed_angle(ahead: Float[Array, "2"], aside: Float[Array, "2"]) -> float:
    """Degrees from `ahead` to `aside`, counter-clockwise seen from above: positive is to the left."""
    cross = ahead[0] * aside[1] - ahead[1] * aside[0]
    return float(np.degrees(np.arctan2(cross, ahead @ aside)))


def side(angle: float, level: str) -> tuple[str, tuple[str, ...], float]:
    """The side that an angle (degrees, left positive) is on, the sides to choose from, degrees to the nearest boundary.

    easy: left or right. medium: left, right or back, where back is more than 135 degrees off. hard: the four quadrants.
    """
    hand, turn = "left" if angle > 0 else "right", abs(angle)
    if level == "easy":
        return hand, ("left", "right"), min(turn, 180.0 - turn)
    if level == "medium":
        value = "back" if turn > 135.0 else hand
        # Straight behind is no boundary here: both hands meet in "back".
        return value, ("left", "right", "back"), min(turn, abs(turn - 135.0))
    value = f"{'front' if turn < 90.0 else 'back'}-{hand}"
    quadrants = ("front-left", "front-right", "back-left", "back-right")
    return value, quadrants, min(turn, abs(turn - 90.0), 180.0 - turn)
