"""Which family of questions a task belongs to, for tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FAMILIES: Mapping[str, Sequence[str]] = {
    "points and depth": (
        "point_depth", "point_depth_order", "pointmap", "pointmap_list", "pixel_correspondence", "nearest_to_camera",
    ),
    "object geometry": (
        "object_size", "object_box", "object_volume_order", "size_comparison", "fits_in", "shape_name", "symmetric_axis",
    ),
    "distance": (
        "object_distance", "camera_object_distance", "closest_object", "distance_order", "distance_change",
    ),
    "relations": (
        "viewer_relation", "object_direction", "object_direction_clock", "on_top_of", "under", "inside", "next_to",
        "between", "against_wall", "hanging",
    ),
    "counting and existence": ("object_count", "count_comparison", "exists"),
    "camera": ("relative_pose", "camera_motion", "view_change", "frame_order", "overlap"),
    "several views": (
        "object_frame_locate", "position_matching", "appearance_order", "same_object", "spatial_imagination", "scene_map",
    ),
    "rooms and ways": ("room_size", "room_count", "free_space_point", "route_plan", "navigation"),
    "grounding and captions": ("ground_object", "detect_objects", "describe_object", "refer_to_object"),
    "looks": ("color", "material"),
}  # fmt: skip
_BY_TASK = {task: family for family, tasks in FAMILIES.items() for task in tasks}
OTHER = "other"


def family_of(task: str) -> str:
    """The family of a task; `OTHER` for one that is in none."""
    return _BY_TASK.get(task, OTHER)
