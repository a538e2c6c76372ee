"""How the camera moved between two views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.transforms import euler_zxy_from_rotation, relative_pose, rotation_angle
from gapdata.tasks.candidates import drawn, shuffled
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.question import Question

Array = np.ndarray

# Words for the negative and positive direction of each camera axis (x right, y down, z forward).
DIRECTIONS = (("left", "right"), ("up", "down"), ("backward", "forward"))


def overlapping_pairs(
    facts: Facts, task: str, rng: np.random.Generator, limit: int, min_overlap: float
) -> Iterator[tuple[tuple[int, int], Float[Array, "4 4"], np.random.Generator]]:
    """Pairs of views in either order that show some of the same surfaces, with the second's pose in the first."""
    for pair, own in drawn(facts.view_sets("pair"), limit, rng):
        first, second = pair if own.random() < 0.5 else pair[::-1]
        if facts.overlap(first, second) < min_overlap:
            facts.drop(task, "views overlap too little")
            continue
        cameras = (facts.views[first].camera, facts.views[second].camera)
        yield (first, second), relative_pose(cameras[0].cam2world, cameras[1].cam2world), own


@dataclass(frozen=True, kw_only=True, slots=True)
class RelativePose:
    """Where the second camera is, seen from the first: distance, turn, or the whole pose."""

    name: ClassVar[str] = "relative_pose"
    formats: ClassVar[tuple[str, ...]] = ("number", "text")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = "distance, angle, or translation and zxy angles between two cameras"
    counterparts: ClassVar[str] = "SPAR view_change_infer; MultiSPA camera_movement"

    min_overlap: float = 0.1  # part of the surfaces that both views show
    min_distance: float = 0.1  # metres the camera has moved
    min_angle: float = 5.0  # degrees the camera has turned
    candidates: int = 6  # pairs tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each pair that overlaps one of: how far apart, how far turned, the whole pose."""
        pairs = overlapping_pairs(facts, self.name, rng, self.candidates, self.min_overlap)
        for views, pose, own in pairs:
            distance = float(np.linalg.norm(pose[:3, 3]))
            angle = float(np.degrees(rotation_angle(pose[:3, :3])))
            kind = ("distance", "angle", "pose")[int(own.integers(3))]
            if kind != "angle" and distance < self.min_distance:
                facts.drop(self.name, "camera hardly moved")
                continue
            if kind == "angle" and angle < self.min_angle:
                facts.drop(self.name, "camera hardly turned")
                continue
            value: float | str = distance if kind == "distance" else angle
            if kind == "pose":
                value = _pose_text(pose)
            yield Question(
                task=self.name,
                wording=f"{self.name}_{kind}",
                format="text" if kind == "pose" else "number",
                views=views,
                value=value,
                frame=self.frame if kind == "pose" else "",
                unit={"distance": "m", "angle": "deg", "pose": ""}[kind],
                evidence={
                    "distance_m": distance,
                    "angle_deg": angle,
                    "overlap": facts.overlap(*views),
                    "min_overlap": self.min_overlap,
                },
            )


def _pose_text(pose: Float[Array, "4 4"]) -> str:
    """Fenced JSON of a pose: translation in metres and zxy angles in radians, two decimals."""

    def listed(values: Float[Array, "3"]) -> str:
        return "[" + ", ".join(f"{float(f'{value:.2f}') + 0.0:.2f}" for value in values) + "]"

    angles = euler_zxy_from_rotation(pose[:3, :3])
    body = f'{{"translation": {listed(pose[:3, 3])}, "rotation_zxy": {listed(angles)}}}'
    return f"```json\n{body}\n```"


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraMotion:
    """Which way the camera mainly moved, in its first view's axes, and how far that way."""

    name: ClassVar[str] = "camera_motion"
    formats: ClassVar[tuple[str, ...]] = ("choice", "number")
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = "first_view"
    summary: ClassVar[str] = (
        "whether the camera mainly went left or right, up or down, ahead or back, and how far"
    )
    counterparts: ClassVar[str] = (
        "SPAR camera_motion_infer; VSTI camera_movement_direction, camera_displacement"
    )

    min_overlap: float = 0.1  # part of the surfaces that both views show
    min_move: float = 0.15  # metres along the main axis
    min_angle: float = 15.0  # degrees between the movement and the nearest other direction's sector
    candidates: int = 6  # pairs tried

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """For each pair that overlaps, the direction or the amount."""
        pairs = overlapping_pairs(facts, self.name, rng, self.candidates, self.min_overlap)
        for views, pose, own in pairs:
            move = pose[:3, 3]
            axis = int(np.abs(move).argmax())
            amount = float(abs(move[axis]))
            if amount < self.min_move:
                facts.drop(self.name, "camera hardly moved")
                continue
            # The sectors of two axes meet where their components are equal.
            second = float(np.sort(np.abs(move))[1])
            sine = (amount - second) / (np.sqrt(2.0) * np.linalg.norm(move))
            margin = float(np.degrees(np.arcsin(sine)))
            if margin < self.min_angle:
                facts.drop(self.name, "movement between two directions")
                continue
            direction = DIRECTIONS[axis][int(move[axis] > 0)]
            is_choice = own.random() < 0.5
            yield Question(
                task=self.name,
                wording=f"{self.name}_{'direction' if is_choice else 'amount'}",
                format="choice" if is_choice else "number",
                views=views,
                value=direction if is_choice else amount,
                frame=self.frame,
                unit="deg" if is_choice else "m",
                # Of one axis: cameras rise and retreat so seldom that among six these would be known to be wrong.
                choices=shuffled(DIRECTIONS[axis], own) if is_choice else (),
                evidence={
                    "translation_m": move.tolist(),
                    "angle_to_boundary_deg": margin,
                    "min_angle_deg": self.min_angle,
                    "overlap": facts.overlap(*views),
                    "min_overlap": self.min_overlap,
                },
                margin=margin if is_choice else 0.0,
                holds=partial(_same_way, views, axis, bool(move[axis] > 0)),
                slots={"direction": direction},
            )


def _same_way(views: tuple[int, int], axis: int, positive: bool, noise: Noise) -> Bool[Array, " K"]:
    first, second = (noise.cam2world(view) for view in views)
    move = np.einsum("kji,kj->ki", first[:, :3, :3], second[:, :3, 3] - first[:, :3, 3])
    return np.asarray((np.abs(move).argmax(axis=1) == axis) & ((move[:, axis] > 0) == positive))
