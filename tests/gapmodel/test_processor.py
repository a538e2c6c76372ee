from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from gapdata.errors import ConfigError
from gapdata.geometry.camera import resize_intrinsics
from gapmodel.data.prompt import answer_text, prefix_text, question_text
from gapmodel.presets import preset_config, use_tokenizer
from gapmodel.processor import GapProcessor
from gapmodel.tokenizer import train_tokenizer
from tests.gapmodel.batches import GapModel

# What the hub's Qwen3-VL checkpoints say in preprocessor_config.json.
HUB = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["How far is the chair? 2.35 m", "Is it red? Yes"] * 3, 340)


@pytest.fixture(scope="module")
def processor(tokenizer):
    return GapProcessor(tokenizer)


def pictures(count: int, size: tuple[int, int] = (64, 96), seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for _ in range(count)]


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (32, 32), (160, 128)])
def test_patches_are_those_of_the_hubs_processor(processor, size):
    images = pictures(3, size)
    hub = Qwen2VLImageProcessorPil(**HUB)
    expected = hub(images=[Image.fromarray(image) for image in images], do_resize=False)
    mine = processor(images=images)
    assert mine["image_grid_thw"].tolist() == expected["image_grid_thw"].tolist()
    np.testing.assert_allclose(
        mine["pixel_values"].numpy(), expected["pixel_values"], rtol=0, atol=1e-6
    )


def test_pictures_come_to_the_set_size(tokenizer):
    processor = GapProcessor(tokenizer, image_size=(64, 96))
    flat = np.full((120, 200, 3), (10, 120, 250), np.uint8)
    data = processor(images=[flat])
    assert data["image_grid_thw"].tolist() == [[1, 4, 6]]
    colours = data["pixel_values"].view(24, 3, 2, 256)
    for channel, value in enumerate((10, 120, 250)):
        assert torch.allclose(colours[:, channel], torch.tensor(value / 127.5 - 1), atol=1e-6)


@pytest.mark.parametrize(
    ("size", "shown"), [((64, 96), (64, 96)), ((60, 100), (64, 96)), ((5, 47), (32, 32))]
)
def test_without_a_size_pictures_keep_theirs_in_whole_tokens(processor, size, shown):
    data = processor(images=pictures(2, size))
    assert data["image_grid_thw"].tolist() == [[1, shown[0] // 16, shown[1] // 16]] * 2


def test_a_size_of_no_whole_tokens_is_refused(tokenizer):
    with pytest.raises(ConfigError, match=r"image_size \(100, 96\): expected .* multiples of 32"):
        GapProcessor(tokenizer, image_size=(100, 96))


def test_a_prompt_is_what_training_sees(processor, tokenizer):
    text = prefix_text(2) + question_text("How far is the chair?")
    data = processor(images=pictures(2), text=text)
    whole = prefix_text(2, 6) + question_text("How far is the chair?")
    assert data["input_ids"][0].tolist() == tokenizer(whole)["input_ids"]
    message = {
        "role": "user",
        "content": [
            {"type": "image"},
            {"type": "image"},
            {"type": "text", "text": "How far is the chair?"},
        ],
    }
    assert processor.apply_chat_template([message], add_generation_prompt=True) == text
    assert (data["mm_token_type_ids"] == 1).sum() == 12


def test_prompts_are_padded_on_the_left(processor, tokenizer):
    texts = [question_text("How far is the chair?"), question_text("Is it red?")]
    data = processor(text=texts)
    assert data["attention_mask"][0].all()
    padding = int((data["attention_mask"][1] == 0).sum())
    assert padding > 0
    assert (data["input_ids"][1, :padding] == tokenizer.pad_token_id).all()


def test_geometry_is_brought_to_the_shown_size(tokenizer):
    processor = GapProcessor(tokenizer, image_size=(64, 96))
    height, width = 128, 192
    depth = (np.arange(height)[:, None] * 1000 + np.arange(width)).astype(np.float32)
    normal = np.tile(np.array([0, 0.6, -0.8], np.float32), (height, width, 1))
    K = np.array([[150, 0, 95.5], [0, 150, 63.5], [0, 0, 1]])
    data = processor(
        images=pictures(1, (height, width)),
        depth=[depth],
        normal=[normal],
        K=[K],
        cam2first=[np.eye(4, dtype=np.float32)],
    )
    shown = data["input_depth"][0].numpy()
    assert shown.shape == (64, 96)
    assert np.isin(shown, depth).all()  # never blended
    rows, columns = np.divmod(shown, 1000)
    assert np.abs(rows - (2 * np.arange(64)[:, None] + 0.5)).max() <= 0.5
    assert np.abs(columns - (2 * np.arange(96)[None] + 0.5)).max() <= 0.5
    np.testing.assert_allclose(data["K"][0], resize_intrinsics(K, 0.5, 0.5), rtol=1e-6)
    np.testing.assert_array_equal(data["input_normal"][0, 5, 7], normal[0, 0])
    assert data["cam2first"].shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": [*pictures(1), *pictures(1, (32, 96))]}, "RGB pictures of one size"),
        ({"images": [pictures(1)[0][..., 0]]}, "RGB pictures of one size"),
        ({"images": [pictures(1)[0].astype(np.float32)]}, "RGB pictures of one size"),
        ({"images": pictures(1), "text": "no picture"}, "show 0 pictures, 1 are given"),
        ({"text": prefix_text(2)}, "show 2 pictures, 0 are given"),
        ({"images": pictures(1), "depth": [np.ones((64, 96))]}, "depth without K"),
        (
            {"images": pictures(1), "K": [np.eye(3)], "depth": [np.ones((9, 9))]},
            "depth: expected 1 of shape",
        ),
        ({"images": pictures(2), "K": [np.eye(3)]}, "K: expected 2 of shape"),
    ],
)
def test_input_that_does_not_fit_is_refused(processor, given, message):
    with pytest.raises(ConfigError, match=message):
        processor(**given)


def test_a_saved_processor_is_the_same(tokenizer, tmp_path):
    processor = GapProcessor(tokenizer, image_size=(64, 96))
    config = preset_config("tiny")
    use_tokenizer(config, tokenizer)
    config.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert type(again) is GapProcessor
    assert again.image_size == (64, 96)
    given = {
        "images": pictures(2, (100, 120)),
        "text": prefix_text(2) + question_text("How far is the chair?"),
    }
    first, second = processor(**given), again(**given)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_hub_checkpoint_gives_its_tokenizer(tokenizer, tmp_path):
    """The hub stores Qwen3-VL's own processor settings, which need torchvision; only its tokenizer is taken."""
    tokenizer.save_pretrained(tmp_path)
    Qwen2VLImageProcessorPil(**HUB).save_pretrained(tmp_path)
    text = (tmp_path / "preprocessor_config.json").read_text()
    (tmp_path / "preprocessor_config.json").write_text(
        text.replace("Qwen2VLImageProcessorPil", "Qwen2VLImageProcessorFast")
    )
    (tmp_path / "chat_template.json").write_text('{"chat_template": "another"}')
    processor = GapProcessor.from_pretrained(tmp_path, image_size=(64, 96))
    assert processor.image_size == (64, 96)
    assert processor.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert "Image " in processor.chat_template


def test_processor_and_model_fit(processor, tokenizer):
    """A prompt goes through generate and comes back as words."""
    torch.manual_seed(0)
    config = preset_config("tiny", tokenizer=tokenizer, geometry={"kind": "depth_normal"})
    model = GapModel(config).eval()
    data = processor(
        images=pictures(2),
        text=prefix_text(2) + question_text("How far is the chair?"),
        depth=[np.ones((64, 96), np.float32)] * 2,
        K=[np.diag([80, 80, 1.0])] * 2,
    )
    written = model.generate(**data, max_new_tokens=4, do_sample=False)
    told = processor.post_process_image_text_to_text(written[:, data["input_ids"].shape[1] :])
    assert len(told) == 1
    assert isinstance(told[0], str)
    assert answer_text("Yes") == "Yes<|im_end|>"
