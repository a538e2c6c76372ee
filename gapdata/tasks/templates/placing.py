"""The words of questions about where objects stand among the others; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "next_to_yesno": (
        "{is_a} {the_a} right next to {the_b}?",
        "{is_a} {the_a} beside {the_b} {in_views}, with less than half a metre between them?",
        "Looking at {views}, {is_a} {the_a} close beside {the_b}?",
        "{does_a} {the_a} stand or lie side by side with {the_b}?",
        "Would you say that {the_a} and {the_b} are next to each other {in_views}?",
        "{is_a} {the_a} an immediate neighbour of {the_b}?",
    ),
    "next_to_choice": (
        "Which of these is right next to {the_b}?",
        "Which one is beside {the_b} {in_views}, with less than half a metre between them?",
        "Looking at {views}, which of these is close beside {the_b}?",
        "Which of the following stands or lies side by side with {the_b}?",
        "Which of these and {the_b} are next to each other {in_views}?",
        "Which one is an immediate neighbour of {the_b}?",
    ),
    "between_yesno": (
        "Seen from above, {is_a} {the_a} between {the_b} and {the_c}?",
        "{is_a} {the_a} between {the_b} and {the_c} {in_views}?",
        "Looking at {views}, {does_a} {the_a} lie between {the_b} and {the_c} in the room?",
        "On a straight way from {the_b} to {the_c}, would you come by {the_a}?",
        "On a floor plan, would {the_a} appear between {the_b} and {the_c}?",
        "Do {the_b} and {the_c} have {the_a} between them?",
    ),
    "between_choice": (
        "Seen from above, which of these is between {the_b} and {the_c}?",
        "What is between {the_b} and {the_c} {in_views}?",
        "Looking at {views}, which of these lies between {the_b} and {the_c} in the room?",
        "On a straight way from {the_b} to {the_c}, which of these would you come by?",
        "On a floor plan, which of these would appear between {the_b} and {the_c}?",
        "Which of the following do {the_b} and {the_c} have between them?",
    ),
    "against_wall_yesno": (
        "{does_a} {the_a} stand against a wall {in_views}?",
        "{is_a} {the_a} up against a wall?",
        "Looking at {views}, {is_a} {the_a} placed right at a wall?",
        "{does_a} {the_a} touch a wall, or nearly so?",
        "Would you say that {the_a} {is_a} pushed up to a wall?",
        "{is_a} {the_a} standing directly along a wall of the room?",
    ),
    "against_wall_choice": (
        "Which of these stands against a wall {in_views}?",
        "Which one is up against a wall?",
        "Looking at {views}, which of these is placed right at a wall?",
        "Which of the following touches a wall, or nearly so?",
        "Which of these is pushed up to a wall?",
        "Which one is standing directly along a wall of the room?",
    ),
}
