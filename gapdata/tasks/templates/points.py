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
    "point_depth": (
        "What is the depth of {spot}, in metres along the viewing direction of {camera}?",
        "How many metres is the point at {spot} from {camera}, measured along the viewing direction?",
        "How deep in the scene is the point at {spot}? Give its depth along the viewing direction of {camera} in metres.",
        "Estimate the z-depth in metres, seen from {camera}, of the surface point at {spot}.",
        "Along the direction in which {camera} looks, how far away is {spot}? Answer in metres.",
        "Give the depth in metres of what {spot} shows: its distance from {camera} along the optical axis.",
    ),
    "pixel_correspondence_choice": (
        "Image 1 has a {color} cross on one point. Which of the points marked in image 2 is the same point of the scene?",
        "Which marked point of image 2 lies at the same place in space as the {color} cross of image 1?",
        "The {color} cross in image 1 marks a surface point. Which of the coloured points in image 2 shows it again?",
        "Find the point under the {color} cross of image 1 in image 2: which of the marked points is it?",
        "Both images show the same scene. Which coloured point in image 2 matches the {color} cross in image 1?",
        "Match the {color} cross of image 1 to one of the points marked in image 2.",
    ),
    "pixel_correspondence_pixel": (
        "At which pixel [u, v] of image 1 ({size} pixels) is the surface point that {spot} shows?",
        "{spot} shows a point of the scene. Where is the same point in image 1? Answer with a pixel [u, v]; image 1 has {size} pixels.",
        "Find the point at {spot} in image 1, which has {size} pixels. Give its pixel [u, v] there.",
        "Which pixel [u, v] of image 1 shows the same place in space as {spot}? Image 1 has {size} pixels.",
        "Match {spot} to image 1 ({size} pixels): give the pixel [u, v] with the same point of the scene.",
        "Image 1 ({size} pixels) sees the same point as {spot}. At which pixel [u, v]?",
    ),
}
