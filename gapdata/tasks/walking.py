"""Standing at one object and facing another: at which hour of the clock a third is, and how to walk to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.boxes import steps_between
from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.facts import CLEARLY_SEEN, Facts, SceneFacts, SeenRule
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import refer, referable

Array = np.ndarray

HOUR = 30.0  # degrees
QUARTER = 90.0
TURNS = ("straight on", "left", "around", "right")  # by quarters, counter-clockwise
MOVES = ("go straight ahead", "turn left", "turn around", "turn right")
AHEAD = 0
# Four in ten ways lead straight ahead: so many of these are kept, and of false claims that many more say so, that it is
# no better a guess than others.
KEPT, CLAIMED = 0.4, 0.45
# Half of all ways through rooms begin straight on, and half end with a turn around. These are among the options of
# every question, so that taking what is offered most often is no way to guess. Where one is right, the other option is
# to its side as often as it is where it is wrong; the opposite is rare.
FREQUENT = (AHEAD, 2)
OTHERS = (1, 1, 1, 1, 2, 3, 3, 3, 3)  # quarters on
LEAVING = 0.35  # metres from an object's box within which a walk starts or ends
LEAST_WALK = 0.3  # metres between the two
HEAD = 1.8  # metres above the floor; what hangs higher is in nobody's way


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectDirectionClock:
    """At which hour an object is for someone who stands at one object and faces another at twelve."""

    name: ClassVar[str] = "object_direction_clock"
    # No choice: things lie ahead, so of four hours the one nearest to twelve would be the guess.
    formats: ClassVar[tuple[str, ...]] = ("number",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "object"
    summary: ClassVar[str] = "standing at A and facing B, at how many o'clock is C"
    counterparts: ClassVar[str] = "SpatialRGPT direction; finer than VSI object_rel_direction_hard"

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 8.0  # degrees to the border of the hour, which is 15 wide on either side
    min_separation: float = 0.8  # metres on the floor from where one stands to the other two
    candidates: int = 8  # triples tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a triple of objects."""
        for views in facts.view_sets("single", "all"):
            for group, own in _groups(facts, self.name, views, self.seen, 3, self.candidates, rng):
                angle = _turn(facts, self.name, group, self.min_separation)
                if angle is None:
                    continue
                hour = _hour(angle)
                margin = HOUR / 2 - abs((angle + hour * HOUR + 180.0) % 360.0 - 180.0)
                if margin < self.min_angle:
                    facts.drop(self.name, "direction near the border of two hours")
                    continue
                named = refer(facts, views, group, own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="number",
                    views=views,
                    value=float(hour),
                    frame=self.frame,
                    objects=tuple(one.instance for one in named),
                    evidence={"angle_deg": angle, "min_angle_deg": self.min_angle},
                    margin=margin,
                    references=named,
                    holds=partial(_same_hour, group, hour),
                    slots=name_slots(**dict(zip("abc", (n.words for n in named), strict=True))),
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class Navigation:
    """Which way to turn before walking straight to an object; the way there is free."""

    name: ClassVar[str] = "navigation"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno")
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "object"
    summary: ClassVar[str] = "standing at A and facing B, the turn to walk straight to C"
    counterparts: ClassVar[str] = "SPAR nav_video; VSI route_planning, one leg"

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 15.0  # degrees to the border of the quarter
    min_separation: float = 0.8  # metres on the floor from where one stands to the other two
    min_clearance: float = 0.2  # metres of free floor on either side of the way
    candidates: int = 12  # triples tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a triple of objects between which one can walk."""
        for views in facts.view_sets("single", "all"):
            for group, own in _groups(facts, self.name, views, self.seen, 3, self.candidates, rng):
                is_claim, is_true = own.random(2) < 0.5
                claims_ahead, is_kept = own.random(2) < (CLAIMED, KEPT)
                other = int(own.integers(1, 4))
                angle = _turn(facts, self.name, group, self.min_separation)
                if angle is None:
                    continue
                quarter, margin = _quarter(angle)
                if margin < self.min_angle:
                    facts.drop(self.name, "direction near the border of two turns")
                    continue
                way = facts.scene.once(_walk, group[0], group[2])
                if way is None or way[1] < self.min_clearance:
                    facts.drop(self.name, "the way is not free")
                    continue
                if quarter == AHEAD and not is_claim and not is_kept:
                    facts.drop(self.name, "its answer prevails")
                    continue
                wrong = AHEAD if claims_ahead and quarter != AHEAD else (quarter + other) % 4
                named = refer(facts, views, group, own)
                slots = name_slots(**dict(zip("abc", (n.words for n in named), strict=True)))
                claimed = quarter if is_true else wrong
                slots["move"] = MOVES[claimed]
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_{'yesno' if is_claim else 'choice'}",
                    format="yesno" if is_claim else "choice",
                    views=views,
                    value=bool(is_true) if is_claim else MOVES[quarter],
                    frame=self.frame,
                    unit="deg",
                    choices=() if is_claim else shuffled(MOVES, own),
                    objects=tuple(one.instance for one in named),
                    evidence={
                        "angle_deg": angle,
                        "min_angle_deg": self.min_angle,
                        "clearance_m": way[1],
                        "claimed_deg": QUARTER * claimed,
                    },
                    margin=margin,
                    references=named,
                    holds=partial(_same_quarters, [group], [quarter]),
                    slots=slots,
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutePlan:
    """The two turns of a walk by way of an object to another, along free straight lines."""

    name: ClassVar[str] = "route_plan"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "single, all"
    frame: ClassVar[str] = "object"
    summary: ClassVar[str] = "standing at A and facing B, the two turns of a walk via C to D"
    counterparts: ClassVar[str] = "VSI route_planning; SPAR nav_video"

    seen: SeenRule = CLEARLY_SEEN
    min_angle: float = 15.0  # degrees to the border of the quarter
    min_separation: float = 0.8  # metres on the floor between consecutive objects
    min_clearance: float = 0.2  # metres of free floor on either side of the way
    candidates: int = 24  # groups of four objects tried a view set

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """One question a group of four objects between which one can walk."""
        for views in facts.view_sets("single", "all"):
            for group, own in _groups(facts, self.name, views, self.seen, 4, self.candidates, rng):
                steps = [OTHERS[pick] for pick in own.integers(len(OTHERS), size=2).tolist()]
                first = _turn(facts, self.name, group[:3], self.min_separation)
                if first is None:
                    continue
                second = _turn(
                    facts, self.name, (group[2], group[0], group[3]), self.min_separation
                )
                if second is None:
                    continue
                ways = [facts.scene.once(_walk, *leg) for leg in (group[::2], group[2:])]
                clear = min((0.0 if way is None else way[1] for way in ways), default=0.0)
                if clear < self.min_clearance or ways[0] is None:
                    facts.drop(self.name, "the way is not free")
                    continue
                # One stops before the object in the middle: its direction from there must say the same.
                early = _early_turn(facts.scene, group, ways[0][0])
                turns = first, (second + 360.0) % 360.0 - 180.0, early
                quarters, margins = zip(*(_quarter(turn) for turn in turns), strict=True)
                if min(margins) < self.min_angle or quarters[1] != quarters[2]:
                    facts.drop(self.name, "direction near the border of two turns")
                    continue
                right = [int(quarters[0]), int(quarters[1])]
                named = refer(facts, views, group, own)
                yield Question(
                    task=self.name,
                    wording=self.name,
                    format="choice",
                    views=views,
                    value=_turns(right),
                    frame=self.frame,
                    unit="deg",
                    choices=shuffled(_square(right, _wrong(right, steps)), own),
                    objects=tuple(one.instance for one in named),
                    evidence={
                        "turns_deg": [float(turn) for turn in turns],
                        "min_angle_deg": self.min_angle,
                        "clearance_m": clear,
                    },
                    margin=float(min(margins)),
                    references=named,
                    holds=partial(_same_quarters, [group[:3], group[::2] + group[3:]], right),
                    slots=name_slots(**dict(zip("abcd", (n.words for n in named), strict=True))),
                )


def _groups(
    facts: Facts,
    task: str,
    views: tuple[int, ...],
    seen: SeenRule,
    size: int,
    limit: int,
    rng: np.random.Generator,
) -> Iterator[tuple[tuple[int, ...], np.random.Generator]]:
    """Different ordered groups of objects; all but the second, which is only looked at, stand on the floor."""
    columns = referable(facts, task, views, seen)
    rest, floors = facts.scene.contacts.rest, facts.scene.contacts.floors
    standing = [c for c in columns if rest[c, floors].max(initial=0.0) > 0.5]
    if len(standing) < size - 1 or len(columns) < size:
        return
    tried: set[tuple[int, ...]] = set()
    for _, own in drawn(range(limit), limit, rng):
        picked = [standing[i] for i in own.choice(len(standing), size - 1, replace=False)]
        faced = columns[int(own.integers(len(columns)))]
        group = (picked[0], faced, *picked[1:])
        if faced not in picked and group not in tried:
            tried.add(group)
            yield group, own


def _turn(facts: Facts, task: str, group: Sequence[int], min_separation: float) -> float | None:
    """Degrees, left positive, that one turns at the first object from the second to the third; None when unclear."""
    boxes = facts.scene.boxes
    if boxes.shares_floor[group[0], list(group[1:])].any():
        facts.drop(task, "one object stands on or in another")
        return None
    spots = boxes.center[list(group), :2]
    ahead, aside = spots[1] - spots[0], spots[2] - spots[0]
    if min(np.hypot(*ahead), np.hypot(*aside)) < min_separation:
        facts.drop(task, "objects too near each other")
        return None
    return _angle(ahead, aside)


def _angle(ahead: Float[Array, "2"], aside: Float[Array, "2"]) -> float:
    cross = ahead[0] * aside[1] - ahead[1] * aside[0]
    return float(np.degrees(np.arctan2(cross, ahead @ aside)))


def _angles(spots: Float[Array, "K 3 2"]) -> Float[Array, " K"]:
    """For each world the degrees from the second to the third spot, seen from the first."""
    ahead, aside = spots[:, 1] - spots[:, 0], spots[:, 2] - spots[:, 0]
    cross = ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]
    return np.asarray(np.degrees(np.arctan2(cross, (ahead * aside).sum(axis=1))))


def _hour(angle: float) -> int:
    """1 to 12, clockwise."""
    return round(-angle / HOUR) % 12 or 12


def _quarter(angle: float) -> tuple[int, float]:
    """The quarter around straight on, left, behind or right (0 to 3) that an angle is in, and degrees to its border."""
    quarter = round(angle / QUARTER) % 4
    return quarter, QUARTER / 2 - abs((angle - quarter * QUARTER + 180.0) % 360.0 - 180.0)


def _same_hour(group: tuple[int, ...], hour: int, noise: Noise) -> Bool[Array, " K"]:
    angles = _angles(noise.centers(group)[..., :2])
    return np.array([_hour(angle) == hour for angle in angles.tolist()])


def _same_quarters(
    groups: Sequence[Sequence[int]], quarters: Sequence[int], noise: Noise
) -> Bool[Array, " K"]:
    """Whether both turns stay in their quarter; a second turn is away from where one came from."""
    same = []
    for number, (group, quarter) in enumerate(zip(groups, quarters, strict=True)):
        spots = noise.centers(group)[..., :2]
        angles = _angles(spots if number == 0 else spots[:, [1, 0, 2]]) + 180.0 * (number > 0)
        same.append([_quarter(angle)[0] == quarter for angle in angles.tolist()])
    return np.asarray(np.array(same).all(axis=0))


def _walk(scene: SceneFacts, start: int, end: int) -> tuple[Float[Array, "2"], float] | None:
    """Where a straight walk between two objects ends, and its least clearance in metres; None when one cannot walk so.

    It runs from the border of the one to that of the other; no third object's box lies across it.
    """
    plan, boxes = scene.floor_plan, scene.boxes
    if plan.is_empty:
        return None
    line = steps_between(boxes.center[start, :2], boxes.center[end, :2])
    pair = np.array([start, end])
    walk = line[~boxes.over(line, pair, LEAVING).any(axis=0)]
    if len(walk) < 2 or np.linalg.norm(walk[-1] - walk[0]) < LEAST_WALK:
        return None
    cell, inside = plan.cells_of(walk)
    clearance = float(plan.clearance[cell[:, 0], cell[:, 1]].min())
    if clearance == 0.0 or not inside.all():
        return None
    others = scene.is_object.copy()
    others[pair] = False
    others &= (boxes.bottom < plan.height + HEAD) & (boxes.top > plan.height + 0.1)
    between = ~boxes.over(line, pair).any(axis=0)
    if boxes.over(line[between], np.flatnonzero(others)).any():
        return None
    return walk[-1], clearance


def _early_turn(scene: SceneFacts, group: tuple[int, ...], stop: Float[Array, "2"]) -> float:
    """The second turn of a route, made where the first walk ends rather than in the middle of the object there."""
    spots = scene.boxes.center[list(group), :2]
    return _angle(spots[2] - spots[0], spots[3] - stop)


def _turns(quarters: Sequence[int]) -> str:
    return f"{TURNS[quarters[0]]}, then {TURNS[quarters[1]]}"


def _wrong(right: Sequence[int], steps: Sequence[int]) -> list[int]:
    """A wrong turn for each right one: the most frequent one, or where that is right one some `steps` on."""
    return [
        frequent if turn != frequent else (turn + step) % 4
        for turn, frequent, step in zip(right, FREQUENT, steps, strict=True)
    ]


def _square(right: Sequence[int], wrong: Sequence[int]) -> list[str]:
    """Both turns right, either wrong, both wrong: no option has more in common with the others than another."""
    firsts, seconds = zip(right, wrong, strict=True)
    return [_turns((first, second)) for first in firsts for second in seconds]
