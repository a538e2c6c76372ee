"""The training record: views, instances, points, questions. Owns the schema version and the answer formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, UInt8, UInt16

from gapdata.scene import Instance
from gapdata.view import View

Array = np.ndarray

SCHEMA_VERSION = 1

# Answer formats and the Python type of a QA's `value` in each.
FORMATS: Mapping[str, str] = {
    "number": "float: the quantity in `unit`",
    "choice": "str: the right one of `choices`, as written there",
    "yesno": "bool",
    "text": "str: words or fenced JSON",
    "point": "list of 3 floats: x, y, z in metres in `frame`",
    "box": "dict: view (int) and bbox_3d (9 floats: center, size, zxy Euler angles in radians) in `frame`",
    "pixel": "list of 2 floats: u, v in pixels of the first of `views`",
    "list": "list of dicts: label (str) and bbox_3d (9 floats) in `frame`",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QA:
    """One question with its answer. The fact comes first; the wording was made from it, last.

    views: positions in the sample's views that the question is about, in the order the asker sees them.
    frame: the frame of directions and coordinates: "" (none), "viewer", "world", "object" or "first_view".
    value: typed truth, see FORMATS. margin: distance to the nearest decision boundary in `unit` of the
    measured fact (0 for free-valued answers, which have none). evidence: measured quantities and
    thresholds. markers: what to draw on which view to make the question understandable.
    """

    id: str
    task: str
    format: str
    views: tuple[int, ...]
    frame: str
    question: str
    answer: str
    value: Any
    unit: str = ""
    choices: tuple[str, ...] = ()
    objects: tuple[int, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    margin: float = 0.0
    template: str = ""
    markers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Visibility:
    """How much of each instance each view shows. Rows follow the views, columns follow `ids`.

    With A = amodal pixels inside and outside the image: visible = seen / A, truncated = outside / A,
    occluded = hidden by something else / A; what is left to 1 fell into sensor holes. All 0 when A = 0.
    """

    ids: Int32[Array, " N"]
    pixels: Int32[Array, "V N"]
    visible: Float32[Array, "V N"]
    truncated: Float32[Array, "V N"]
    occluded: Float32[Array, "V N"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScenePoints:
    """Surface points of the scene and where each view sees them. NaN pixel = behind the camera."""

    xyz_world: Float32[Array, "N 3"]
    rgb: UInt8[Array, "N 3"]
    normal_world: Float32[Array, "N 3"]
    instance: UInt16[Array, " N"]
    pixel: Float32[Array, "V N 2"]
    visible: UInt8[Array, "V N"]  # 0 hidden, 1 seen, 2 unknown


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """One training record: V views of one scene with everything asked about them."""

    key: str
    source: str
    scene_id: str
    split: str
    world_frame: str
    views: tuple[View, ...]
    instances: tuple[Instance, ...]
    visibility: Visibility
    points: ScenePoints
    qa: tuple[QA, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)
