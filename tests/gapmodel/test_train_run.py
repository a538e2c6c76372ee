"""Whole runs: to the end, stopped, killed, gone on with by one process and by two."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from gapdata.errors import ConfigError, DatasetError
from gapmodel.cli import app
from gapmodel.loading import load_trained
from gapmodel.training.checkpoint import latest_checkpoint, read_state
from gapmodel.training.run_log import read_log
from gapmodel.training.step import take_step
from gapmodel.training.train import train
from tests.gapmodel.runs import example_session, gradients, run_config, steps_of, weights_of
from tests.gapmodel.two_ranks import OBJECTIVES, rank_batches

ROOT = Path(__file__).parents[2]
STEPS = 6


def config_at(url: str, out: Path):
    return run_config(url, out, steps=STEPS - 2, stage_names=["heads=2", "scratch"])


@pytest.fixture(scope="module")
def whole_run(tiny_url, tmp_path_factory) -> Path:
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    outcome = train(config_at(tiny_url, out))
    assert (outcome.step, outcome.signal, outcome.model) == (STEPS, 0, out / "model")
    return out


@pytest.fixture(scope="module")
def stopped_run(tiny_url, tmp_path_factory) -> Path:
    """The same run, stopped by SIGTERM after its third step or soon after."""
    out = tmp_path_factory.mktemp("stopped")
    over = threading.Event()
    watcher = threading.Thread(
        target=signal_after, args=(out, 3, os.getpid(), signal.SIGTERM, over)
    )
    watcher.start()
    try:
        outcome = train(config_at(tiny_url, out))
    finally:
        over.set()
        watcher.join()
    assert outcome.signal == signal.SIGTERM
    assert outcome.model is None
    assert 3 <= outcome.step < STEPS
    assert not (out / "model").exists()
    return out


def signal_after(out: Path, step: int, process: int, number: int, over: threading.Event) -> None:
    """Send a signal to a process once its log holds a step, unless it is over before."""
    while not over.is_set():
        log = out / "log.jsonl"
        if log.is_file() and f'"step": {step},' in log.read_text():
            os.kill(process, number)
            return
        time.sleep(0.01)


def assert_same_run(out: Path, whole: Path) -> None:
    mine, theirs = weights_of(out), weights_of(whole)
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert torch.equal(mine[name], theirs[name]), name
    found, expected = steps_of(out), steps_of(whole)
    for field in ("step", "stage", "rows", "losses", "gradient_norm", "rates"):
        assert [step[field] for step in found] == [step[field] for step in expected], field


def test_a_run_ends_with_a_model_that_loads_and_a_log(whole_run):
    steps = steps_of(whole_run)
    assert [step["stage"] for step in steps] == ["heads"] * 2 + ["scratch"] * 4
    assert all(step["tokens"] > 0 and step["flops"] > 0 and step["memory_gb"] > 0 for step in steps)
    assert all("depth/abs_rel" in step["metrics"] for step in steps)
    assert set(steps[0]["seconds"]) == {
        "data", "vision", "geometry", "language", "heads", "optimizer",
    }  # fmt: skip
    assert len({tuple(step["rows"].values()) for step in steps}) == STEPS
    trained = load_trained(whole_run)
    assert set(trained.model.heads) == {"depth"}
    from_checkpoint = load_trained(whole_run / "checkpoints" / f"{STEPS:08d}")
    for name, value in trained.root.state_dict().items():
        assert torch.equal(value, from_checkpoint.root.state_dict()[name]), name
    assert list((whole_run / "tensorboard").iterdir())


def test_a_stopped_run_goes_on_bit_for_bit(stopped_run, whole_run, tiny_url, tmp_path):
    out = Path(shutil.copytree(stopped_run, tmp_path / "run"))
    assert any("SIGTERM" in record.get("event", "") for record in read_log(out))
    train(config_at(tiny_url, out))
    assert_same_run(out, whole_run)


def test_a_killed_run_goes_on_bit_for_bit(whole_run, tiny_url, tmp_path):
    """Killed at any moment, between or within checkpoints of every step."""
    config = replace(config_at(tiny_url, tmp_path / "run"), save_minutes=0.0)
    code = "import json, sys, torch; torch.set_num_threads(1); from gapmodel.training.train import train, TrainConfig; train(TrainConfig.from_dict(json.loads(sys.argv[1])))"
    command = [sys.executable, "-c", code, json.dumps(config.to_dict())]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    over = threading.Event()
    killer = threading.Thread(
        target=signal_after, args=(tmp_path / "run", 3, run.pid, signal.SIGKILL, over)
    )
    killer.start()
    try:
        assert run.wait(100) == -signal.SIGKILL
    finally:
        over.set()
        killer.join()
    outcome = train(config)
    assert outcome.step == STEPS
    assert_same_run(tmp_path / "run", whole_run)


def test_two_processes_agree_with_one(stopped_run, whole_run, tiny_url, tmp_path):
    """Gradients, the stream of questions, and a step in which one process has no picture."""
    out = Path(shutil.copytree(stopped_run, tmp_path / "run"))
    done = steps_of(out)[-1]["step"]
    config = json.dumps(config_at(tiny_url, out).to_dict())
    start_two(tmp_path, config)
    for empty in (False, True):
        session, settings = example_session(OBJECTIVES, geometry="depth_normal")
        tally = take_step(session, rank_batches(empty), settings, row=0)
        losses, found = torch.load(tmp_path / f"gradients-{empty}.pt")
        assert losses == pytest.approx(dict(tally.losses), rel=1e-5)
        expected = gradients(session)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-4)
    assert done < STEPS
    assert [step["rows"] for step in steps_of(out)] == [
        step["rows"] for step in steps_of(whole_run)
    ]
    # The same sums in another order: AdamW's first steps turn rounding into differences far below a step's length.
    expected = weights_of(whole_run)
    for name, value in weights_of(out).items():
        assert (value - expected[name]).abs().mean() < 2e-5, name


def start_two(out: Path, config: str) -> None:
    """Run `two_ranks` in two processes to their end."""
    ports = [str(free_port()) for _ in range(2)]
    environment = os.environ | {
        "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": ports[0], "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.gapmodel.two_ranks", str(out), ports[1], config]
    runs = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment | {"RANK": str(rank)}, stderr=subprocess.PIPE
        )
        for rank in range(2)
    ]
    try:
        for run in runs:
            _, errors = run.communicate(timeout=100)
            assert run.returncode == 0, errors.decode()[-2000:]
    finally:
        for run in runs:
            run.kill()
            run.communicate()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_bad_sample_stops_the_run_unless_allowed_and_is_counted(copy_of_tiny, tmp_path):
    shard = sorted((copy_of_tiny / "shards").glob("*.tar"))[0]
    damaged = bytearray(shard.read_bytes())
    start = damaged.index(b"\xff\xd8\xff")  # a JPEG begins
    damaged[start : start + 64] = bytes(64)
    shard.write_bytes(damaged)
    config = run_config(str(copy_of_tiny), tmp_path / "run", steps=3, objectives={"answers": None})
    with pytest.raises(DatasetError, match=shard.name) as caught:
        train(config)
    assert "\n" not in str(caught.value)
    allowed = replace(config, max_bad_samples=9)
    assert train(allowed).step == 3
    state, _ = read_state(latest_checkpoint(tmp_path / "run"))
    assert len(state.bad_samples) == 1
    assert shard.name in state.bad_samples[0]


def test_a_run_of_another_config_is_not_touched(whole_run, tiny_url):
    before = {path: path.stat().st_mtime_ns for path in whole_run.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"another run \(seed: 5 there, 6 here\)"):
        train(replace(config_at(tiny_url, whole_run), seed=6))
    assert before == {p: p.stat().st_mtime_ns for p in whole_run.rglob("*") if p.is_file()}


def test_a_dry_run_tells_the_budget_and_writes_nothing(tiny_url, tmp_path):
    out = tmp_path / "run"
    arguments = [
        "train", "--data", f"{tiny_url}=2", "--preset", "tiny", "--steps", "40", "--rows", "2", "--row-tokens", "512",
        "--objective", "answers", "--objective", "depth=0.5", "--geometry", "none", "--workers", "0",
        "--out", str(out), "--dry-run", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    budget = json.loads(result.stdout)
    (stage,) = budget["stages"]
    assert budget["steps"] == 40
    assert budget["tokens"] == 40 * stage["step"]["tokens"]
    assert stage["hours"] == pytest.approx(40 * stage["step"]["seconds"] / 3600)
    assert 0 < stage["step"]["fill"] <= 1
    learned = sum(stage["learning"].values())
    assert stage["memory_gb"]["moments"] == pytest.approx(8 * learned / 1e9)
    assert not out.exists()


def test_wrong_flags_are_one_line(tiny_url, tmp_path):
    for arguments, says in (
        (["--preset", "huge"], "preset 'huge'"),
        (["--stage", "end"], "stage 'end'"),
        (["--objective", "dept"], "dept"),
        (["--size", "tall"], "--size"),
        (["--data", str(tmp_path / "nowhere")], "no dataset.json"),
    ):
        command = ["train", "--data", tiny_url, "--out", str(tmp_path / "run"), *arguments]
        result = CliRunner().invoke(app, command)
        assert isinstance(result.exception, Exception)
        assert says in str(result.exception)
        assert "\n" not in str(result.exception)
