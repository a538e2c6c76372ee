from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText, Qwen3VLForConditionalGeneration

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.model import GapModel
from gapmodel.objectives import OBJECTIVES
from gapmodel.patches import patch_grid, patchify, unpatchify
from gapmodel.presets import PRESETS, build_model, preset_config
from gapmodel.pretraining import PretrainingModel
from tests.gapmodel.batches import (
    IMAGE_TOKEN,
    PAD,
    VISION_END,
    VISION_START,
    example_batch,
    example_config,
    example_model,
)

DEPTH_NORMAL = {"kind": "depth_normal"}
HEADS = [name for name in OBJECTIVES if name != "answers"]


def base_model(seed: int = 0) -> Qwen3VLForConditionalGeneration:
    """Qwen3-VL itself, in the sizes of the tiny preset."""
    torch.manual_seed(seed)
    config = example_config()
    values = config.to_dict()
    for added in ("geometry", "fusion", "heads", "model_type"):
        values.pop(added)
    model = Qwen3VLForConditionalGeneration(Qwen3VLForConditionalGeneration.config_class(**values))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3)
    return model.eval()


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3-VL checkpoint as the hub stores it: config.json and safetensors, written by transformers."""
    folder = tmp_path_factory.mktemp("hub")
    base_model().save_pretrained(folder)
    return folder


def prompt_inputs(pictures: int = 2, seed: int = 0, words: int = 5) -> dict[str, torch.Tensor]:
    """A prompt with pictures of 64 x 96 as the hub's processor gives it."""
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.integers(0, 256, (pictures, 64, 96, 3)).astype(np.uint8))
    block = [VISION_START] + [IMAGE_TOKEN] * 6 + [VISION_END]
    ids = [20, 21] + block * pictures + rng.integers(16, 1000, words).tolist()
    input_ids = torch.tensor([ids])
    return {
        "input_ids": input_ids,
        "attention_mask": torch.ones_like(input_ids),
        "mm_token_type_ids": (input_ids == IMAGE_TOKEN).long(),
        "pixel_values": patchify(images, patch=16, merge=2, frames=2),
        "image_grid_thw": patch_grid(pictures, 64, 96, 16, images.device),
    }


def geometry_inputs(pictures: int = 2) -> dict[str, torch.Tensor]:
    batch = example_batch(samples=1, pictures=pictures)
    return {
        "K": batch.K,
        "cam2first": batch.cam2first,
        "input_depth": batch.input_depth,
        "input_normal": batch.input_normal,
    }


# --- the base is Qwen3-VL ---


def test_the_state_dict_of_the_base_is_the_hubs():
    added = ("geometry_encoder.", "fusion.", "heads.")
    model = GapModel(example_config(geometry=DEPTH_NORMAL, heads=HEADS))
    mine = {name: tensor.shape for name, tensor in model.state_dict().items()}
    theirs = {name: tensor.shape for name, tensor in base_model().state_dict().items()}
    assert {name: shape for name, shape in mine.items() if not name.startswith(added)} == theirs
    assert all(any(name.startswith(part) for name in mine) for part in added)


@pytest.mark.parametrize("geometry", [None, DEPTH_NORMAL])
def test_a_hub_checkpoint_loads_and_answers_as_it_did(hub_folder, geometry):
    """Whether the new modules are there, and whether they are given geometry, at the start nothing changes."""
    base = Qwen3VLForConditionalGeneration.from_pretrained(hub_folder).eval()
    config = GapConfig.from_pretrained(hub_folder)
    if geometry:
        added = example_config(geometry=geometry, heads=HEADS)
        config.geometry, config.fusion, config.heads = added.geometry, added.fusion, added.heads
    model = GapModel.from_pretrained(hub_folder, config=config).eval()
    loaded = model.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in base.state_dict().items())
    inputs = prompt_inputs()
    with torch.no_grad():
        expected = base(**inputs).logits
        assert torch.equal(model(**inputs).logits, expected)
        assert torch.equal(model(**inputs, **geometry_inputs()).logits, expected)
    assert expected.std() > 0.1


def test_a_packed_row_gives_the_logits_of_the_base(hub_folder):
    base = Qwen3VLForConditionalGeneration.from_pretrained(hub_folder).eval()
    config = GapConfig.from_pretrained(hub_folder)
    added = example_config(geometry=DEPTH_NORMAL)
    config.geometry, config.fusion = added.geometry, added.fusion
    model = GapModel.from_pretrained(hub_folder, config=config).eval()
    batch = example_batch(samples=1, questions=1, pictures=1, phrases=0, pad_to=1)
    with torch.no_grad():
        features = PretrainingModel(model).features(batch)
        expected = base(
            input_ids=batch.input_ids[None],
            mm_token_type_ids=(batch.input_ids[None] == IMAGE_TOKEN).long(),
            pixel_values=patchify(batch.images, patch=16, merge=2, frames=2),
            image_grid_thw=patch_grid(1, 64, 96, 16, batch.images.device),
        ).logits[0]
    answered = torch.nonzero(batch.labels >= 0)[:, 0] - 1
    torch.testing.assert_close(
        features.logits(features.answers), expected[answered], atol=1e-5, rtol=1e-5
    )


def test_new_modules_start_as_their_constructors_choose(hub_folder):
    """Also when the model is built around a checkpoint, which transformers does on the meta device."""
    config = GapConfig.from_pretrained(hub_folder)
    added = example_config(geometry=DEPTH_NORMAL, heads=HEADS)
    config.geometry, config.fusion, config.heads = added.geometry, added.fusion, added.heads
    torch.manual_seed(5)
    loaded = GapModel.from_pretrained(hub_folder, config=config)
    direct = GapModel(config)
    for part in ("geometry_encoder", "fusion", "heads"):
        for (name, mine), theirs in zip(
            getattr(loaded, part).named_parameters(),
            getattr(direct, part).parameters(),
            strict=True,
        ):
            mine, theirs = mine.detach(), theirs.detach()
            assert mine.isfinite().all(), name
            constant = theirs.std(correction=0) == 0
            if constant:
                assert torch.equal(mine, theirs), name
            elif mine.numel() > 200:
                ratio = float(mine.std() / theirs.std())
                assert 0.7 < ratio < 1.4, name
    for (name, mine), theirs in zip(loaded.named_buffers(), direct.buffers(), strict=True):
        assert torch.equal(mine, theirs), name


# --- saving and loading ---


def test_a_saved_model_is_the_same_model(tmp_path):
    torch.manual_seed(1)
    model = example_model(geometry=DEPTH_NORMAL, heads=HEADS)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    model.save_pretrained(tmp_path)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    assert type(again) is GapModel
    assert again.config.to_dict()["heads"] == model.config.to_dict()["heads"]
    assert AutoConfig.from_pretrained(tmp_path).geometry == model.config.geometry
    theirs = again.state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name
    inputs = prompt_inputs() | geometry_inputs()
    with torch.no_grad():
        logits = model(**inputs).logits
        assert torch.equal(again(**inputs).logits, logits)
        # Geometry matters now, so that the equality above covers it.
        assert not torch.allclose(model(**prompt_inputs()).logits, logits)


def test_heads_can_be_added_to_a_saved_model(tmp_path):
    model = example_model(geometry=DEPTH_NORMAL)
    model.save_pretrained(tmp_path)
    config = GapConfig.from_pretrained(tmp_path)
    config.heads = {"depth": PRESETS["tiny"].heads["depth"]}
    again = GapModel.from_pretrained(tmp_path, config=config)
    assert list(again.heads) == ["depth"]
    assert torch.equal(again.lm_head.weight, model.lm_head.weight)


# --- generate ---


def test_generate_continues_as_the_forward_pass_says():
    model = example_model(geometry=DEPTH_NORMAL)
    with torch.no_grad():
        for level in model.fusion.levels:
            torch.nn.init.normal_(level.out.weight, std=0.1)
    inputs = prompt_inputs() | geometry_inputs()
    settings = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": PAD}
    with torch.no_grad():
        written = model.generate(**inputs, **settings)
        ids = inputs["input_ids"]
        for _ in range(6):
            grown = inputs | {
                "input_ids": ids,
                "attention_mask": torch.ones_like(ids),
                "mm_token_type_ids": (ids == IMAGE_TOKEN).long(),
            }
            chosen = model(**grown).logits[:, -1].argmax(-1, keepdim=True)
            ids = torch.cat([ids, chosen], dim=1)
        assert torch.equal(written, ids)
        blind = model(**prompt_inputs()).logits
        assert not torch.allclose(model(**inputs).logits, blind, atol=1e-4)


def test_generate_answers_each_prompt_of_a_batch_by_itself():
    model = example_model(geometry=DEPTH_NORMAL, fusion={"across_pictures": True})
    with torch.no_grad():
        for level in model.fusion.levels:
            torch.nn.init.normal_(level.out.weight, std=0.1)
    long, short = prompt_inputs(2, seed=1, words=9), prompt_inputs(1, seed=2, words=3)
    geometry = geometry_inputs(2)
    first, second = geometry, {name: layer[:1] for name, layer in geometry.items()}
    gap = long["input_ids"].shape[1] - short["input_ids"].shape[1]
    padded = {
        name: torch.cat([long[name], torch.nn.functional.pad(short[name], (gap, 0), value=fill)])
        for name, fill in (("input_ids", PAD), ("attention_mask", 0), ("mm_token_type_ids", 0))
    }
    pictures = {
        name: torch.cat([long[name], short[name]]) for name in ("pixel_values", "image_grid_thw")
    }
    joined = {name: torch.cat([first[name], second[name]]) for name in geometry}
    settings = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": PAD}
    together = model.generate(**padded, **pictures, **joined, **settings)[:, -5:]
    alone = [
        model.generate(**long, **first, **settings)[0, -5:],
        model.generate(**short, **second, **settings)[0, -5:],
    ]
    assert torch.equal(together, torch.stack(alone))


def test_pictures_of_different_sizes_are_refused():
    model = example_model(geometry=DEPTH_NORMAL)
    inputs = prompt_inputs()
    inputs["image_grid_thw"] = torch.tensor([[1, 4, 6], [1, 6, 4]])
    with pytest.raises(ConfigError, match="pictures of one size"):
        model(**inputs)
    with pytest.raises(ConfigError, match="pictures of 40x64: expected multiples of 32"):
        model.encode(torch.zeros(1, 64, 40, 3, dtype=torch.uint8))


# --- encoding ---


def test_patches_turn_back_into_pictures():
    images = torch.randint(0, 256, (3, 64, 96, 3), dtype=torch.uint8)
    patches = patchify(images, patch=16, merge=2, frames=2)
    assert torch.equal(unpatchify(patches, (64, 96), patch=16, merge=2, frames=2), images)


def test_a_picture_is_encoded_alone():
    """Its tokens do not depend on the others of the batch."""
    model = example_model()
    images = example_batch(samples=1, pictures=3).images
    with torch.no_grad():
        together, levels = model.encode(images)
        alone, alone_levels = model.encode(images[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)
    for level, other in zip(levels, alone_levels, strict=True):
        torch.testing.assert_close(level[1:2], other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(64, 96), (96, 32), (32, 32)])
def test_pictures_of_one_size_are_encoded_as_transformers_does_one_by_one(size):
    model = example_model()
    torch.manual_seed(2)
    images = torch.randint(0, 256, (3, *size, 3), dtype=torch.uint8)
    with torch.no_grad():
        visual, levels = model.encode(images)
        expected = model.model.get_image_features(
            patchify(images, patch=16, merge=2, frames=2),
            patch_grid(3, *size, 16, images.device),
            return_dict=True,
        )
    flat = [grid.flatten(0, 2) for grid in (visual, *levels)]
    for mine, theirs in zip(
        flat, (expected.pooler_output, *expected.deepstack_features), strict=True
    ):
        torch.testing.assert_close(mine, torch.cat(theirs), atol=1e-5, rtol=1e-5)


def test_rgb_alone_is_the_default():
    model = example_model(geometry=DEPTH_NORMAL)
    torch.nn.init.normal_(model.fusion.levels[0].out.weight, std=0.1)
    images = example_batch(samples=1, pictures=2).images
    blind = GeometryInput.rgb_only(torch.zeros(2, dtype=torch.int64), (64, 96), images=images)
    with torch.no_grad():
        for mine, theirs in zip(
            model.encode(images)[1], model.encode(images, blind)[1], strict=True
        ):
            assert torch.equal(mine, theirs)


# --- sizes ---


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_tiny_with_everything_is_below_three_million_parameters():
    config = preset_config("tiny", geometry=DEPTH_NORMAL, heads=HEADS)
    assert parameters(build_model(config, device="meta")) < 3e6


@pytest.mark.parametrize(
    ("name", "millions"), [("small", 100), ("qwen3-vl-2b", 2127.5), ("qwen3-vl-4b", 4437.8)]
)
def test_presets_have_the_size_they_claim(name, millions):
    model = build_model(preset_config(name), device="meta")
    assert parameters(model) / 1e6 == pytest.approx(millions, rel=0.005)


def test_random_weights_have_the_asked_type():
    model = build_model(preset_config("tiny"), dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32


def wider(config: GapConfig) -> None:
    config.text_config.intermediate_size *= 2


def deeper(config: GapConfig) -> None:
    config.vision_config.depth += 1


def shallower(config: GapConfig) -> None:
    config.vision_config.depth -= 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [(wider, "12 of another shape"), (deeper, "12 missing"), (shallower, "12 too many")],
)
def test_weights_of_another_model_are_refused(hub_folder, change, fault):
    config = GapConfig.from_pretrained(hub_folder)
    change(config)
    with pytest.raises(ConfigError, match=f"hub.*: weights of another model: {fault}") as error:
        build_model(config, source=str(hub_folder))
    assert "\n" not in str(error.value)


def test_weights_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere: no weights to start from") as error:
        build_model(preset_config("tiny"), source=str(tmp_path / "nowhere"))
    assert "\n" not in str(error.value)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(
        ConfigError, match="preset 'huge': expected one of tiny, small, qwen3-vl-2b"
    ):
        preset_config("huge")


def test_an_unknown_objective_names_the_known_ones():
    with pytest.raises(ConfigError, match="objective 'colour': expected one of answers, depth"):
        GapModel(example_config(heads={"colour": {}}))
