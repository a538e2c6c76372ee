"""The words of questions about which views show what; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "object_frame_locate_text": (
        "In which of {views} can {the_x} be seen? Answer with their numbers in square brackets; the first image has number 1.",
        "Which images show {the_x}? Give a list of image numbers such as [1, 2], counting {views} from 1.",
        "List the numbers of all images, counting from 1, that show {the_x}, as [a, b, ...].",
        "Find {the_x} {in_views} and list the numbers of the images that show it or a part of it in square brackets, starting at 1.",
        "Number {views} from 1. In which of them {is_x} {the_x} visible? Answer in the form [a, b, ...].",
        "Give the numbers of the images, the first one being 1, in which one can see {the_x}, as a list in square brackets.",
    ),
    "object_frame_locate_choice": (
        "Which of the images listed shows {the_x}?",
        "In which one of these images can {the_x} be seen?",
        "Only one of the images below shows {the_x}. Which one?",
        "Which of the following images has {the_x} in it?",
        "Look for {the_x}: which of the images named below contains it?",
        "One of the listed images shows {the_x}, the others do not. Which is it?",
    ),
    "object_frame_locate_yesno": (
        "Can {the_x} be seen in {image}?",
        "{is_x} {the_x} visible in {image}?",
        "Does {image} show {the_x}?",
        "Looking at {image}: {is_x} {the_x} in it?",
        "{is_x} {the_x}, or a part of it, in the picture in {image}?",
        "Of {views}, does {image} show {the_x}?",
    ),
    "appearance_order_choice": (
        "Going through {views} from first to last, in which order do {names} first appear?",
        "What is the order in which {names} come into view for the first time {in_views}?",
        "Look at {views} one after another. In which order does one first see {names}?",
        "Put {names} in the order of their first appearance {in_views}.",
        "{names} are all seen at some point {in_views}. In which order do they first appear?",
        "Sort {names} by the first image that shows each, from the earliest to the latest of {views}.",
    ),
    "appearance_order_yesno": (
        "Going through {views} in order, {does_a} {the_a} appear before {the_b}?",
        "{is_a} {the_a} seen in an earlier image than {the_b} is?",
        "Does the first image that shows {the_a} come before the first one that shows {the_b}?",
        "In the order of {views}, does one see {the_a} earlier than {the_b}?",
        "{does_a} {the_a} come into view before {the_b} {in_views}?",
        "Is it true that {the_a} can be seen sooner than {the_b} when one looks through {views}?",
    ),
}
