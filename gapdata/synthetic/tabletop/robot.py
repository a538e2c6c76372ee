"""A small robot arm as stands on laboratory tables."""

from __future__ import annotations

import numpy as np

from gapdata.errors import GapdataError
from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, parts_of
from gapdata.synthetic.shapes import ball, bar, block, cylinder

DARK = Finish(rgb=(52, 54, 58), material="plastic")
CLEAR = 0.16  # metres that the fingers stay above the table at least


def robot_arm(rng: np.random.Generator, palette: Palette) -> Model:
    """An arm with shoulder, elbow and a two-finger gripper that points down, reaching towards -y."""
    paint = (
        accent(rng, "metal")
        if rng.random() < 0.5
        else Finish(rgb=(232, 232, 230), material="metal")
    )
    upper, fore, wrist = 0.22, 0.2, 0.11
    shoulder = np.array([0.0, 0.0, 0.17])
    for _ in range(50):
        lift, fall = np.deg2rad(rng.uniform(50.0, 95.0)), np.deg2rad(rng.uniform(-35.0, 20.0))
        elbow = shoulder + upper * np.array([0.0, -np.cos(lift), np.sin(lift)])
        hand = elbow + fore * np.array([0.0, -np.cos(fall), np.sin(fall)])
        if hand[2] - wrist > CLEAR:
            break
    else:
        raise GapdataError(
            "expected a pose of the robot arm with the gripper above the table, found none"
        )
    opening = float(rng.uniform(0.015, 0.04))
    shell = [
        bar(shoulder, elbow, 0.028, 20), bar(elbow, hand, 0.023, 20), cylinder(0.045, 0.09, (0, 0, 0.06), 32),
        bar(hand, hand - [0, 0, 0.05], 0.02, 20),
    ]  # fmt: skip
    joints = [
        cylinder(0.07, 0.06, segments=40), ball(0.042, shoulder - [0, 0, 0.042]), ball(0.034, elbow - [0, 0, 0.034]),
        ball(0.028, hand - [0, 0, 0.028]), block((0.1, 0.03, 0.018), hand - [0, 0, 0.066]),
    ]  # fmt: skip
    fingers = [
        block((0.012, 0.02, wrist - 0.06), hand + [side * opening, 0, -wrist])
        for side in (-1.0, 1.0)
    ]
    return Model(
        label="robot arm",
        parts=parts_of(paint, *shell) + parts_of(DARK, *joints, *fingers),
        finish=paint,
    )
