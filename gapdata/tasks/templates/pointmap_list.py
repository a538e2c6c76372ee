"""The words of questions about the positions of several pixels; see the package for the slots."""

from __future__ import annotations

TEMPLATES: dict[str, tuple[str, ...]] = {
    "pointmap_list": (
        "What is at {spots}, and where in space? Answer with a JSON list, one object a line, of label and point_3d = [x, y, z] in metres in the frame of {camera} (x right, y down, z forward).",
        "Give label and point_3d of the surface seen at {spots} as a JSON list: [x, y, z] in metres, with x right, y down, z forward from {camera}.",
        "For {spots} return JSON rows with the label of what is shown there and its position point_3d [x, y, z] in the frame of {camera} (x right, y down, z forward, metres).",
        "Reconstruct the scene at {spots}: a JSON list of label and point_3d in the coordinates of {camera}, x to the right, y down and z forward, in metres.",
        "Which surfaces are shown at {spots}, and what are their 3D coordinates? JSON with label and point_3d = [x, y, z], metres, frame of {camera}: x right, y down, z forward.",
        "List label and 3D position of {spots}, as JSON rows with label and point_3d [x, y, z] in metres relative to {camera} (x right, y down, z forward).",
    ),
}
