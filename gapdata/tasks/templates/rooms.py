"""The words of questions about rooms and their floor; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "room_size": (
        "How large is the floor area of the room {in_views}, in square metres?",
        "What is the size of the room that {views} {show_views}? Answer with its floor area in square metres.",
        "{in_views}, how many square metres of floor does the room have between its walls?",
        "Estimate the floor area of the whole room {in_views}, furniture included, in square metres.",
        "How many square metres does the room {in_views} measure?",
        "Give the area between the walls of the room {in_views}, in square metres.",
    ),
    "room_count": (
        "How many different rooms {does_views} {views} show?",
        "What is the number of separate rooms {in_views}?",
        "Count the rooms that you see {in_views}. How many are there?",
        "{in_views}, how many rooms with walls of their own can you see?",
        "Among how many rooms are the places {in_views} divided?",
        "Tell me the number of different rooms visible {in_views}.",
    ),
    "free_space_point_pixel": (
        "Point to a spot on the floor where {guest} has room. Answer with the pixel [u, v] of the {size}.",
        "Where on the visible floor would there be space for {guest}? Give one pixel as [u, v] in this image of {size}.",
        "Find free floor in this image ({size}) for {guest}, and answer with a pixel [u, v] in the middle of it.",
        "Mark a place on the floor that is clear enough for {guest}: one pixel [u, v] of this {size} image.",
        "On which pixel [u, v] of the floor (image of {size}) could you place {guest} without touching anything?",
        "Give the pixel [u, v] of a floor point around which {guest} fits; the image has {size}.",
    ),
    "free_space_point_yesno": (
        "Is there room for {guest} at the red point on the floor?",
        "Would {guest}, centred on the red point, fit there without touching anything?",
        "The red point lies on the floor. Is the floor around it free enough for {guest}?",
        "Could you place {guest} with its middle at the red point?",
        "Does the space around the red point on the floor suffice for {guest}?",
        "Looking at the red point on the floor, would {guest} fit there?",
    ),
}
