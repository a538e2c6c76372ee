"""One verifier a task: a function of the facts of a sample and a question about it."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict

Verifier = Callable[[PixelFacts, QA], Verdict]

# Task name -> "module:function" of its verifier.
VERIFIERS: dict[str, str] = {
    "camera_motion": "gapdata.verify.camera:camera_motion",
    "closest_object": "gapdata.verify.distance:closest_object",
    "detect_objects": "gapdata.verify.grounding:detect_objects",
    "ground_object": "gapdata.verify.grounding:ground_object",
    "object_count": "gapdata.verify.counting:object_count",
    "object_direction": "gapdata.verify.relations:object_direction",
    "object_distance": "gapdata.verify.distance:object_distance",
    "object_size": "gapdata.verify.size:object_size",
    "point_depth_order": "gapdata.verify.points:point_depth_order",
    "pointmap": "gapdata.verify.points:pointmap",
    "relative_pose": "gapdata.verify.camera:relative_pose",
    "viewer_relation": "gapdata.verify.relations:viewer_relation",
}


def open_verifier(task: str) -> Verifier | None:
    """The verifier of a task, None when there is none."""
    if task not in VERIFIERS:
        return None
    module, _, name = VERIFIERS[task].partition(":")
    verifier: Verifier = getattr(importlib.import_module(module), name)
    return verifier
