"""The words of questions about grounding; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "detect_objects": (
        "Detect all objects {in_views}. For each give label and bbox_3d = [x, y, z, dx, dy, dz, rz, rx, ry] in the frame of {camera} (x right, y down, z forward), in metres and radians (extrinsic zxy angles), as a JSON list.",
        "List every object that {views} {show_views}, as JSON with label and bbox_3d: center (3), size (3) and extrinsic zxy Euler angles (3), in metres and radians, in the frame of {camera} (x right, y down, z forward).",
        "Find the 3D bounding boxes of all objects {in_views}. Return a JSON list of label and bbox_3d [x, y, z, dx, dy, dz, rz, rx, ry] relative to {camera} (x right, y down, z forward; metres, radians, extrinsic zxy).",
        "Which objects are there {in_views}, and where? Answer with a JSON list; each row has label and bbox_3d (center, size, zxy angles) in the frame of {camera}: x right, y down, z forward, metres and radians.",
        "Give a 9-DoF box for each object {in_views}: JSON rows with label and bbox_3d = center, size, extrinsic zxy angles, in metres and radians, with x right, y down, z forward from {camera}.",
        "Output label and bbox_3d of all objects visible {in_views} as a JSON list. bbox_3d holds [x, y, z, dx, dy, dz, rz, rx, ry] in the frame of {camera} (x right, y down, z forward, metres; extrinsic zxy angles in radians).",
    ),
    "ground_object_box": (
        "Find {the_x}. Answer in JSON with view, the number of the image that shows it best, counting from 0, and bbox_3d = [x, y, z, dx, dy, dz, rz, rx, ry] in the frame of {camera} (x right, y down, z forward; metres, radians, extrinsic zxy).",
        "In which image {is_x} {the_x} seen best, and where in space? Return JSON: view (the image's number, counting from 0) and bbox_3d as center, size and extrinsic zxy angles in the frame of {camera} (x right, y down, z forward), in metres and radians.",
        "Locate {the_x} {in_views}. JSON with view (number of the image with the best view of it, counting from 0) and bbox_3d (center, size, extrinsic zxy angles; metres and radians) relative to {camera}: x right, y down, z forward.",
        "Ground this description: {the_x}. Give view, the best image's number, counting from 0, and bbox_3d [x, y, z, dx, dy, dz, rz, rx, ry] in metres and radians (extrinsic zxy) in the frame of {camera} (x right, y down, z forward), as JSON.",
        "Where {is_x} {the_x}? Reply with JSON: first view, the image that shows most of it by number, counting from 0, then bbox_3d = center, size, extrinsic zxy angles in the frame of {camera} (x right, y down, z forward, metres, radians).",
        "Give the 9-DoF box of {the_x} as bbox_3d in the frame of {camera} (x right, y down, z forward; center and size in metres, extrinsic zxy angles in radians) and, as view, the number of the image in which most of it is seen, counting from 0. Use JSON.",
    ),
    "ground_object_pixel": (
        "Point at {the_x}: give one pixel [u, v] on it in this {size} image.",
        "Where in this image ({size} pixels) {is_x} {the_x}? Answer with a pixel [u, v] that lies on it.",
        "Which pixel [u, v] of this {size} image shows {the_x}? One is enough.",
        "Give the coordinates [u, v] of a pixel inside {the_x}. The image has {size} pixels.",
        "Click on {the_x} in this {size} image: [u, v].",
        "Name a pixel [u, v] that belongs to {the_x} in this image of {size} pixels.",
    ),
}
