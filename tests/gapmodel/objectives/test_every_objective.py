"""What holds for every objective with a head: it learns, reaches what it should, and ignores what is unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gapdata.errors import ConfigError
from gapmodel.model import GapModel
from gapmodel.objectives import objective_class
from gapmodel.pretraining import PretrainingModel
from tests.gapmodel.batches import example_config
from tests.gapmodel.objectives.examples import (
    NAMES,
    SIZES,
    head,
    mapped,
    mismatched,
    random_features,
    train,
    varied_batch,
    without_pictures,
    without_supervision,
)

READS_PHRASES = {"geometry_language", "relations"}


@pytest.fixture(scope="module")
def batch():
    return varied_batch()


@pytest.mark.parametrize("name", NAMES)
def test_loss_falls_on_matched_data_and_is_higher_on_mismatched(name, batch):
    objective, features = head(name), random_features(batch)
    losses = train(objective, features, batch, steps=60)
    with torch.no_grad():
        matched = objective(features, batch).value.item()
        other = objective(mismatched(features), batch).value.item()
    assert matched < 0.5 * losses[0]
    assert matched < 0.5 * other


@pytest.mark.parametrize("name", NAMES)
def test_gradient_reaches_all_of_the_head_and_its_inputs(name, batch):
    objective, features = head(name), random_features(batch, grad=True)
    loss = objective(features, batch)
    loss.value.backward()
    assert loss.value.dtype == torch.float32
    assert loss.count > 0
    for grid in (features.views, features.visual, *features.levels):
        assert grid.grad.abs().sum() > 0
    if name in READS_PHRASES:
        assert features.phrases.grad.abs().sum() > 0
    else:
        assert features.phrases.grad is None
    for key, parameter in objective.named_parameters():
        assert parameter.grad is not None, key
        # The softmax over keys does not change with a bias of the keys.
        if not key.endswith(("key_value.bias", "qkv.bias")):
            assert parameter.grad.abs().sum() > 0, key
    for value in loss.metrics.values():
        assert value.ndim == 0
        assert not value.requires_grad


@pytest.fixture(scope="module")
def whole():
    torch.manual_seed(0)
    return PretrainingModel(GapModel(example_config(heads={n: dict(SIZES[n]) for n in NAMES})))


@pytest.mark.parametrize("name", NAMES)
def test_in_the_whole_model_gradient_reaches_towers_and_no_other_head(name, batch, whole):
    whole.zero_grad(set_to_none=True)
    whole(batch, {name: 1.0})[name].value.backward()
    for key, parameter in whole.named_parameters():
        if ".heads." in key:
            mine = f".heads.{name}." in key
            assert (parameter.grad is not None) == mine, key
    base = whole.model.model
    for tower in (base.visual.blocks[0], base.language_model.layers[0]):
        for key, parameter in tower.named_parameters():
            assert parameter.grad is not None, key
        assert any(parameter.grad.abs().sum() > 0 for parameter in tower.parameters())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", [without_supervision, without_pictures])
def test_without_supervision_loss_and_gradients_are_zero(name, empty, batch):
    if name == "pose" and empty is without_supervision:
        pytest.skip("cameras are always known")
    nothing = empty(batch)
    objective, features = head(name), random_features(nothing, grad=True)
    loss = objective(features, nothing)
    assert loss.value.item() == 0.0
    assert loss.count.item() == 0
    assert not loss.count.is_floating_point()
    loss.value.backward()
    for key, parameter in objective.named_parameters():
        assert parameter.grad is not None, key
        assert (parameter.grad == 0).all(), key
    assert (features.views.grad == 0).all()
    assert all(value.isfinite() for value in loss.metrics.values())


@pytest.mark.parametrize("name", NAMES)
def test_loss_is_computed_in_float32_from_bfloat16_features(name, batch):
    rounded = random_features(batch, dtype=torch.bfloat16)
    exact = replace(mapped(rounded, torch.Tensor.float), phrases=rounded.phrases.float())
    objective = head(name)
    loss = objective(rounded, batch).value
    assert loss.dtype == torch.float32
    assert loss == objective(exact, batch).value
    with torch.autocast("cpu", torch.bfloat16):
        mixed = objective(rounded, batch).value
    low = head(name).to(torch.bfloat16)(rounded, batch).value
    for other in (mixed, low):
        assert other.dtype == torch.float32
        assert other.item() == pytest.approx(loss.item(), rel=0.05)


@pytest.mark.parametrize("name", ["reconstruction", "geometry_language", "relations"])
def test_order_of_objects_does_not_matter(name, batch):
    order = torch.randperm(len(batch.object_sample), generator=torch.Generator().manual_seed(1))
    changed = replace(
        batch,
        object_sample=batch.object_sample[order],
        object_instance=batch.object_instance[order],
        object_box_first=batch.object_box_first[order],
        object_phrase=batch.object_phrase[order],
        relation_objects=order.argsort()[batch.relation_objects],
    )
    objective, features = head(name), random_features(batch)
    first, second = objective(features, batch), objective(features, changed)
    assert second.value.item() == pytest.approx(first.value.item(), rel=1e-5)
    assert second.count == first.count


@pytest.mark.parametrize("name", ["reconstruction", "geometry_language", "relations"])
def test_tokens_that_show_no_object_do_not_matter(name, batch):
    instance = batch.instance.clone()
    instance[:, :, 64:] = 0  # the last column of tokens
    batch = replace(batch, instance=instance)
    features = random_features(batch)

    def disturb(grid):
        return torch.cat([grid[:, :, :2], 1e3 + grid[:, :, 2:]], dim=2)

    objective = head(name)
    assert objective(mapped(features, disturb), batch).value == objective(features, batch).value


@pytest.mark.parametrize("name", ["reconstruction", "geometry_language", "relations"])
def test_an_object_that_no_mask_shows_does_not_matter(name, batch):
    hidden = replace(batch, instance=torch.where(batch.instance == 3, 0, batch.instance))
    box = hidden.object_box_first.clone()
    box[hidden.object_instance == 3] = torch.nan
    phrase = hidden.object_phrase.clone()
    phrase[hidden.object_instance == 3] = 1
    odd = replace(hidden, object_box_first=box, object_phrase=phrase)
    objective, features = head(name), random_features(batch, grad=True)
    first, second = objective(features, hidden), objective(features, odd)
    assert second.value == first.value
    assert second.count == first.count
    second.value.backward()
    assert features.views.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_same_input_gives_the_same_loss(name, batch):
    objective, features = head(name), random_features(batch)
    assert objective(features, batch).value == objective(features, batch).value


@pytest.mark.parametrize("name", ["depth", "normal", "pointmap", "pose", "reconstruction"])
def test_attention_heads_that_do_not_divide_the_width_are_refused(name):
    with pytest.raises(ConfigError, match=r"config.heads: expected a width that 7 attention heads"):
        head(name, heads=7)


@pytest.mark.parametrize("name", NAMES)
def test_needs_are_layers_that_a_loader_knows(name):
    known = {"depth", "normal", "instance", "points", "objects", "relations", "teacher"}
    assert objective_class(name).needs <= known
