"""One sample as the model will see it once: the hand-over from reading to packing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question about some pictures of an example, in words only.

    views: positions in the example's pictures, in the order the asker sees them. text: all the model reads after the
    pictures, with the options as lines below and drawn marks described in words.
    """

    qa: str  # QA.id
    task: str
    format: str
    views: tuple[int, ...]
    text: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Example:
    """One sample after choosing, resizing and augmenting: V pictures, P points, O objects. Fields as in `Batch`.

    Pictures, points, objects and phrases are numbered within the example. A question whose `views` are all
    pictures in order belongs to the scene group, those with other equal `views` share a group of their own.
    Layers that no enabled objective needs are None.
    """

    key: str
    questions: tuple[Question, ...]
    phrases: tuple[str, ...] = ()

    images: UInt8[Array, "V H W 3"]
    K: Float32[Array, "V 3 3"]
    cam2first: Float32[Array, "V 4 4"]
    input_depth: Float32[Array, "V H W"] | None = None
    input_normal: Float32[Array, "V H W 3"] | None = None
    geometry_given: Bool[Array, " V"] | None = None
    depth: Float32[Array, "V H W"] | None = None
    normal: Float32[Array, "V H W 3"] | None = None
    instance: Int32[Array, "V H W"] | None = None
    teacher: Float32[Array, "V M h w C"] | None = None

    point_first: Float32[Array, "P 3"] | None = None
    point_instance: Int32[Array, " P"] | None = None
    seen_point: Int64[Array, " R"] | None = None
    seen_image: Int64[Array, " R"] | None = None
    seen_pixel: Float32[Array, "R 2"] | None = None

    object_instance: Int32[Array, " O"] | None = None
    object_box_first: Float32[Array, "O 15"] | None = None
    object_phrase: Int64[Array, " O"] | None = None  # row of phrases, -1 = none
    relation_objects: Int64[Array, "Q 2"] | None = None
    relation_phrase: Int64[Array, " Q"] | None = None  # row of phrases
    relation_inverse: Int64[Array, " Q"] | None = None
