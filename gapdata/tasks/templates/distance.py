"""The words of questions about distance; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "object_distance": (
        "How far apart are {the_a} and {the_b} {in_views}, in metres, measured between their nearest points?",
        "What is the distance between the nearest points of {the_a} and {the_b} {in_views}? Answer in metres.",
        "{in_views}, how many metres lie between {the_a} and {the_b} where they come closest?",
        "Measured from closest point to closest point, how far {is_a} {the_a} from {the_b} {in_views}, in metres?",
        "Estimate the shortest distance in metres from the surface of {the_a} to the surface of {the_b} {in_views}.",
        "Give the smallest gap between {the_a} and {the_b} {in_views}, in metres.",
    ),
    "closest_object": (
        "Which of these objects is closest to {the_x} {in_views}, measured between nearest points?",
        "Measuring from nearest point to nearest point, which of the following {in_views} is nearest to {the_x}?",
        "{in_views}, which of the listed objects has the shortest distance to {the_x}, surface to surface?",
        "Of the objects listed, which one comes closest to {the_x} {in_views}, counting the nearest points?",
        "Judging by the gap between their surfaces {in_views}, which object is the nearest one to {the_x}?",
        "To which of these objects {is_x} {the_x} {in_views} closest, from surface to surface?",
    ),
}
