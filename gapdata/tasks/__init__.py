"""Tasks ask about a scene's measured facts. One file a family, one line a task here."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from gapdata.errors import ConfigError

if TYPE_CHECKING:
    from gapdata.tasks.facts import Facts
    from gapdata.tasks.question import Question


@runtime_checkable
class Task(Protocol):
    """One family of questions. A frozen dataclass whose fields are its thresholds.

    `ask` yields questions that are unambiguous and clear of every decision boundary by the margin, and
    counts each candidate it gives up in `facts.drops` under a reason. It reads no disk and draws only from `rng`.
    """

    name: str
    formats: tuple[str, ...]
    views: str  # which views a question is about: of "single", "pair", "several", "all", comma-separated
    frame: str
    summary: str
    counterparts: str  # names of the same question in published benchmarks

    def ask(self, facts: Facts, rng: np.random.Generator) -> Iterator[Question]:
        """Questions about the facts, in a deterministic order."""
        ...


TASKS: dict[str, str] = {
    "against_wall": "gapdata.tasks.placing:AgainstWall",
    "appearance_order": "gapdata.tasks.multiview:AppearanceOrder",
    "between": "gapdata.tasks.placing:Between",
    "camera_motion": "gapdata.tasks.camera:CameraMotion",
    "camera_object_distance": "gapdata.tasks.distance_camera:CameraObjectDistance",
    "closest_object": "gapdata.tasks.distance:ClosestObject",
    "color": "gapdata.tasks.color:Color",
    "count_comparison": "gapdata.tasks.counting:CountComparison",
    "describe_object": "gapdata.tasks.captioning:DescribeObject",
    "detect_objects": "gapdata.tasks.grounding:DetectObjects",
    "distance_change": "gapdata.tasks.distance_change:DistanceChange",
    "distance_order": "gapdata.tasks.distance_camera:DistanceOrder",
    "exists": "gapdata.tasks.existence:Exists",
    "fits_in": "gapdata.tasks.fits_in:FitsIn",
    "frame_order": "gapdata.tasks.camera_order:FrameOrder",
    "free_space_point": "gapdata.tasks.rooms:FreeSpacePoint",
    "ground_object": "gapdata.tasks.grounding:GroundObject",
    "hanging": "gapdata.tasks.resting:Hanging",
    "inside": "gapdata.tasks.resting:Inside",
    "material": "gapdata.tasks.shape:Material",
    "navigation": "gapdata.tasks.walking:Navigation",
    "nearest_to_camera": "gapdata.tasks.distance_camera:NearestToCamera",
    "next_to": "gapdata.tasks.placing:NextTo",
    "object_box": "gapdata.tasks.size:ObjectBox",
    "object_count": "gapdata.tasks.counting:ObjectCount",
    "object_direction": "gapdata.tasks.relations:ObjectDirection",
    "object_direction_clock": "gapdata.tasks.walking:ObjectDirectionClock",
    "object_distance": "gapdata.tasks.distance:ObjectDistance",
    "object_frame_locate": "gapdata.tasks.multiview:ObjectFrameLocate",
    "object_size": "gapdata.tasks.size:ObjectSize",
    "object_volume_order": "gapdata.tasks.size_order:ObjectVolumeOrder",
    "on_top_of": "gapdata.tasks.resting:OnTopOf",
    "overlap": "gapdata.tasks.camera_order:Overlap",
    "pixel_correspondence": "gapdata.tasks.correspondence:PixelCorrespondence",
    "point_depth": "gapdata.tasks.points_depth:PointDepth",
    "point_depth_order": "gapdata.tasks.points:PointDepthOrder",
    "pointmap": "gapdata.tasks.points:Pointmap",
    "pointmap_list": "gapdata.tasks.pointmap_list:PointmapList",
    "position_matching": "gapdata.tasks.matching:PositionMatching",
    "refer_to_object": "gapdata.tasks.captioning:ReferToObject",
    "relative_pose": "gapdata.tasks.camera:RelativePose",
    "room_count": "gapdata.tasks.rooms:RoomCount",
    "room_size": "gapdata.tasks.rooms:RoomSize",
    "route_plan": "gapdata.tasks.walking:RoutePlan",
    "same_object": "gapdata.tasks.matching:SameObject",
    "scene_map": "gapdata.tasks.imagination:SceneMap",
    "shape_name": "gapdata.tasks.shape:ShapeName",
    "size_comparison": "gapdata.tasks.size_order:SizeComparison",
    "spatial_imagination": "gapdata.tasks.imagination:SpatialImagination",
    "symmetric_axis": "gapdata.tasks.shape:SymmetricAxis",
    "under": "gapdata.tasks.resting:Under",
    "view_change": "gapdata.tasks.camera_order:ViewChange",
    "viewer_relation": "gapdata.tasks.relations:ViewerRelation",
}


def open_task(name: str) -> Task:
    """The named task with default thresholds. Raises ConfigError for a name that is not there."""
    if name not in TASKS:
        raise ConfigError(f"unknown task {name!r}: expected one of {', '.join(sorted(TASKS))}")
    module, _, attribute = TASKS[name].partition(":")
    task: Task = getattr(importlib.import_module(module), attribute)()
    return task
