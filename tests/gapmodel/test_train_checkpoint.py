"""Checkpoints: all of a run comes back, half a one never counts, a full disk leaves the last good one."""

from __future__ import annotations

import dataclasses
import json
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from gapdata.errors import ConfigError
from gapmodel.data.plan import LoaderState
from gapmodel.training.checkpoint import (
    CheckpointError,
    RunState,
    discard_unfinished,
    latest_checkpoint,
    load_checkpoint,
    read_state,
    require_same_config,
    save_checkpoint,
)
from gapmodel.training.optimizer import set_rates
from gapmodel.training.parallel import Workers
from gapmodel.training.step import take_step
from tests.gapmodel.batches import example_batch
from tests.gapmodel.runs import example_session


def state(step: int) -> RunState:
    return RunState(
        step=step,
        rows=LoaderState(index=2 * step, block=0, row=2 * step),
        loss_means={"answers": 1 / 3},
        bad_samples=("a: broken",),
    )


def stepped(session, config, steps: int = 1):
    for step in range(steps):
        set_rates(session.optimizer, session.stage, step, config)
        take_step(session, [example_batch(step)], config, row=step)
        session.optimizer.step()
        session.optimizer.zero_grad()
    return session


def save(out: Path, step: int, session, config) -> Path:
    return save_checkpoint(
        out, state(step), config, session.model, session.optimizer,
        workers=Workers(), save_assets=lambda folder: (folder / "asset").write_text("kept") and None,
    )  # fmt: skip


@pytest.fixture
def trained():
    session, config = example_session({"answers": 1.0, "depth": 1.0})
    return stepped(session, config), config


def moments(session) -> dict[str, torch.Tensor]:
    return {
        f"{name} {key}": value
        for name, parameter in session.model.named_parameters()
        for key, value in session.optimizer.state.get(parameter, {}).items()
    }


def test_all_of_a_run_comes_back(trained, tmp_path):
    session, config = trained
    folder = save(tmp_path, 3, session, config)
    assert latest_checkpoint(tmp_path) == folder
    assert require_same_config(folder, config) == state(3)
    assert (folder / "asset").read_text() == "kept"
    other, _ = example_session({"answers": 1.0, "depth": 1.0})
    with torch.no_grad():
        for parameter in other.model.parameters():
            parameter.add_(1.0)
    load_checkpoint(folder, other.model, other.optimizer)
    for name, value in session.model.state_dict().items():
        assert torch.equal(value, other.model.state_dict()[name]), name
    before, after = moments(session), moments(other)
    assert len(before) > 100
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_parts_that_join_later_start_without_moments(tmp_path):
    session, config = example_session({"answers": 1.0, "depth": 1.0}, stage="heads")
    folder = save(tmp_path, 1, stepped(session, config), config)
    later, _ = example_session({"answers": 1.0, "depth": 1.0})
    load_checkpoint(folder, later.model, later.optimizer)
    heads = set(map(id, later.model.model.heads.parameters()))
    assert set(map(id, later.optimizer.state)) == heads
    stepped(later, config)
    steps = {float(values["step"]) for values in later.optimizer.state.values()}
    assert steps == {1.0, 2.0}


def test_only_the_newest_stay_and_half_a_one_is_none(trained, tmp_path):
    session, config = trained
    for step in (1, 2, 10):
        save(tmp_path, step, session, config)
    folders = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert folders == ["00000002", "00000010"]
    (tmp_path / "checkpoints" / "00000011").mkdir()
    killed = tmp_path / "checkpoints" / ".unfinished-00000012"
    killed.mkdir()
    assert latest_checkpoint(tmp_path).name == "00000010"
    discard_unfinished(tmp_path)
    assert not killed.exists()


@contextmanager
def small_files(limit: int):
    """No file may grow past `limit` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_last_good_checkpoint(trained, tmp_path):
    session, config = trained
    good = save(tmp_path, 1, session, config)
    written = {path.name: path.read_bytes() for path in good.iterdir()}
    with small_files(1_000_000), pytest.raises(CheckpointError) as caught:
        save(tmp_path, 2, session, config)
    text = str(caught.value)
    assert "00000002: cannot be saved" in text
    assert f"the last good checkpoint is {good}" in text
    assert "\n" not in text
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [good.name]
    assert {path.name: path.read_bytes() for path in good.iterdir()} == written
    save(tmp_path, 2, session, config)  # after room was made
    with small_files(1_000_000), pytest.raises(CheckpointError, match="there is no checkpoint yet"):
        save(tmp_path / "other", 1, session, config)


def test_a_checkpoint_of_another_config_is_refused(trained, tmp_path):
    session, config = trained
    folder = save(tmp_path, 1, session, config)
    other = dataclasses.replace(config, seed=7, row_tokens=99, workers=3)
    with pytest.raises(ConfigError) as caught:
        require_same_config(folder, other)
    text = str(caught.value)
    assert "seed: 0 there, 7 here; row_tokens: 1024 there, 99 here" in text
    assert "workers" not in text
    assert "--fresh" in text
    assert require_same_config(folder, dataclasses.replace(config, workers=3)) == state(1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "state.json").write_text("{"),
        lambda folder: (folder / "state.json").write_text("{}"),
        lambda folder: (folder / "state.json").write_text(
            json.dumps(json.loads((folder / "state.json").read_text()) | {"more": 1})
        ),
    ],
)
def test_a_damaged_state_is_named(trained, tmp_path, damage):
    session, config = trained
    folder = save(tmp_path, 1, session, config)
    damage(folder)
    with pytest.raises(CheckpointError, match=r"state\.json: not a checkpoint's state"):
        read_state(folder)


@pytest.mark.parametrize("missing", ["__0_0.distcp", ".metadata"])
def test_damaged_tensors_are_named(trained, tmp_path, missing):
    session, config = trained
    folder = save(tmp_path, 1, session, config)
    (folder / missing).write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder, session.model, session.optimizer)
    assert "cannot be read" in str(caught.value)
    assert "\n" not in str(caught.value)
