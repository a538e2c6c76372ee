"""One packed micro-batch: a row of tokens, the pictures it looks at and the geometry they show."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One question of a packed row: tokens `start` to `end`, its answer supervised."""

    key: str  # of the sample
    qa: str  # QA.id
    task: str
    format: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """A packed micro-batch. L tokens, B picture blocks, I pictures of S samples, P points, O objects.

    Tokens. A *group* is a run of tokens that share a prefix: the prefix holds the picture blocks of some
    views of one sample (`branch_ids` 0), each branch after it one question with its answer (1, 2, ...). A token
    attends to earlier tokens of its group that are in the prefix or in its own branch, to nothing else. Every
    sample has one *scene group*, whose prefix shows all its pictures in order; questions on fewer or
    reordered views have groups of their own, which reuse the pictures. A *phrase* is a group without
    pictures. Padding has group -1.

    Frames. `cam2first` and everything called `_first` are in the OpenCV camera frame of the sample's
    first picture, in metres. Pixels follow gapdata: (0, 0) is the centre of the first pixel.
    Layers that no enabled objective needs are None.
    """

    input_ids: Int64[Tensor, " L"]
    labels: Int64[Tensor, " L"]  # aligned with input_ids, -100 where nothing is supervised
    position_ids: Int64[Tensor, "3 L"]  # M-RoPE: time, height, width; restart in each group
    group_ids: Int32[Tensor, " L"]
    branch_ids: Int32[Tensor, " L"]
    block_image: Int64[Tensor, " B"]  # picture of each block, in order of the row
    block_start: Int64[Tensor, " B"]  # place of each block's first picture token in the row
    scene_block: Int64[Tensor, " I"]  # each picture's block in its sample's scene group
    branches: tuple[Branch, ...]

    sample_keys: tuple[str, ...]
    image_sample: Int64[Tensor, " I"]
    images: UInt8[Tensor, "I H W 3"]
    K: Float32[Tensor, "I 3 3"]
    cam2first: Float32[Tensor, "I 4 4"]
    # Geometry as an input: what the geometry encoder sees (noisy, or zeros where `geometry_given` is False).
    input_depth: Float32[Tensor, "I H W"] | None = None
    input_normal: Float32[Tensor, "I H W 3"] | None = None
    geometry_given: Bool[Tensor, " I"] | None = None
    # Geometry as truth.
    depth: Float32[Tensor, "I H W"] | None = None  # metres, 0 = unknown
    normal: Float32[Tensor, "I H W 3"] | None = None  # camera axes, zeros = unknown
    instance: Int32[Tensor, "I H W"] | None = None  # 0 = none
    teacher: Float32[Tensor, "I M h w C"] | None = (
        None  # features of a frozen 3D encoder at M levels
    )

    point_sample: Int64[Tensor, " P"] | None = None
    point_first: Float32[Tensor, "P 3"] | None = None
    point_instance: Int32[Tensor, " P"] | None = None
    # One row for each point and each picture of its sample that shows it.
    seen_point: Int64[Tensor, " R"] | None = None
    seen_image: Int64[Tensor, " R"] | None = None
    seen_pixel: Float32[Tensor, "R 2"] | None = None

    object_sample: Int64[Tensor, " O"] | None = None
    object_instance: Int32[Tensor, " O"] | None = None
    object_box_first: Float32[Tensor, "O 15"] | None = None  # center, size, rotation row by row
    object_phrase: Int64[Tensor, " O"] | None = None  # row of phrase_token, -1 = none
    # Relations: object a to object b holds the phrase, and not the inverse one.
    relation_objects: Int64[Tensor, "Q 2"] | None = None
    relation_phrase: Int64[Tensor, " Q"] | None = None
    relation_inverse: Int64[Tensor, " Q"] | None = None
    phrase_token: Int64[Tensor, " T"] | None = None  # place of each phrase's last token in the row

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The same batch with its tensors on a device."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory. The name is what torch's DataLoader calls."""
        return self._with(lambda tensor: tensor.pin_memory())

    def _with(self, change: object) -> Batch:
        assert callable(change)
        return replace(
            self,
            **{
                field.name: change(value)
                for field in fields(self)
                if isinstance(value := getattr(self, field.name), Tensor)
            },
        )
