"""Pictures, their geometry and words -> what the model takes, as a transformers processor.

Pictures are resized by OpenCV; torchvision is not needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from transformers import AutoProcessor, BatchFeature, ProcessorMixin
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.data.images import whole
from gapmodel.data.prompt import CHAT_TEMPLATE, IMAGE
from gapmodel.patches import patch_grid, patchify

Array = np.ndarray


class GapProcessor(ProcessorMixin):
    """Prompts with pictures, which may bring depth, normals, intrinsics and poses.

    image_size: (height, width) that pictures are brought to; None keeps their size, rounded to whole visual tokens.
    Loads from a folder that it saved and from a Qwen3-VL checkpoint, whose tokenizer it takes.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        image_size: Sequence[int] | None = None,
        patch_size: int = 16,
        merge_size: int = 2,
        temporal_patch_size: int = 2,
        chat_template: str | None = None,
    ) -> None:
        self.image_size = None if image_size is None else tuple(int(side) for side in image_size)
        self.patch_size, self.merge_size = patch_size, merge_size
        self.temporal_patch_size = temporal_patch_size
        self.image_token = IMAGE
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE)
        # A checkpoint's own template does not name the pictures, and questions refer to them.
        super().__init__(tokenizer, chat_template=CHAT_TEMPLATE)
        side = self.token_size
        if self.image_size is not None and any(n < side or n % side for n in self.image_size):
            raise ConfigError(
                f"image_size {self.image_size}: expected height and width in multiples of {side}"
            )

    @property
    def token_size(self) -> int:
        """Pixels that one visual token spans in each direction."""
        return self.patch_size * self.merge_size

    def shown_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) that pictures of a size are brought to."""
        if self.image_size is not None:
            return self.image_size[0], self.image_size[1]
        height, width = (max(1, round(side / self.token_size)) * self.token_size for side in size)
        return height, width

    def __call__(
        self,
        images: Sequence[UInt8[Array, "H W 3"]] | None = None,
        text: str | Sequence[str] | None = None,
        *,
        depth: Sequence[Float32[Array, "H W"]] | None = None,
        normal: Sequence[Float32[Array, "H W 3"]] | None = None,
        K: Sequence[Float32[Array, "3 3"]] | None = None,
        cam2first: Sequence[Float32[Array, "4 4"]] | None = None,
        **unused: Any,
    ) -> BatchFeature:
        """Tensors for `GapModel.forward` and `generate`; prompts are padded on the left.

        images: RGB pictures of all prompts in order, arrays or PIL images of one size; their places in the text
        are `<|image_pad|>` (see `apply_chat_template`). depth (metres, 0 unknown), normal (camera axes, 0 unknown) and
        K are of the pictures' own size; depth or normals need K. Raises ConfigError for pictures of
        different sizes, geometry that does not fit them, or another number of pictures than the prompts show.
        """
        prompts = [text] if isinstance(text, str) else list(text or [])
        pictures = [np.asarray(image) for image in (images if images is not None else [])]
        data: dict[str, Any] = {}
        tokens = 0
        if pictures:
            given = {"depth": depth, "normal": normal, "K": K, "cam2first": cam2first}
            data = self._pictures(
                pictures, {name: layers for name, layers in given.items() if layers is not None}
            )
            tokens = int(data["image_grid_thw"][0].prod()) // self.merge_size**2
        shown = sum(prompt.count(IMAGE) for prompt in prompts)
        if prompts and shown != len(pictures):
            raise ConfigError(f"the prompts show {shown} pictures, {len(pictures)} are given")
        if prompts:
            words = self.tokenizer(
                [prompt.replace(IMAGE, IMAGE * tokens) for prompt in prompts],
                add_special_tokens=False,
                padding=True,
                padding_side="left",
                return_tensors="pt",
            )
            ids = words["input_ids"]
            data |= {
                "input_ids": ids,
                "attention_mask": words["attention_mask"],
                "mm_token_type_ids": (ids == self.image_token_id).to(torch.int64),
            }
        return BatchFeature(data)

    def _pictures(
        self, pictures: list[UInt8[Array, "H W 3"]], given: dict[str, Sequence[Array]]
    ) -> dict[str, torch.Tensor]:
        size = pictures[0].shape[:2]
        for picture in pictures:
            if picture.dtype != np.uint8 or picture.shape != (*size, 3):
                raise ConfigError(
                    f"expected RGB pictures of one size, found {pictures[0].dtype} {pictures[0].shape} "
                    f"and {picture.dtype} {picture.shape}"
                )
        window = whole(size, self.shown_size(size))
        images = torch.from_numpy(np.stack([window.rgb(picture) for picture in pictures]))
        data = {
            "pixel_values": patchify(
                images,
                patch=self.patch_size,
                merge=self.merge_size,
                frames=self.temporal_patch_size,
            ),
            "image_grid_thw": patch_grid(
                len(images), *window.shown, self.patch_size, images.device
            ).clone(),
        }
        if "K" not in given and given:
            raise ConfigError(f"{', '.join(given)} without K: geometry needs the intrinsics")
        shapes = {"depth": size, "normal": (*size, 3), "K": (3, 3), "cam2first": (4, 4)}
        for name, layers in given.items():
            found = [np.shape(layer) for layer in layers]
            if found != [shapes[name]] * len(pictures):
                raise ConfigError(
                    f"{name}: expected {len(pictures)} of shape {shapes[name]}, found {found}"
                )
            change: Any = {"K": window.intrinsics, "cam2first": np.asarray}.get(
                name, window.nearest
            )
            exact = np.float64 if name == "K" else np.float32
            key = name if name in ("K", "cam2first") else f"input_{name}"
            stacked = np.stack([change(np.asarray(layer, exact)) for layer in layers])
            data[key] = torch.from_numpy(np.ascontiguousarray(stacked, np.float32))
        return data

    def post_process_image_text_to_text(
        self, generated_outputs: torch.Tensor, skip_special_tokens: bool = True, **unused: Any
    ) -> list[str]:
        """The words of generated tokens."""
        return self.tokenizer.batch_decode(
            generated_outputs, skip_special_tokens=skip_special_tokens
        )


AutoProcessor.register(GapConfig, GapProcessor, exist_ok=True)
