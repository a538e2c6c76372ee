"""Gradients of a step: what learns, how rows are weighed, what is reported."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
import torch

from gapmodel.data.batch import Batch
from gapmodel.training.optimizer import make_optimizer, parts_of, set_rates
from gapmodel.training.step import take_step
from gapmodel.training.train import TrainingError, _require_finite, _spikes
from tests.gapmodel.batches import example_batch
from tests.gapmodel.runs import example_session, gradients, poisoned

EVERYTHING = {"answers": 1.0, "depth": 1.0, "pose": 1.0, "relations": 0.1}


def test_every_parameter_has_a_part_and_every_part_parameters():
    session, _ = example_session(EVERYTHING, geometry="depth_normal")
    parts = parts_of(session.model)
    assert parts.keys() >= dict(session.model.named_parameters()).keys()
    assert set(parts.values()) == {"vision", "geometry", "fusion", "language", "heads"}
    model = session.model.model
    for part, module in (
        ("vision", model.model.visual), ("geometry", model.geometry_encoder), ("fusion", model.fusion),
        ("heads", model.heads), ("language", model.model.language_model),
    ):  # fmt: skip
        mine = {id(parameter) for parameter in module.parameters()}
        named = {id(p) for name, p in session.model.named_parameters() if parts[name] == part}
        assert mine == named


def test_matrices_decay_and_nothing_else_does():
    session, config = example_session(EVERYTHING, geometry="depth_normal")
    model = session.model
    decaying = {
        id(parameter)
        for group in make_optimizer(model, session.stage, config).param_groups
        if group["weight_decay"] > 0
        for parameter in group["params"]
    }
    embedding = model.model.get_input_embeddings().weight
    assert embedding is model.model.lm_head.weight
    seen = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            matrix = type(module) in (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
            expected = matrix and name == "weight" and parameter is not embedding
            assert (id(parameter) in decaying) == expected, (module, name)
            seen.add((type(module).__name__, expected))
    assert {("Linear", True), ("Conv2d", True), ("LayerNorm", False), ("Embedding", False)} <= seen


def test_the_first_stage_moves_new_parts_only():
    session, config = example_session(EVERYTHING, stage="heads", geometry="depth_normal")
    assert session.learning == {"geometry", "fusion", "heads"}
    before = {name: value.clone() for name, value in session.model.state_dict().items()}
    for step in range(2):  # the gate of the fusion opens with the first
        set_rates(session.optimizer, session.stage, step, config)
        take_step(session, [example_batch(step)], config, row=step)
        session.optimizer.step()
        session.optimizer.zero_grad()
    parts = parts_of(session.model)
    moved = {
        parts[name]
        for name, parameter in session.model.named_parameters()
        if not torch.equal(parameter, before[name])
    }
    assert moved == {"geometry", "fusion", "heads"}


def test_a_head_without_weight_does_not_learn():
    session, _ = example_session({"depth": 1.0, "pose": 0.0})
    assert not any(p.requires_grad for p in session.model.model.heads["pose"].parameters())
    assert all(p.requires_grad for p in session.model.model.heads["depth"].parameters())


def step_gradients(batches, objectives):
    session, config = example_session(objectives)
    tally = take_step(session, batches, config, row=0)
    return tally, gradients(session)


@pytest.mark.parametrize("objectives", [{"answers": 1.0}, {"depth": 1.0}])
def test_accumulation_does_not_change_the_gradient(objectives):
    """Rows of unequal length one after the other, and in one: the same mean over their items."""
    small, large = example_batch(1, samples=1), example_batch(2, samples=3)
    apart_tally, apart = step_gradients([small, large], objectives)
    together_tally, together = step_gradients([joined(small, large)], objectives)
    assert apart.keys() == together.keys()
    for name, value in apart.items():
        torch.testing.assert_close(value, together[name], atol=2e-6, rtol=1e-4)
    for name, value in apart_tally.losses.items():
        assert math.isclose(value, together_tally.losses[name], rel_tol=1e-5)
    assert apart_tally.answers == together_tally.answers
    # The plain mean of the rows' own gradients is another one.
    alone = [step_gradients([batch], objectives)[1] for batch in (small, large)]
    assert any(
        not torch.allclose((alone[0][name] + alone[1][name]) / 2, value, atol=2e-6, rtol=1e-4)
        for name, value in apart.items()
    )


def joined(a, b):
    """Two batches as one row, groups and pictures of the second renumbered."""
    length, images, groups = len(a.input_ids), len(a.images), int(a.group_ids.max()) + 1
    cat = torch.cat
    return Batch(
        input_ids=cat([a.input_ids, b.input_ids]),
        labels=cat([a.labels, b.labels]),
        position_ids=cat([a.position_ids, b.position_ids], dim=1),
        group_ids=cat([a.group_ids, torch.where(b.group_ids < 0, -1, b.group_ids + groups).int()]),
        branch_ids=cat([a.branch_ids, b.branch_ids]),
        block_image=cat([a.block_image, b.block_image + images]),
        block_start=cat([a.block_start, b.block_start + length]),
        scene_block=cat([a.scene_block, b.scene_block + len(a.block_image)]),
        branches=a.branches + b.branches,
        sample_keys=a.sample_keys + b.sample_keys,
        image_sample=cat([a.image_sample, b.image_sample + len(a.sample_keys)]),
        images=cat([a.images, b.images]),
        K=cat([a.K, b.K]),
        cam2first=cat([a.cam2first, b.cam2first]),
        depth=cat([a.depth, b.depth]),
    )


def test_a_loss_that_is_not_finite_names_the_samples():
    session, config = example_session({"answers": 1.0, "pose": 1.0})
    batches = [example_batch(0), poisoned(example_batch(1))]
    tally = take_step(session, batches, config, row=6)
    with pytest.raises(TrainingError) as caught:
        _require_finite(tally, 4)
    text = str(caught.value)
    assert text.startswith("step 4: loss is not finite: pose is nan in row 7 (sample-0, sample-1)")
    assert "answers" not in text
    assert "row 6" not in text


def test_a_spike_is_told_with_its_samples_and_calm_is_not():
    session, config = example_session({"answers": 1.0})
    tally = take_step(session, [example_batch(0)], config, row=3)
    means = {"answers": tally.losses["answers"] / 4}
    assert _spikes(tally, dict(means), 5, config.spike) == []  # still warming up
    (text,) = _spikes(tally, means, 50, config.spike)
    assert "answers jumped" in text
    assert "row 3 (sample-0, sample-1)" in text
    assert means["answers"] > tally.losses["answers"] / 4
    assert _spikes(tally, {"answers": tally.losses["answers"]}, 50, config.spike) == []


def test_the_split_of_the_time_is_all_of_it():
    session, config = example_session(EVERYTHING, geometry="depth_normal")
    began = time.perf_counter()
    session.clock.mark("data")
    session.clock.seconds()
    take_step(session, [example_batch(0)], config, row=0)
    session.clock.mark("optimizer")
    seconds = session.clock.seconds()
    whole = time.perf_counter() - began
    assert 0.9 * whole < sum(seconds.values()) <= whole
    assert all(seconds[part] > 0 for part in ("vision", "geometry", "language", "heads"))


def test_recomputed_activations_give_the_same_gradient():
    session, config = example_session({"answers": 1.0})
    expected = take_step(session, [example_batch(0)], config, row=0), gradients(session)
    again, config = example_session({"answers": 1.0})
    again.model.model.activation_checkpointing_enable(every_n_layers=2)
    found = take_step(again, [example_batch(0)], config, row=0), gradients(again)
    assert found[0].losses == expected[0].losses
    assert all(torch.equal(found[1][name], value) for name, value in expected[1].items())


def test_the_answers_of_each_task_have_a_loss_of_their_own():
    batch = example_batch(0)
    tasks = ["count", "distance", "size"]
    mixed = replace(
        batch,
        branches=tuple(replace(b, task=tasks[i % 3]) for i, b in enumerate(batch.branches)),
    )
    session, config = example_session({"answers": 1.0})
    tally = take_step(session, [mixed], config, row=0)
    for task in tasks:
        labels = torch.full_like(batch.labels, -100)
        for branch in mixed.branches:
            if branch.task == task:
                labels[branch.start : branch.end] = batch.labels[branch.start : branch.end]
        alone = take_step(session, [replace(batch, labels=labels)], config, row=0)
        assert math.isclose(
            tally.metrics[f"answers/loss/{task}"], alone.losses["answers"], rel_tol=1e-5
        )
