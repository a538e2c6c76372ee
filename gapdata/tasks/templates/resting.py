"""The words of questions about what rests on, lies under, is inside of or hangs; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "on_top_of_yesno": (
        "{is_a} {the_a} on top of {the_b}?",
        "{does_a} {the_a} rest on {the_b} {in_views}?",
        "Looking at {views}, {is_a} {the_a} placed on {the_b}?",
        "Would you say that {the_a} {is_a} lying or standing on {the_b}?",
        "{does_b} {the_b} carry {the_a} {in_views}?",
        "{is_a} {the_a} supported from below by {the_b}?",
    ),
    "on_top_of_choice": (
        "Which of these is on top of {the_b}?",
        "Which one rests on {the_b} {in_views}?",
        "What has been placed on {the_b}?",
        "Which of the following does {the_b} carry {in_views}?",
        "Looking at {views}, which of these stands or lies on {the_b}?",
        "Which of the following things is supported from below by {the_b}?",
    ),
    "under_yesno": (
        "{is_a} {the_a} under {the_b}?",
        "{does_a} {the_a} stand or lie underneath {the_b} {in_views}?",
        "Looking at {views}, {is_a} {the_a} below {the_b}, with {the_b} straight above?",
        "{is_a} {the_a} beneath {the_b}?",
        "Would something falling straight down from {the_b} land on {the_a}?",
        "{is_b} {the_b} directly over {the_a} {in_views}?",
    ),
    "under_choice": (
        "Which of these is under {the_b}?",
        "Which one stands or lies underneath {the_b} {in_views}?",
        "Looking at {views}, which of these has {the_b} straight above?",
        "Which of the following is beneath {the_b}?",
        "What would something falling straight down from {the_b} land on?",
        "Which of these has {the_b} directly overhead {in_views}?",
    ),
    "inside_yesno": (
        "{is_a} {the_a} inside {the_b}?",
        "{does_b} {the_b} contain {the_a} {in_views}?",
        "Looking at {views}, {is_a} {the_a} kept within {the_b}?",
        "{is_a} {the_a} in {the_b}, rather than on or beside {the_b}?",
        "Would you find {the_a} inside {the_b}?",
        "{does_a} {the_a} lie or stand in the interior of {the_b}?",
    ),
    "inside_choice": (
        "Which of these is inside {the_b}?",
        "Which of the following does {the_b} contain {in_views}?",
        "Looking at {views}, which of these is kept within {the_b}?",
        "Which one is in {the_b}, rather than on or beside {the_b}?",
        "What would you find inside {the_b}?",
        "Which of these lies or stands in the interior of {the_b}?",
    ),
    "hanging_yesno": (
        "{is_a} {the_a} hanging on a wall or from the ceiling {in_views}?",
        "{does_a} {the_a} hang, with nothing but air below?",
        "Looking at {views}, {is_a} {the_a} attached to a wall or the ceiling without standing on anything?",
        "Would you say that {the_a} {is_a} hung up rather than standing on something?",
        "{is_a} {the_a} held by a wall or the ceiling and by nothing from below?",
        "{is_a} {the_a} mounted on a wall or the ceiling, clear of everything below?",
    ),
    "hanging_choice": (
        "Which of these hangs on a wall or from the ceiling {in_views}?",
        "Which one hangs, with nothing but air below?",
        "Looking at {views}, which of these is attached to a wall or the ceiling without standing on anything?",
        "Which of the following is hung up rather than standing on something?",
        "Which of these is held by a wall or the ceiling and by nothing from below?",
        "Which one is mounted on a wall or the ceiling, clear of everything below?",
    ),
}
