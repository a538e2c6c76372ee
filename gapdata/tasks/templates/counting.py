"""The words of questions about counting; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "object_count": (
        "How many {xs} are there {in_views}?",
        "What is the number of {xs} {in_views}?",
        "Count the {xs} {in_views}. How many are there?",
        "{in_views}, how many {xs} can you see?",
        "How many different {xs} {does_views} {views} show?",
        "Tell me the number of {xs} visible {in_views}.",
    ),
    "count_comparison_choice": (
        "Of which of these kinds are there more {in_views}?",
        "Which of the two kinds of objects is more numerous {in_views}?",
        "Count both kinds of objects {in_views}. Which are there more of?",
        "{in_views}, which of the listed objects can you see in the larger number?",
        "Which of the two {does_views} {views} show more of?",
        "Compare the numbers of both kinds of objects {in_views}: which is larger?",
    ),
    "count_comparison_yesno": (
        "Are there more {as} than {bs} {in_views}?",
        "{in_views}, can you see more {as} than {bs}?",
        "{does_views} {views} show more {as} than {bs}?",
        "Count the {as} and the {bs} {in_views}. Are there more {as}?",
        "Is the number of {as} {in_views} larger than the number of {bs}?",
        "Do the {as} outnumber the {bs} {in_views}?",
    ),
    "exists": (
        "Is there {an_x} {in_views}?",
        "{in_views}, can you see {an_x}?",
        "{does_views} {views} show {an_x}?",
        "Is {an_x} visible {in_views}?",
        "Look for {an_x} {in_views}. Is there one?",
        "Can {an_x} be found {in_views}?",
    ),
}
