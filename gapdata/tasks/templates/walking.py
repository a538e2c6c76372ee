"""The words of questions about standing, turning and walking among objects; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "object_direction_clock": (
        "You stand at {the_a} and face {the_b}, which is at 12 o'clock. At how many o'clock {is_c} {the_c}?",
        "Standing by {the_a} with {the_b} straight ahead at 12 o'clock, at which hour of the clock {is_c} {the_c}?",
        "Think of a clock face around {the_a} with 12 pointing to {the_b}, seen from above. Which hour points to {the_c}?",
        "From {the_a}, looking at {the_b} (12 o'clock), in which clock direction {is_c} {the_c}?",
        "If I stand at {the_a} {in_views} facing {the_b} at 12 o'clock, at what hour would I find {the_c}?",
        "Someone at {the_a} looks towards {the_b}, their 12 o'clock. Give the hour at which {the_c} {is_c}.",
    ),
    "navigation_choice": (
        "You stand at {the_a} and face {the_b}. What do you do first to walk straight to {the_c}?",
        "Standing by {the_a} and looking at {the_b}, which move comes before walking straight to {the_c}?",
        "From {the_a}, facing {the_b}, how do you start to go directly to {the_c}?",
        "A robot at {the_a} {in_views} faces {the_b}. Which turn, if any, does it make to drive straight to {the_c}?",
        "Someone at {the_a} looks towards {the_b} and wants to walk to {the_c} in a straight line. What is the first move?",
        "You are at {the_a} with {the_b} ahead of you. To reach {the_c} in a straight line, what must you do first?",
    ),
    "navigation_yesno": (
        "You stand at {the_a} and face {the_b}. Do you have to {move} to walk straight to {the_c}?",
        "Standing by {the_a} and looking at {the_b}, would you {move} to go directly to {the_c}?",
        "From {the_a}, facing {the_b}, is it right to {move} in order to walk straight to {the_c}?",
        "A robot at {the_a} {in_views} faces {the_b}. Should it {move} to drive straight to {the_c}?",
        "Someone at {the_a} looks towards {the_b}. Must they {move} to get to {the_c} in a straight line?",
        "You are at {the_a} with {the_b} ahead of you. Does one {move} to reach {the_c} in a straight line?",
    ),
    "route_plan": (
        "You stand at {the_a} and face {the_b}. You walk straight to {the_c} and from there straight to {the_d}. Which way do you turn at the start, and which way at {the_c}?",
        "Starting at {the_a} and looking at {the_b}, you go to {the_c} first and then to {the_d}, in straight lines. What are your two turns?",
        "A robot at {the_a} {in_views} faces {the_b}. It drives straight to {the_c}, then straight to {the_d}. Name its turn at the start and its turn at {the_c}.",
        "From {the_a}, facing {the_b}, plan a route by way of {the_c} to {the_d}. In which directions do you turn, first here and then at {the_c}?",
        "Someone at {the_a} looks towards {the_b}, walks to {the_c} and on to {the_d}. How do they turn before each of the two walks?",
        "Fill in the turns: at {the_a}, facing {the_b}, turn ___ and go to {the_c}; there turn ___ and go to {the_d}. Which two words are missing?",
    ),
}
