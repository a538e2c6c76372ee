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
    "against_wall": "gapdata.verify.placing:against_wall",
    "appearance_order": "gapdata.verify.multiview:appearance_order",
    "between": "gapdata.verify.placing:between",
    "camera_motion": "gapdata.verify.camera:camera_motion",
    "camera_object_distance": "gapdata.verify.distance_camera:camera_object_distance",
    "closest_object": "gapdata.verify.distance:closest_object",
    "color": "gapdata.verify.make:color",
    "count_comparison": "gapdata.verify.existence:count_comparison",
    "describe_object": "gapdata.verify.captioning:describe_object",
    "detect_objects": "gapdata.verify.grounding:detect_objects",
    "distance_change": "gapdata.verify.distance_camera:distance_change",
    "distance_order": "gapdata.verify.distance_camera:distance_order",
    "exists": "gapdata.verify.existence:exists",
    "fits_in": "gapdata.verify.size_order:fits_in",
    "frame_order": "gapdata.verify.camera_order:frame_order",
    "free_space_point": "gapdata.verify.rooms:free_space_point",
    "ground_object": "gapdata.verify.grounding:ground_object",
    "hanging": "gapdata.verify.resting:hanging",
    "inside": "gapdata.verify.resting:inside",
    "material": "gapdata.verify.make:material",
    "navigation": "gapdata.verify.walking:navigation",
    "nearest_to_camera": "gapdata.verify.distance_camera:nearest_to_camera",
    "next_to": "gapdata.verify.placing:next_to",
    "object_box": "gapdata.verify.size_order:object_box",
    "object_count": "gapdata.verify.counting:object_count",
    "object_direction": "gapdata.verify.relations:object_direction",
    "object_direction_clock": "gapdata.verify.relations:object_direction_clock",
    "object_distance": "gapdata.verify.distance:object_distance",
    "object_frame_locate": "gapdata.verify.multiview:object_frame_locate",
    "object_size": "gapdata.verify.size:object_size",
    "object_volume_order": "gapdata.verify.size_order:object_volume_order",
    "on_top_of": "gapdata.verify.resting:on_top_of",
    "overlap": "gapdata.verify.camera_order:overlap",
    "pixel_correspondence": "gapdata.verify.correspondence:pixel_correspondence",
    "point_depth": "gapdata.verify.points:point_depth",
    "point_depth_order": "gapdata.verify.points:point_depth_order",
    "pointmap": "gapdata.verify.points:pointmap",
    "pointmap_list": "gapdata.verify.captioning:pointmap_list",
    "position_matching": "gapdata.verify.matching:position_matching",
    "refer_to_object": "gapdata.verify.captioning:refer_to_object",
    "relative_pose": "gapdata.verify.camera:relative_pose",
    "room_count": "gapdata.verify.rooms:room_count",
    "room_size": "gapdata.verify.rooms:room_size",
    "route_plan": "gapdata.verify.walking:route_plan",
    "same_object": "gapdata.verify.matching:same_object",
    "scene_map": "gapdata.verify.imagination:scene_map",
    "shape_name": "gapdata.verify.make:shape_name",
    "size_comparison": "gapdata.verify.size_order:size_comparison",
    "spatial_imagination": "gapdata.verify.imagination:spatial_imagination",
    "symmetric_axis": "gapdata.verify.make:symmetric_axis",
    "under": "gapdata.verify.resting:under",
    "view_change": "gapdata.verify.camera_order:view_change",
    "viewer_relation": "gapdata.verify.relations:viewer_relation",
}


def open_verifier(task: str) -> Verifier | None:
    """The verifier of a task, None when there is none."""
    if task not in VERIFIERS:
        return None
    module, _, name = VERIFIERS[task].partition(":")
    verifier: Verifier = getattr(importlib.import_module(module), name)
    return verifier
