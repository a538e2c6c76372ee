"""The words of questions about points; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "pointmap": (
        "What is the 3D position of {spot}, which shows {an_x}? Answer with [x, y, z] in metres in the frame of {camera} (x right, y down, z forward).",
        "{spot} lies on {an_x}. Give its [x, y, z] coordinates in metres in the frame of {camera} (x right, y down, z forward).",
        "Where in space is the surface point at {spot} (part of {an_x})? Use the frame of {camera} (x right, y down, z forward) and answer [x, y, z] in metres.",
        "Locate {spot}, on {an_x}, in 3D: [x, y, z] in metres, with x right, y down and z forward from {camera}.",
        "Give the point in space seen at {spot}, where there is {an_x}, as [x, y, z] in metres relative to {camera} (x right, y down, z forward).",
        "In the frame of {camera} (x right, y down, z forward, metres), which [x, y, z] does {spot} show? It is on {an_x}.",
    ),
    "point_depth_order_nearest": (
        "Which of the marked points is nearest to the camera?",
        "Of the coloured points in this image, which one is closest to the camera?",
        "Several points are marked in this image. Which is the least distance from the camera?",
        "Which coloured point has the smallest depth?",
        "Compare the marked points: which one lies closest to the viewer?",
        "Looking at the marked points, which is the nearest?",
    ),
    "point_depth_order_farthest": (
        "Which of the marked points is farthest from the camera?",
        "Of the coloured points in this image, which one is most distant from the camera?",
        "Several points are marked in this image. Which is the greatest distance from the camera?",
        "Which coloured point has the largest depth?",
        "Compare the marked points: which one lies farthest from the viewer?",
        "Looking at the marked points, which is the farthest away?",
    ),
}
