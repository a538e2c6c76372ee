from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.data.batch import Batch
from gapmodel.data.packing import pack
from gapmodel.objectives import OBJECTIVES, answers, objective_class
from gapmodel.pretraining import PretrainingModel
from tests.gapmodel.batches import (
    IMAGE_TOKEN,
    PAD,
    example_batch,
    example_model,
    example_samples,
)

ANSWERS = {"answers": 1.0}


def wordy_batch(samples: int = 2) -> Batch:
    """A batch of questions without pictures."""
    row = pack(
        example_samples(np.random.default_rng(0), samples=samples, pictures=0),
        grid=(1, 1),
        image_token_id=IMAGE_TOKEN,
        pad_token_id=PAD,
        pad_to=16,
    )
    return Batch(
        **row,
        images=torch.zeros(0, 64, 96, 3, dtype=torch.uint8),
        K=torch.zeros(0, 3, 3),
        cam2first=torch.zeros(0, 4, 4),
    )


def test_the_answers_loss_is_the_mean_over_supervised_tokens():
    """Against logits of the whole row, one token and its target at a time."""
    model = PretrainingModel(example_model())
    batch = example_batch()
    with torch.no_grad():
        loss = model(batch, ANSWERS)["answers"]
        visual, levels = model.model.encode(batch.images)
        logits = model.model(
            input_ids=batch.input_ids[None],
            position_ids=batch.position_ids[:, None],
            attention_mask=row_mask(batch),
            mm_encoder_outputs=model.model.encoder_outputs(
                visual[batch.block_image], tuple(level[batch.block_image] for level in levels)
            ),
            use_cache=False,
        ).logits[0]
    right, losses = 0, []
    for place, label in enumerate(batch.labels.tolist()):
        if label != -100:
            losses.append(float(functional.cross_entropy(logits[place - 1], torch.tensor(label))))
            right += int(logits[place - 1].argmax()) == label
    assert float(loss.value) == pytest.approx(np.mean(losses), abs=1e-5)
    assert int(loss.count) == len(losses)
    assert float(loss.metrics["token_accuracy"]) == pytest.approx(right / len(losses))


def row_mask(batch: Batch) -> torch.Tensor:
    length = len(batch.input_ids)
    group, branch = batch.group_ids, batch.branch_ids
    mask = torch.eye(length, dtype=torch.bool)
    for query in range(length):
        for key in range(query):
            if group[query] == group[key] >= 0 and branch[key] in (0, branch[query]):
                mask[query, key] = True
    return mask[None, None]


def test_long_rows_are_computed_in_pieces(monkeypatch):
    """Pieces bound the memory of logits; loss and gradients are those of the whole."""
    model = PretrainingModel(example_model())
    batch = example_batch()

    def values() -> tuple[float, torch.Tensor]:
        model.zero_grad()
        loss = model(batch, ANSWERS)["answers"]
        loss.value.backward()
        return float(loss.value.detach()), model.model.lm_head.weight.grad.clone()

    whole, gradient = values()
    monkeypatch.setattr(answers, "CHUNK", 4)
    pieces, gradient_of_pieces = values()
    assert pieces == pytest.approx(whole, abs=1e-6)
    torch.testing.assert_close(gradient_of_pieces, gradient, atol=1e-6, rtol=1e-5)


def test_views_are_the_hidden_states_of_the_scene_group():
    """A picture shown in two groups is read where its sample shows everything."""
    model = PretrainingModel(example_model())
    batch = example_batch(samples=2, pictures=2)
    with torch.no_grad():
        features = model.features(batch)
    assert features.views.shape == (4, 2, 3, 128)
    # A change in a question cannot reach the views: they come before it.
    changed = batch.input_ids.clone()
    for branch in batch.branches:
        changed[branch.start : branch.end] = 99
    # A change in the group of reversed views cannot either.
    first = int(batch.block_start[batch.scene_block[1]]) + 6
    after = torch.nonzero(batch.group_ids == 1)[:, 0]
    assert first < int(after[0])
    changed[after[0]] = 77
    with torch.no_grad():
        other = model.features(replace(batch, input_ids=changed))
    torch.testing.assert_close(other.views, features.views, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(other.answers, features.answers, atol=1e-3)


def test_phrases_are_read_alone():
    """The hidden state of a phrase is what the language model makes of it by itself."""
    model = PretrainingModel(example_model())
    batch = example_batch(phrases=4)
    with torch.no_grad():
        features = model.features(batch)
        for row, last in enumerate(batch.phrase_token.tolist()):
            ids = batch.input_ids[batch.group_ids == batch.group_ids[last]]
            alone = model.model.model(input_ids=ids[None], use_cache=False).last_hidden_state[0, -1]
            torch.testing.assert_close(features.phrases[row], alone, atol=1e-5, rtol=1e-5)


def test_a_batch_without_pictures_still_reaches_the_vision_tower():
    """Otherwise a rank with such a batch would not take part in what others exchange there."""
    model = PretrainingModel(example_model(geometry={"kind": "depth_normal"}))
    calls = []
    hook = model.model.model.visual.register_forward_hook(lambda *_: calls.append(1))
    loss = model(wordy_batch(), ANSWERS)["answers"]
    hook.remove()
    loss.value.backward()
    assert calls == [1]
    for part in (model.model.model.visual, model.model.fusion, model.model.geometry_encoder):
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None, name
            assert not parameter.grad.any(), name
    assert model.model.model.language_model.layers[0].mlp.up_proj.weight.grad.any()


def test_a_batch_without_answers_reaches_everything():
    model = PretrainingModel(example_model())
    batch = example_batch()
    loss = model(replace(batch, labels=torch.full_like(batch.labels, -100)), ANSWERS)["answers"]
    assert float(loss.value.detach()) == 0.0
    assert int(loss.count) == 0
    loss.value.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


def test_gradients_survive_checkpointing():
    """Recomputing layers in the backward pass changes memory only."""
    model = PretrainingModel(example_model())
    batch = example_batch()

    def gradients() -> dict[str, torch.Tensor]:
        model.zero_grad()
        model(batch, ANSWERS)["answers"].value.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters()}

    expected = gradients()
    model.train()
    model.model.activation_checkpointing_enable()
    recomputed = []
    layer = model.model.model.language_model.layers[0]
    hook = layer.input_layernorm.register_forward_hook(lambda *_: recomputed.append(1))
    found = gradients()
    hook.remove()
    assert len(recomputed) == 2
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-5)


def test_only_objectives_with_a_weight_are_computed():
    model = PretrainingModel(example_model(heads=["depth", "normal"]))
    losses = model(example_batch(), {"answers": 1.0, "depth": 0.5, "normal": 0.0})
    assert list(losses) == ["answers", "depth"]


def test_an_objective_without_a_head_is_named():
    model = PretrainingModel(example_model(heads=["depth"]))
    with pytest.raises(ConfigError, match="no head for pose in this model"):
        model(example_batch(), {"depth": 1.0, "pose": 1.0})


def test_every_listed_objective_can_be_imported():
    for name in OBJECTIVES:
        assert objective_class(name).__name__.lower() == name.replace("_", "")


def test_tiny_learns_answers_by_heart():
    model = PretrainingModel(example_model())
    model.train()
    batch = example_batch(samples=1, pictures=1, questions=3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    first = last = 0.0
    for step in range(20):
        loss = model(batch, ANSWERS)["answers"]
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        last = float(loss.value.detach())
        first = last if step == 0 else first
    assert last < 0.5 * first
