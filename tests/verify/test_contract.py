"""Every task has a verifier, and every verifier a task."""

from __future__ import annotations

from gapdata.tasks import TASKS
from gapdata.verify import VERIFIERS
from gapdata.verify.registry import open_verifier

# Tasks whose answers are not derived a second time yet; this may only shrink.
MISSING = {
    "against_wall",
    "appearance_order",
    "between",
    "camera_object_distance",
    "color",
    "count_comparison",
    "describe_object",
    "distance_change",
    "distance_order",
    "exists",
    "fits_in",
    "frame_order",
    "free_space_point",
    "hanging",
    "inside",
    "material",
    "navigation",
    "nearest_to_camera",
    "next_to",
    "object_box",
    "object_direction_clock",
    "object_frame_locate",
    "object_volume_order",
    "on_top_of",
    "overlap",
    "pixel_correspondence",
    "point_depth",
    "position_matching",
    "refer_to_object",
    "room_count",
    "room_size",
    "route_plan",
    "same_object",
    "scene_map",
    "shape_name",
    "size_comparison",
    "spatial_imagination",
    "symmetric_axis",
    "view_change",
}


def test_every_task_has_a_verifier() -> None:
    assert set(TASKS) - set(VERIFIERS) <= MISSING


def test_every_verifier_opens_and_says_what_it_derives() -> None:
    for name in VERIFIERS:
        verifier = open_verifier(name)
        assert verifier is not None
        assert verifier.__doc__
        assert verifier.__name__ == name
    assert open_verifier("no such task") is None
