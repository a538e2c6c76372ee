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
}
