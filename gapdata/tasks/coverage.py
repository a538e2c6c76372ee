"""Which of our tasks ask what published question sets ask, by their published task names, or why none does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BEGIN = "<!-- coverage: begin (pipelines/coverage.py writes this) -->"
END = "<!-- coverage: end -->"

STATIC = "scenes stand still: nothing in them moves between two views"


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A question set: its name, where its task names were read, and for each of them our tasks, or a reason in words.

    A tuple names tasks that ask the same; a string says why there is none.
    """

    name: str
    source: str
    tasks: Mapping[str, tuple[str, ...] | str]


_SPAR_DEPTH_OC = ("point_depth", "pointmap")
_SPAR_DEPTH_OO = ("point_depth_order", "point_depth")
_SPAR_CENTER_OC = ("nearest_to_camera", "distance_order")
_SPAR_CENTER_OO = ("closest_object", "refer_to_object")
_SPAR_IMAGINE_OC = ("spatial_imagination", "object_direction")
_SPAR_IMAGINE_OO = ("spatial_imagination", "object_direction", "object_direction_clock")

SPAR = Published(
    name="SPAR-7M",
    source="type names of LogosRoboticsGroup/SPAR; 33 tasks, of which the two _hard ones are levels of the one above",
    tasks={
        "obj_spatial_relation_oo": ("viewer_relation",),
        "depth_prediction_oc": _SPAR_DEPTH_OC,
        "depth_prediction_oo": _SPAR_DEPTH_OO,
        "distance_prediction_oc": ("camera_object_distance",),
        "distance_prediction_oo": ("object_distance",),
        "distance_infer_center_oc": _SPAR_CENTER_OC,
        "distance_infer_center_oo": _SPAR_CENTER_OO,
        "spatial_volume_infer": ("object_volume_order", "object_size"),
        "spatial_imagination_oc": _SPAR_IMAGINE_OC,
        "spatial_imagination_oo": _SPAR_IMAGINE_OO,
        "position_matching": ("position_matching", "pixel_correspondence"),
        "view_change_infer": ("view_change", "relative_pose"),
        "depth_prediction_oc_mv": _SPAR_DEPTH_OC,
        "depth_prediction_oo_mv": _SPAR_DEPTH_OO,
        "distance_prediction_oc_mv": ("camera_object_distance", "distance_change"),
        "distance_prediction_oo_mv": ("object_distance",),
        "obj_spatial_relation_oc_mv": ("object_box", "scene_map"),
        "obj_spatial_relation_oo_mv": ("viewer_relation", "spatial_imagination"),
        "distance_infer_center_oc_mv": _SPAR_CENTER_OC,
        "distance_infer_center_oo_mv": _SPAR_CENTER_OO,
        "spatial_imagination_oc_mv": _SPAR_IMAGINE_OC,
        "spatial_imagination_oo_mv": _SPAR_IMAGINE_OO,
        "spatial_imagination_map_mv": ("scene_map",),
        "camera_motion_infer": ("camera_motion", "relative_pose"),
        "distance_prediction_oo_video": ("object_distance",),
        "distance_infer_center_oo_video": ("closest_object",),
        "spatial_imagination_oc_video": _SPAR_IMAGINE_OC,
        "spatial_imagination_oc_video_hard": _SPAR_IMAGINE_OC,
        "spatial_imagination_oo_video": _SPAR_IMAGINE_OO,
        "spatial_imagination_oo_video_hard": _SPAR_IMAGINE_OO,
        "obj_frame_locate": ("object_frame_locate", "ground_object"),
        "appearance_order": ("appearance_order",),
        "room_size": ("room_size",),
        "obj_count": ("object_count", "exists"),
        "nav": ("navigation", "route_plan"),
    },
)

VSI = Published(
    name="VSI-Bench",
    source="question types of vision-x-nyu/thinking-in-space: 8 tasks, one of them in three levels",
    tasks={
        "object_counting": ("object_count", "count_comparison"),
        "object_abs_distance": ("object_distance",),
        "object_size_estimation": ("object_size",),
        "room_size_estimation": ("room_size",),
        "object_rel_distance": ("closest_object",),
        "object_rel_direction_easy": ("object_direction",),
        "object_rel_direction_medium": ("object_direction",),
        "object_rel_direction_hard": ("object_direction", "object_direction_clock"),
        "obj_appearance_order": ("appearance_order",),
        "route_planning": ("route_plan", "navigation"),
    },
)

VSTI = Published(
    name="VSTI-Bench",
    source="question types of VITA-Group/VLM-3R; camera_obj_dist_change is scored there, but not in the test set",
    tasks={
        "camera_displacement": ("relative_pose", "camera_motion"),
        "camera_movement_direction": ("camera_motion",),
        "camera_obj_abs_dist": ("camera_object_distance",),
        "camera_obj_rel_dist_v1": ("nearest_to_camera",),
        "camera_obj_rel_dist_v2": ("nearest_to_camera",),
        "camera_obj_rel_dist_v3": ("nearest_to_camera", "distance_order"),
        "camera_obj_dist_change": ("distance_change",),
        "obj_obj_relative_pos_lr": ("viewer_relation",),
        "obj_obj_relative_pos_ud": ("viewer_relation",),
        "obj_obj_relative_pos_nf": ("viewer_relation",),
    },
)

MULTISPA = Published(
    name="MultiSPA",
    source="engines and question types of facebookresearch/Multi-SpatialMLLM",
    tasks={
        "depth_estimation_dot": ("point_depth",),
        "depth_estimation_coor": ("point_depth", "pointmap"),
        "depth_comparison_dot": ("point_depth_order",),
        "depth_comparison_coor": ("point_depth_order",),
        "visual_correspondence_dot_2_multichoice": ("pixel_correspondence",),
        "visual_correspondence_coor_2_coor": ("pixel_correspondence",),
        "x_movement": ("camera_motion", "view_change"),
        "y_movement": ("camera_motion", "view_change"),
        "z_movement": ("camera_motion", "view_change"),
        "yaw_movement": ("view_change",),
        "pitch_movement": ("view_change",),
        "yaw_angle": ("view_change",),
        "pitch_angle": ("view_change",),
        "total_distance": ("relative_pose",),
        "displacement_vector": ("relative_pose", "view_change"),
        "object_perception": ("object_size", "object_box"),
        "tapvid3d_total_distance": STATIC,
        "tapvid3d_displacement_vector": STATIC,
    },
)

_UP_TO_FOUR = (
    "appearance_order asks three or four objects: more distinct first views are rare in a sample"
)

SIMS_V = Published(
    name="SIMS-V, temporal",
    source="temporal question types of ellisbrown/SIMS-V",
    tasks={
        "temporal_rel": ("appearance_order",),
        "temporal_order_2": ("appearance_order",),
        "temporal_order_3": ("appearance_order",),
        "temporal_order_4": ("appearance_order",),
        "temporal_order_5": _UP_TO_FOUR,
        "temporal_order_6": _UP_TO_FOUR,
        "vsi_obj_appearance_order": ("appearance_order",),
        "vsi_obj_appearance_order_minimal": ("appearance_order",),
    },
)

GAP = Published(
    name="GAP-MLLM",
    source="the four pre-training tasks of arXiv 2603.16461",
    tasks={
        "pointmap": ("pointmap", "pointmap_list"),
        "detection": ("detect_objects",),
        "grounding": ("ground_object", "object_box"),
        "captioning": ("describe_object", "refer_to_object"),
    },
)

COVERAGE = (SPAR, VSI, VSTI, MULTISPA, SIMS_V, GAP)


def coverage_table() -> str:
    """The table in Markdown: for each question set its source, and a row for each of its task names."""
    parts = []
    for published in COVERAGE:
        rows = [
            f"| `{name}` | {ours if isinstance(ours, str) else ', '.join(f'`{task}`' for task in ours)} |"
            for name, ours in published.tasks.items()
        ]
        covered = sum(not isinstance(ours, str) for ours in published.tasks.values())
        head = (
            f"### {published.name}\n\n{covered} of {len(rows)} names. Names: {published.source}.\n"
        )
        parts.append("\n".join([head, "| published | ours |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def with_coverage(page: str) -> str:
    """The page with the table between its two markers. Raises ValueError for a page without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"coverage: expected the lines {BEGIN!r} and {END!r} in the page")
    return f"{before}{BEGIN}\n\n{coverage_table()}\n\n{END}{after}"
