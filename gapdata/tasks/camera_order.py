"""What changes from view to view: how the camera turned, which way time runs, whether two views share a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, permutations
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.transforms import rotation_angle
from gapdata.tasks.camera import overlapping_pairs
from gapdata.tasks.candidates import OPTIONS, drawn, shuffled
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.question import Question

Array = np.ndarray

# Words for a negative and a positive turn (left is positive) and tilt (up is positive).
TURNS = (("right", "left"), ("down", "up"))
METRES_A_RADIAN = 1.0  # a turn by one radian counts as far apart as a move by this


def heading(cam2world: Float[Array, "*k 4 4"]) -> Float[Array, "*k 2"]:
    """Where cameras look, in degrees: azimuth (counter-clockwise seen from above) and elevation over the horizon."""
    x, y, z = np.moveaxis(cam2world[..., :3, 2], -1, 0)
    return np.degrees(np.stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))], axis=-1))


def turns_between(
    first: Float[Array, "*k 4 4"], second: Float[Array, "*k 4 4"]
) -> Float[Array, "*k 2"]:
    """Degrees by which the second camera is turned to the left of the first and tilted up from it."""
    change = heading(second) - heading(first)
    change[..., 0] = (change[..., 0] + 180) % 360 - 180
    return change


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewChange:
    """How the camera turned between two views about gravity and up or down, or the whole change."""

    name: ClassVar[str] = "view_change"
    formats: ClassVar[tuple[str, ...]] = ("choice", "yesno", "text")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = (
        "main turn of the camera: left or right, up or down; or all moves and turns"
    )
    counterparts: ClassVar[str] = "SPAR view_change_infer; MultiSPA yaw_movement, pitch_movement"

    min_overlap: float = 0.1  # part of the surfaces that both views show
    max_elevation: float = 60.0  # degrees; a camera that looks steeper has no heading
    min_turn: float = 10.0  # degrees of the main turn, when it is asked for
    min_angle: float = 15.0  # degrees between (turn, tilt) and the diagonal where both are equal
    candidates: int = 6  # pairs tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each pair that overlaps the main turn, a claim about it, or all moves and turns."""
        pairs = overlapping_pairs(facts, self.name, rng, self.candidates, self.min_overlap)
        for views, pose, own in pairs:
            kind = ("choice", "yesno", "text")[int(own.integers(3))]
            poses = [facts.views[view].camera.cam2world for view in views]
            if max(abs(heading(cam2world)[1]) for cam2world in poses) > self.max_elevation:
                facts.drop(self.name, "camera looks too steeply up or down")
                continue
            turns = turns_between(poses[0], poses[1])
            main = int(np.abs(turns).argmax())
            size = float(np.hypot(*turns))
            lead = float(np.abs(turns).max() - np.abs(turns).min())
            margin = float(np.degrees(np.arcsin(lead / (np.sqrt(2) * size)))) if size else 0.0
            if kind != "text" and abs(turns[main]) < self.min_turn:
                facts.drop(self.name, "camera hardly turned")
                continue
            if kind != "text" and margin < self.min_angle:
                facts.drop(self.name, "turn between two directions")
                continue
            evidence = {
                "turn_left_deg": float(turns[0]),
                "tilt_up_deg": float(turns[1]),
                "translation_m": pose[:3, 3].tolist(),
                "axis": "xy"[main],
                "overlap": facts.overlap(*views),
            }
            if kind == "text":
                yield Question(
                    task=self.name,
                    wording=f"{self.name}_text",
                    format="text",
                    views=views,
                    value=_change_text(pose[:3, 3], turns),
                    frame=self.frame,
                    evidence=evidence,
                )
                continue
            truth = TURNS[main][int(turns[main] > 0)]
            claimed = TURNS[main][int(own.random() < 0.5)]
            # Options of one axis: cameras are tilted so seldom that "up" among four would be known to be wrong.
            is_choice = kind == "choice"
            yield Question(
                task=self.name,
                wording=f"{self.name}_{kind}",
                format=kind,
                views=views,
                value=truth if is_choice else claimed == truth,
                frame=self.frame,
                unit="deg",
                choices=shuffled(TURNS[main], own) if is_choice else (),
                evidence=evidence | {"min_angle_deg": self.min_angle, "claimed": claimed},
                margin=margin,
                slots={} if is_choice else {"direction": claimed},
                holds=partial(
                    _main_turn_holds, views=views, main=main, positive=bool(turns[main] > 0)
                ),
            )


def _main_turn_holds(
    noise: Noise, *, views: tuple[int, int], main: int, positive: bool
) -> Bool[Array, " K"]:
    turns = turns_between(noise.cam2world(views[0]), noise.cam2world(views[1]))
    return np.asarray((np.abs(turns).argmax(axis=-1) == main) & ((turns[:, main] > 0) == positive))


def _change_text(move: Float[Array, "3"], turns: Float[Array, "2"]) -> str:
    """Fenced JSON of moves in the first camera's axes (m) and of turns (degrees)."""
    fields = [
        f'"{key}": {float(f"{value:.2f}") + 0.0:.2f}'
        for key, value in zip(("move_right", "move_down", "move_forward"), move, strict=True)
    ]
    fields += [
        f'"{key}": {round(float(value)):d}'
        for key, value in zip(("turn_left", "tilt_up"), turns, strict=True)
    ]
    return "```json\n{" + ", ".join(fields) + "}\n```"


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameOrder:
    """In which order views of a clip were taken, the first one given.

    A static scene does not tell the direction of time, so the first view is named; the order of the others is
    asked only when it is the shortest way through the cameras, in metres and radians, by a clear lead.
    """

    name: ClassVar[str] = "frame_order"
    formats: ClassVar[tuple[str, ...]] = ("choice",)
    views: ClassVar[str] = "several"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "temporal order of shuffled images of one clip after a given first one"
    counterparts: ClassVar[str] = "none in the published sets read so far"

    max_gap_s: float = 60.0  # between neighbouring views: beyond that they are not one clip
    min_lead: float = 0.1  # part by which the next shortest way has to be longer
    length: int = 4  # views asked about, when there are as many
    candidates: int = 3  # runs of views tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For runs of neighbouring views the order of all but the first."""
        length = min(self.length, len(facts.views))
        if length < 3:
            facts.drop(self.name, "too few views")
            return
        for start, own in drawn(range(len(facts.views) - length + 1), self.candidates, rng):
            run = list(range(start, start + length))
            gaps = np.diff([facts.views[view].timestamp_s for view in run])
            shown = [0, *(1 + own.permutation(length - 1)).tolist()]
            if gaps.min() <= 0 or gaps.max() > self.max_gap_s:
                facts.drop(self.name, "views are not one clip")
                continue
            poses = np.stack([facts.views[view].camera.cam2world for view in run])
            lead = float(_lead_of_given_order(poses))
            if lead < self.min_lead:
                facts.drop(self.name, "another order is about as short a way")
                continue
            places = [shown.index(step) + 1 for step in range(1, length)]
            others = [order for order in permutations(sorted(places)) if list(order) != places]
            wrong = [others[i] for i in own.permutation(len(others))[: OPTIONS - 1].tolist()]
            options = [", ".join(f"image {n}" for n in order) for order in (places, *wrong)]
            yield Question(
                task=self.name,
                wording=self.name,
                format="choice",
                views=tuple(run[step] for step in shown),
                value=options[0],
                choices=shuffled(options, own),
                evidence={
                    "timestamps_s": [facts.views[run[step]].timestamp_s for step in shown],
                    "lead": lead,
                    "min_lead": self.min_lead,
                },
                margin=lead,
                holds=partial(_order_holds, run=run),
            )


def _order_holds(noise: Noise, *, run: list[int]) -> Bool[Array, " K"]:
    poses = np.stack([noise.cam2world(view) for view in run], axis=1)
    return np.asarray(_lead_of_given_order(poses) > 0)


def _lead_of_given_order(poses: Float[Array, "*k n 4 4"]) -> Float[Array, "*k"]:
    """By which part the shortest other way from the first camera through all is longer than the given one."""
    center, axes = poses[..., :3, 3], poses[..., :3, :3]
    move = np.linalg.norm(center[..., :, None, :] - center[..., None, :, :], axis=-1)
    between = np.swapaxes(axes, -1, -2)[..., :, None, :, :] @ axes[..., None, :, :, :]
    steps = move + METRES_A_RADIAN * rotation_angle(between)
    given, *others = (
        sum(steps[..., a, b] for a, b in pairwise((0, *order)))
        for order in permutations(range(1, poses.shape[-3]))
    )
    return np.asarray(np.min(others, axis=0) / np.maximum(given, 1e-9) - 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """Whether two views show the same place, or which view shares most with a given one."""

    name: ClassVar[str] = "overlap"
    formats: ClassVar[tuple[str, ...]] = ("yesno", "choice")
    views: ClassVar[str] = "pair, several"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "do two images show a common place; which image shares most with one"
    counterparts: ClassVar[str] = "none in the published sets read so far"

    boundary: float = 0.175  # part of the surfaces both views show, between no and yes
    min_margin: float = 0.125  # from the boundary: yes from 0.3, no up to 0.05
    min_gap_overlap: float = 0.15  # between the view that shares most and the next one
    min_depth: float = 0.5  # part of each image that has depth; the rest is unknown
    candidates: int = 4  # pairs tried
    choices: int = 2  # views tried as the one that others are compared with

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Pairs of views, then single views with up to four others."""
        pair_rng, choice_rng = rng.spawn(2)
        for pair, own in drawn(facts.view_sets("pair"), self.candidates, pair_rng):
            views = pair if own.random() < 0.5 else pair[::-1]
            overlap = facts.overlap(*views)
            if self._blind(facts, views):
                facts.drop(self.name, "too little depth")
            elif abs(overlap - self.boundary) < self.min_margin:
                facts.drop(self.name, "overlap neither large nor small")
            else:
                yield self._yesno(views, overlap)
        if len(facts.views) < 3:
            return
        for anchor, own in drawn(range(len(facts.views)), self.choices, choice_rng):
            others = [view for view in own.permutation(len(facts.views)).tolist() if view != anchor]
            question = self._choice(facts, (anchor, *others[:OPTIONS]), own)
            if question is not None:
                yield question

    def _blind(self, facts: Facts, views: Sequence[int]) -> bool:
        return any(np.mean(facts.views[view].depth > 0) < self.min_depth for view in views)  # type: ignore[operator]

    def _yesno(self, views: tuple[int, ...], overlap: float) -> Question:
        return Question(
            task=self.name,
            wording=f"{self.name}_yesno",
            format="yesno",
            views=views,
            value=overlap > self.boundary,
            evidence={
                "overlap": overlap,
                "boundary": self.boundary,
                "min_margin": self.min_margin,
            },
            margin=abs(overlap - self.boundary),
        )

    def _choice(
        self, facts: Facts, views: tuple[int, ...], rng: np.random.Generator
    ) -> Question | None:
        overlaps = np.array([facts.overlap(views[0], other) for other in views[1:]])
        gap = float(np.diff(np.sort(overlaps)[-2:])[0])
        if gap < self.min_gap_overlap or self._blind(facts, views):
            facts.drop(self.name, "two images share about as much, or too little depth")
            return None
        options = [f"image {number}" for number in range(2, len(views) + 1)]
        return Question(
            task=self.name,
            wording=f"{self.name}_choice",
            format="choice",
            views=views,
            value=options[int(overlaps.argmax())],
            choices=shuffled(options, rng),
            evidence={"overlaps": overlaps.tolist(), "min_gap_overlap": self.min_gap_overlap},
            margin=gap,
        )
