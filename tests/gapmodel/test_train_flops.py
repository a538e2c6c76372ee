"""Analytic FLOPs against torch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gapmodel.attention import dense_mask
from gapmodel.patches import patch_grid, patchify
from gapmodel.presets import build_model
from gapmodel.training.flops import Work, batch_flops, language_work, visible_pairs, vision_work
from tests.gapmodel.batches import example_batch, example_config
from tests.gapmodel.runs import example_session


@pytest.fixture(scope="module")
def model():
    """Torch counts the products of plain attention, not the CPU's fused kernel."""
    model = build_model(example_config()).eval()
    model.set_attn_implementation("eager")
    return model


@pytest.mark.parametrize(("images", "height", "width"), [(1, 64, 96), (3, 96, 64)])
def test_the_vision_tower(model, images, height, width):
    patches = patchify(
        torch.zeros(images, height, width, 3, dtype=torch.uint8), patch=16, merge=2, frames=2
    )
    grid = patch_grid(images, height, width, 16, patches.device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.model.visual(patches, grid_thw=grid)
    work = vision_work(model.config.vision_config, images, height, width)
    assert work.linear + work.attention == counter.get_total_flops()


@pytest.mark.parametrize("tokens", [16, 40])
def test_the_language_model(model, tokens):
    """Torch counts all pairs of a dense mask, so all pairs are given here."""
    ids = torch.arange(20, 20 + tokens)[None]
    mask = torch.ones(1, 1, tokens, tokens, dtype=torch.bool)
    positions = torch.arange(tokens).expand(3, 1, -1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        hidden = model.model.language_model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False
        ).last_hidden_state
        model.lm_head(hidden[0, :5])
    work = language_work(model.config.text_config, tokens, tokens**2, 5)
    assert work.linear + work.attention == counter.get_total_flops()


@pytest.mark.parametrize("seed", range(4))
def test_visible_pairs_are_those_of_the_mask(seed):
    batch = example_batch(seed, samples=1 + seed, pictures=1 + seed % 3, pad_to=16)
    mask = dense_mask(batch.group_ids, batch.branch_ids)[0, 0]
    padding = int((batch.group_ids < 0).sum())
    assert visible_pairs(batch.group_ids, batch.branch_ids) == int(mask.sum()) - padding


def test_backward_costs_what_is_needed():
    """A frozen layer that gradients pass costs its forward once more, a learning one twice more."""
    with FlopCounterMode(display=False) as counter:
        layer = torch.nn.Linear(8, 4, bias=False)
        layer(torch.ones(2, 8, requires_grad=True)).sum().backward()
    assert Work(linear=2.0 * 2 * 8 * 4).step(learns=True, passes=True) == counter.get_total_flops()
    work = Work(linear=100.0, attention=10.0)
    assert work.step(learns=False, passes=False) == 110
    assert work.step(learns=False, passes=True) == 230
    assert work.step(learns=True, passes=True) == 330


def test_geometry_counts_and_a_stage_that_freezes_costs_less():
    batch = example_batch(0)
    bare, _ = example_session({"answers": 1.0})
    fused, _ = example_session({"answers": 1.0}, geometry="depth_normal")
    everything = batch_flops(fused.model.model, batch, {"vision", "geometry", "fusion", "language"})
    assert everything > batch_flops(bare.model.model, batch, {"vision", "language"})
    assert batch_flops(fused.model.model, batch, {"fusion"}) < everything
