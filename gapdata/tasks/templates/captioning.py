"""The words of questions about descriptions of objects; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "describe_object_marked": (
        "Describe {what}: what it is, how tall and wide it is, and where it is from something near it.",
        "Write a caption for {what}, with its height, its width and the distance to something near it, in metres.",
        "What is {what}? Describe it with its size and its place next to another object, in metres.",
        "Give a short description of {what}: name, height and width in metres, and how far it is from another object.",
        "Caption {what} in one or two sentences with sizes and distances in metres.",
        "In metres where needed, say what {what} is, how large it is, and how it lies to an object near it.",
    ),
    "describe_object_box": (
        "Describe {what} (center, size, extrinsic zxy angles in the camera's frame: x right, y down, z forward; metres, radians): what it is, its height and width, and where it is from something near it.",
        "Write a caption for {what}, given in the camera's frame (x right, y down, z forward; center and size in metres, extrinsic zxy angles in radians), with its height, its width and the distance to something near it.",
        "What is {what}? The box has center, size (metres) and extrinsic zxy angles (radians) in camera axes x right, y down, z forward. Describe the object with its size and its place next to another one.",
        "Give a short description of {what} in the frame of the camera (x right, y down, z forward, metres, extrinsic zxy radians): name, height, width, and how far it is from another object.",
        "Caption {what} in one or two sentences with sizes and distances in metres. The box is center, size and extrinsic zxy angles (radians) with x right, y down, z forward from the camera.",
        "Say what {what} is, how large it is, and how it lies to an object near it. The box is in camera axes (x right, y down, z forward): center and size in metres, extrinsic zxy angles in radians.",
    ),
    "refer_to_object_name": (
        "Which box marks {the_x}?",
        "Several objects are marked by boxes. Which box is around {the_x}?",
        "In which of the drawn boxes {is_x} {the_x}?",
        "Find {the_x} among the marked objects: which box?",
        "Which of the coloured boxes belongs to {the_x}?",
        "One of the boxes shows {the_x}. Which colour has it?",
    ),
    "refer_to_object_nearest": (
        "Which box marks the object that is closest to {the_x}?",
        "Of the objects marked by boxes, which one is nearest to {the_x}?",
        "Which of the boxed objects has the shortest distance to {the_x}, from surface to surface?",
        "Among the marked objects, which box holds the one nearest to {the_x}?",
        "Find the marked object with the smallest gap to {the_x}: which box?",
        "Measured between surfaces, the object in which box is closest to {the_x}?",
    ),
    "refer_to_object_farthest": (
        "Which box marks the object that is farthest from {the_x}?",
        "Of the objects marked by boxes, which one is farthest away from {the_x}?",
        "Which of the boxed objects has the longest distance to {the_x}, from surface to surface?",
        "Among the marked objects, which box holds the one farthest from {the_x}?",
        "Find the marked object with the largest gap to {the_x}: which box?",
        "Measured between surfaces, the object in which box is farthest from {the_x}?",
    ),
}
