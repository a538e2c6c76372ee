"""The training loop: rows of the plan in, a model out, at any moment ready to stop and to go on exactly."""

from __future__ import annotations

import math
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gapdata.errors import ConfigError, DatasetError, GapdataError
from gapmodel.data.plan import LoaderState
from gapmodel.training.checkpoint import (
    RunState,
    discard_unfinished,
    latest_checkpoint,
    require_same_config,
    save_checkpoint,
)
from gapmodel.training.flops import peak_flops
from gapmodel.training.optimizer import set_rates
from gapmodel.training.parallel import Workers, peak_memory, workers
from gapmodel.training.run_log import LOG, RunLog
from gapmodel.training.session import open_session
from gapmodel.training.stages import stage_at
from gapmodel.training.start import Start, export_model, prepare
from gapmodel.training.step import Tally, take_step
from gapmodel.training.stopping import StopRequest
from gapmodel.training.train_config import TrainConfig

_MEAN = 0.98  # how much of a loss's running mean stays at each step
_CALM = 20  # steps of a stage before a spike can be told from its beginning


class TrainingError(GapdataError):
    """Training that cannot go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a call of `train` ended. model: folder of the finished model, None when a signal stopped the run."""

    step: int
    model: Path | None
    signal: int = 0
    leads: bool = True  # whether this process speaks for all


def train(config: TrainConfig, *, fresh: bool = False) -> Outcome:
    """Train to the end of the last stage, or until a signal. Goes on from the newest checkpoint in `config.out`.

    fresh: forget the run that is there. Raises ConfigError for a checkpoint of another config, TrainingError for a
    loss that is not finite, and what reading data and writing checkpoints raise.
    """
    out = Path(config.out)
    with workers() as team, StopRequest() as stop:
        if config.rows % team.size:
            raise ConfigError(
                f"{config.rows} rows a step: expected a multiple of {team.size} processes"
            )
        if team.leads:
            _tidy(out, fresh)
        team.wait()
        checkpoint = latest_checkpoint(out)
        state = RunState(step=0, rows=LoaderState(), loss_means={}, bad_samples=())
        if checkpoint is not None:
            state = require_same_config(checkpoint, config)
        start = prepare(config, team)
        with RunLog(out, leads=team.leads, step=state.step, steps=config.steps) as log:
            while state.step < config.steps and not stop.signal:
                state = _run_stage(config, start, state, team, stop, log)
        if state.step < config.steps:
            return Outcome(step=state.step, model=None, signal=stop.signal, leads=team.leads)
        model = export_model(config, start, team)
        return Outcome(step=state.step, model=model, leads=team.leads)


def _run_stage(
    config: TrainConfig,
    start: Start,
    state: RunState,
    team: Workers,
    stop: StopRequest,
    log: RunLog,
) -> RunState:
    """Train from `state` to the end of its stage, or until a signal; the state that was saved last."""
    number, done = stage_at(config.stages, state.step)
    stage, out = config.stages[number], Path(config.out)
    first, last = state.step - done, state.step - done + stage.steps
    session = open_session(start.new_model(), stage, config, team, latest_checkpoint(out))
    loader = start.open_rows(stage, state.rows)
    loader.bad_samples += state.bad_samples
    rows, means, saved = iter(loader), dict(state.loss_means), time.monotonic()
    for step in range(state.step, last):
        rates = set_rates(session.optimizer, stage, step - first, config)
        batches = list(islice(rows, config.rows // team.size))
        session.clock.mark("data")
        tally = take_step(session, batches, config, row=config.rows * step)
        _require_finite(tally, step + 1)
        session.optimizer.step()
        session.optimizer.zero_grad()
        session.clock.mark("optimizer")
        log.step(_record(step + 1, stage.name, rates, tally, session.clock.seconds(), team))
        for text in _spikes(tally, means, step - first, config.spike):
            log.event(step + 1, text)

        due = time.monotonic() - saved > 60 * config.save_minutes
        asked = team.gather((stop.signal, due, loader.bad_samples))
        stop.signal = max(number for number, _, _ in asked)
        bad_samples = tuple(dict.fromkeys(fault for *_, faults in asked for fault in faults))
        _require_few(bad_samples, config.max_bad_samples)
        if stop.signal or asked[0][1] or step + 1 == last:
            state = RunState(
                step=step + 1, rows=loader.state, loss_means=dict(means), bad_samples=bad_samples
            )
            save_checkpoint(
                out, state, config, session.model, session.optimizer,
                workers=team, save_assets=start.save_assets,
            )  # fmt: skip
            saved = time.monotonic()
        if stop.signal:
            log.event(step + 1, f"{signal.Signals(stop.signal).name}: saved and stopped")
            break
    loader.close()
    return state


def _tidy(out: Path, fresh: bool) -> None:
    """Remove what is not to be gone on from."""
    discard_unfinished(out)
    if fresh:
        for name in ("checkpoints", "model", "tensorboard"):
            shutil.rmtree(out / name, ignore_errors=True)
        (out / LOG).unlink(missing_ok=True)


def _require_few(bad_samples: tuple[str, ...], most: int) -> None:
    """Each process stops at its own bad samples; together they may have seen too many."""
    if len(bad_samples) > most:
        raise DatasetError(
            f"{len(bad_samples)} bad samples, {most} are allowed, the last one {bad_samples[-1]}"
        )


def _require_finite(tally: Tally, step: int) -> None:
    faults = [
        f"{name} is {value} in row {row.number} ({', '.join(row.keys)})"
        for row in tally.rows
        for name, value in row.losses.items()
        if not math.isfinite(value)
    ]
    if not faults and not math.isfinite(tally.gradient):
        keys = ", ".join(key for row in tally.rows for key in row.keys)
        faults = [f"the gradient is {tally.gradient} in one of {keys}"]
    if faults:
        raise TrainingError(
            f"step {step}: loss is not finite: {'; '.join(faults)}; the checkpoint before it is kept"
        )


def _spikes(tally: Tally, means: dict[str, float], step: int, factor: float) -> list[str]:
    """What to say of losses far above their running means, which are brought up to date. step: in the stage."""
    texts = []
    for name, value in tally.losses.items():
        mean = means.setdefault(name, value)
        if step >= _CALM and value > factor * mean > 0:
            worst = max(tally.rows, key=lambda row: row.losses[name])
            texts.append(
                f"{name} jumped to {value:.3f} from a mean of {mean:.3f}, most in row {worst.number} "
                f"({', '.join(worst.keys)})"
            )
        means[name] = _MEAN * mean + (1 - _MEAN) * value
    return texts


def _record(
    step: int, stage: str, rates: Mapping[str, float], tally: Tally, seconds: Mapping[str, float], team: Workers
) -> dict[str, Any]:  # fmt: skip
    """A step's line in the log. Seconds and memory are the leading process's own."""
    whole = max(sum(seconds.values()), 1e-9)
    record: dict[str, Any] = {
        "step": step,
        "stage": stage,
        "losses": dict(tally.losses),
        "metrics": dict(tally.metrics),
        "rates": dict(rates),
        "gradient_norm": tally.gradient,
        "tokens": tally.tokens,
        "answers": tally.answers,
        "rows": {row.number: row.asked for row in tally.rows},
        "seconds": dict(seconds),
        "tokens_per_second": tally.tokens / whole,
        "answers_per_second": tally.answers / whole,
        "flops": tally.flops,
        "memory_gb": peak_memory(team.device) / 1e9,
    }
    if peak := peak_flops(team.device):
        record["mfu"] = tally.flops / whole / (peak * team.size)
    return record
