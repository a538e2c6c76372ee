"""The words of questions about one object in two views; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "position_matching_choice": (
        "The {color} box in the first image marks an object. Which box in the second image marks the same one?",
        "Which of the boxes in image 2 shows the object that is in the {color} box in image 1?",
        "Find the object of the {color} box of the first image again: which box in the second image is it in?",
        "One of the boxes in the second image holds the object marked by the {color} box in the first. Which one?",
        "Match the {color} box of image 1 to a box of image 2 that marks the same object.",
        "Seen from the second camera, which box contains what the {color} box contains in the first image?",
    ),
    "position_matching_text": (
        "The {color} box in the first image marks an object. Where is it in the second image ({size} pixels)? Answer in JSON: bbox_2d = [left, top, right, bottom] in pixels.",
        "Find the object of the {color} box of image 1 in image 2, which has {size} pixels, and give its visible part's bbox_2d [left, top, right, bottom] as JSON.",
        "Give bbox_2d = [left, top, right, bottom] in pixels of the second image ({size}) around the object that the {color} box marks in the first one, as JSON.",
        "What is the 2D box in image 2 ({size} pixels) of the object in the {color} box of image 1? Reply in JSON with bbox_2d as [left, top, right, bottom].",
        "An object is marked by a {color} box in the first image. Draw a box around it in the second, of {size} pixels: JSON with bbox_2d [left, top, right, bottom].",
        "Locate in the second image ({size} pixels) what the {color} box shows in the first. Return JSON, bbox_2d: left, top, right and bottom pixel.",
    ),
    "same_object": (
        "Do the {color_1} box in the first image and the {color_2} box in the second mark the same object?",
        "Is the object in the {color_1} box of image 1 the one in the {color_2} box of image 2?",
        "Do both boxes, {color_1} in the first image and {color_2} in the second, show one and the same object?",
        "Has the object of the {color_1} box in image 1 been marked again by the {color_2} box in image 2?",
        "Is what the {color_1} box contains in the first image the same thing as what the {color_2} box contains in the second?",
        "Two boxes are drawn, a {color_1} one in image 1 and a {color_2} one in image 2. Do they belong to the same object?",
    ),
}
