"""The words of questions about relations; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "viewer_relation_yesno": (
        "From the camera's viewpoint, {is_a} {the_a} {relation} {the_b}?",
        "As seen in this image, {is_a} {the_a} {relation} {the_b}?",
        "{is_a} {the_a} {relation} {the_b} from where the camera stands?",
        "Looking from the camera, would you say that {the_a} {is_a} {relation} {the_b}?",
        "{does_a} {the_a} lie {relation} {the_b} when viewed from the camera?",
        "For the viewer of this image, {is_a} {the_a} {relation} {the_b}?",
    ),
    "viewer_relation_choice": (
        "From the camera's viewpoint, where {is_a} {the_a} relative to {the_b}?",
        "As seen in this image, how {is_a} {the_a} placed relative to {the_b}?",
        "Where {is_a} {the_a} compared with {the_b}, from where the camera stands?",
        "Looking from the camera, in which direction from {the_b} {is_a} {the_a}?",
        "Where {does_a} {the_a} lie with respect to {the_b} when viewed from the camera?",
        "For the viewer of this image, what is the position of {the_a} relative to {the_b}?",
    ),
    "object_direction": (
        "You stand at {the_a} and face {the_b}. In which direction {is_c} {the_c}?",
        "If I stand by {the_a} looking towards {the_b}, on which side of me {is_c} {the_c}?",
        "Imagine standing at {the_a} {in_views} and turning to {the_b}. Where {is_c} {the_c} then?",
        "Standing where {the_a} {is_a} and facing {the_b}, which way would you turn to see {the_c}?",
        "From {the_a}, with {the_b} straight ahead, in which direction {is_c} {the_c}?",
        "Someone at the position of {the_a} faces {the_b}. In which direction from them {is_c} {the_c}?",
    ),
}
