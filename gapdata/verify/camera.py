"""Questions about how the camera moved, from the two poses."""

from __future__ import annotations

import json
import re

import numpy as np
from jaxtyping import Float

from gapdata.answers import FENCE
from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import (
    Verdict,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    number_verdict,
    verdict_of,
)

Array = np.ndarray

DIRECTIONS = {
    "right": ("right", 1.0), "left": ("right", -1.0), "down": ("down", 1.0),
    "up": ("down", -1.0), "forward": ("forward", 1.0), "backward": ("forward", -1.0),
}  # fmt: skip
STATED_STEP = 0.0051  # half of what two decimals tell apart, and rounding


def relative_pose(facts: PixelFacts, qa: QA) -> Verdict:
    """Distance of the camera centres, angle from the chord of the rotations, or the pose composed again."""
    first, second = qa.views
    rotations = [facts.views[view].camera.cam2world[:3, :3] for view in (first, second)]
    if kind_of(qa) == "relative_pose_distance":
        moved = facts.center(second) - facts.center(first)
        return number_verdict(qa, float(np.sqrt(moved @ moved)), 1e-4)
    if kind_of(qa) == "relative_pose_angle":
        # The chord between two rotations: |R1 - R2| = 2 sqrt(2) sin(angle / 2).
        chord = np.linalg.norm(rotations[0] - rotations[1]) / (2.0 * np.sqrt(2.0))
        angle = 2.0 * np.degrees(np.arcsin(min(1.0, float(chord))))
        return number_verdict(qa, angle, 0.05)
    fenced = FENCE.search(qa.answer)
    if fenced is None:
        return contradict(f"expected fenced JSON, found {qa.answer!r}")
    pose = json.loads(fenced[1])
    move, angles = np.array(pose["translation"]), np.array(pose["rotation_zxy"])
    there = facts.center(first) + sum(
        move[i] * facts.axis(first, name) for i, name in enumerate(("right", "down", "forward"))
    )
    turned = rotations[0] @ rotation_zxy(angles)
    off = float(np.abs(there - facts.center(second)).max())
    turn = float(np.abs(turned - rotations[1]).max())
    return verdict_of(
        off <= 3 * STATED_STEP and turn <= 4 * STATED_STEP,
        f"the stated pose is {off:.3f} m and {turn:.3f} (rotation) from the second camera's",
    )


def camera_motion(facts: PixelFacts, qa: QA) -> Verdict:
    """The displacement in the world, measured along the first camera's axes."""
    first, second = qa.views
    moved = facts.center(second) - facts.center(first)
    along = {
        name: sign * float(moved @ facts.axis(first, axis))
        for name, (axis, sign) in DIRECTIONS.items()
    }
    main = max(along, key=lambda name: along[name])
    if kind_of(qa) == "camera_motion_direction":
        # Degrees from the movement to the plane between the two strongest axes.
        strongest, second_best = sorted(along.values())[::-1][:2]
        length = float(np.linalg.norm(moved))
        margin = np.degrees(np.arcsin((strongest - second_best) / (np.sqrt(2.0) * length)))
        return first_doubt(
            verdict_of(qa.value == main, f"stated {qa.value}, moved {along} m"),
            margin_verdict(qa, float(margin), 0.1, at_least=qa.evidence["min_angle_deg"]),
        )
    words = re.findall("[a-z]+", qa.question.lower())
    asked = [name for name in DIRECTIONS if name in words]
    if asked != [main]:
        return contradict(f"the question says {asked}, the camera moved {main}")
    return number_verdict(qa, along[main], 1e-4)


def rotation_zxy(angles: Float[Array, "3"]) -> Float[Array, "3 3"]:
    """Ry(c) Rx(b) Rz(a) of extrinsic z, x, y angles (a, b, c) in radians, multiplied out."""
    (sa, sb, sc), (ca, cb, cc) = np.sin(angles), np.cos(angles)
    return np.array(
        [
            [cc * ca + sc * sb * sa, -cc * sa + sc * sb * ca, sc * cb],
            [cb * sa, cb * ca, -sb],
            [-sc * ca + cc * sb * sa, sc * sa + cc * sb * ca, cc * cb],
        ]
    )
