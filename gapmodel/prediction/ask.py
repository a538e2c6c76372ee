"""Pictures and a question in, an answer and what the heads see out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from gapdata.errors import ConfigError
from gapdata.geometry.camera import intrinsics
from gapdata.geometry.depth import normals_from_depth
from gapmodel.data.batch import Batch
from gapmodel.data.collate import collate
from gapmodel.data.example import Example
from gapmodel.data.images import whole
from gapmodel.data.prompt import question_text
from gapmodel.generation import Prefixes, Row
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.loading import Trained
from gapmodel.predicted import Predicted, predict_heads

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shown:
    """Pictures for a model, and the geometry that is known of them.

    K: intrinsics in pixels of the pictures. depth: z-depth in metres, 0 unknown, an input of the model. cam2first: poses
    in the first picture's camera frame; several pictures with depth need them.
    """

    pictures: Sequence[UInt8[Array, "H W 3"]]
    K: Sequence[Float[Array, "3 3"]] | None = None
    depth: Sequence[Float32[Array, "H W"]] | None = None
    cam2first: Sequence[Float[Array, "4 4"]] | None = None

    def __post_init__(self) -> None:
        count = len(self.pictures)
        if not count:
            raise ConfigError("no pictures: expected one or more")
        for name in ("K", "depth", "cam2first"):
            given = getattr(self, name)
            if given is not None and len(given) != count:
                raise ConfigError(
                    f"{name}: expected one for each of {count} pictures, found {len(given)}"
                )
        if self.depth is None:
            return
        if self.K is None:
            raise ConfigError("depth without intrinsics: give --intrinsics fx,fy,cx,cy as well")
        if count > 1 and self.cam2first is None:
            raise ConfigError(f"depth of {count} pictures without poses: give --poses as well")
        for number, (picture, depth) in enumerate(
            zip(self.pictures, self.depth, strict=True), start=1
        ):
            if picture.shape[:2] != depth.shape:
                raise ConfigError(
                    f"picture {number}: expected depth of its size {picture.shape[:2]}, found {depth.shape}"
                )


def shown_batch(trained: Trained, shown: Shown) -> Batch:
    """The pictures at the model's size as a batch of one sample without questions."""
    sizes = [picture.shape[:2] for picture in shown.pictures]
    targets = {trained.processor.shown_size((height, width)) for height, width in sizes}
    if len(targets) != 1:
        raise ConfigError(
            f"pictures of sizes {sorted(set(sizes))}: this model needs pictures of one size"
        )
    target = targets.pop()
    windows = [whole((height, width), target) for height, width in sizes]
    images = np.stack(
        [window.rgb(picture) for window, picture in zip(windows, shown.pictures, strict=True)]
    )
    count = len(images)
    K = np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
    if shown.K is not None:
        K = np.stack(
            [w.intrinsics(np.asarray(k, np.float64)) for w, k in zip(windows, shown.K, strict=True)]
        )
    poses = np.tile(np.eye(4, dtype=np.float32), (count, 1, 1))
    if shown.cam2first is not None:
        poses = np.stack([np.asarray(pose, np.float32) for pose in shown.cam2first])
    given: dict[str, Any] = {}
    if shown.depth is not None:
        depth = np.stack([w.nearest(d) for w, d in zip(windows, shown.depth, strict=True)])
        normal = np.stack([normals_from_depth(d, k) for d, k in zip(depth, K, strict=True)])
        given = {
            "input_depth": depth,
            "input_normal": normal.astype(np.float32),
            "geometry_given": np.ones(count, bool),
        }
    example = Example(
        key="pictures",
        questions=(),
        images=images,
        K=K.astype(np.float32),
        cam2first=poses,
        **given,
    )
    return collate([example], trained.prompt(target)).to(trained.device)


@torch.no_grad()
def see(trained: Trained, batch: Batch) -> Predicted:
    """What the dense heads see in a batch; all None for a model without heads."""
    if not len(trained.model.heads):
        return Predicted()
    return predict_heads(trained.root, trained.root.features(batch), batch)


def ask(trained: Trained, batch: Batch, questions: Sequence[str], max_new_tokens: int) -> list[str]:
    """The replies to questions about all pictures of a batch of one sample."""
    if not questions:
        return []
    height, width = batch.images.shape[1:3]
    prompt = trained.prompt((height, width))
    given = batch.input_depth is not None
    geometry = GeometryInput.from_batch(batch) if given else None
    prefixes = Prefixes(
        trained.model, prompt, batch.images, geometry, [tuple(range(len(batch.images)))]
    )
    rows = [
        Row(prefix=0, question=ids) for ids in prompt.tokens([question_text(q) for q in questions])
    ]
    return [
        prompt.tokenizer.decode(reply, skip_special_tokens=True)
        for reply in prefixes.answer(rows, max_new_tokens)
    ]


def cameras_of(
    predicted: Predicted, size: tuple[int, int], given: Sequence[Float[Array, "3 3"]] | None
) -> list[Float[Array, "3 3"]] | None:
    """Intrinsics in pixels of pictures of a size (height, width): those given, else from the predicted fields of view."""
    if given is not None:
        return [np.asarray(K, np.float64) for K in given]
    if predicted.fov is None:
        return None
    height, width = size
    return [
        intrinsics(
            0.5 * width / np.tan(0.5 * x),
            0.5 * height / np.tan(0.5 * y),
            0.5 * (width - 1),
            0.5 * (height - 1),
        )
        for x, y in predicted.fov.astype(np.float64)
    ]


def at_size(array: Float[Array, "H W *c"], size: tuple[int, int]) -> Float[Array, "h w *c"]:
    """A predicted map at another size (height, width), linear between pixels."""
    if array.shape[:2] == size:
        return array
    return cv2.resize(array, size[::-1], interpolation=cv2.INTER_LINEAR)
