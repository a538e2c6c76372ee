"""The words of questions about size; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "object_size_longest": (
        "How long is the longest dimension of {the_x} {in_views}, in metres?",
        "What is the length of the longest side of {the_x} {in_views}? Answer in metres.",
        "Taking length, width and height, what is the largest of the three for {the_x} {in_views}, in metres?",
        "Estimate the largest dimension of {the_x} that you see {in_views}, in metres.",
        "{in_views}, how many metres does {the_x} measure along the longest dimension?",
        "Give the longest extent of {the_x} {in_views}, in metres.",
    ),
    "object_size_height": (
        "How tall {is_x} {the_x} {in_views}, in metres?",
        "What is the height of {the_x} {in_views}? Answer in metres.",
        "{in_views}, what is the vertical extent of {the_x}, in metres?",
        "Estimate the height of {the_x} that you see {in_views}, in metres.",
        "From bottom to top, how many metres {does_x} {the_x} {in_views} measure?",
        "Give the height of {the_x} {in_views}, in metres.",
    ),
}
