"""What a run will take, from two measured steps: tokens, memory, time. Writes nothing."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import islice
from typing import Any

from gapdata.errors import ConfigError
from gapmodel.data.plan import LoaderState
from gapmodel.training.flops import peak_flops
from gapmodel.training.optimizer import parts_of, set_rates
from gapmodel.training.parallel import Workers, peak_memory, workers
from gapmodel.training.session import Session, open_session
from gapmodel.training.start import prepare
from gapmodel.training.step import Tally, take_step
from gapmodel.training.train_config import Stage, TrainConfig


def measure_budget(config: TrainConfig) -> dict[str, Any]:
    """Per stage: parameters, tokens, bytes and seconds, from its first two steps; the second one is measured.

    Every stage starts from the model's own start. Raises what training would raise.
    """
    with workers() as team, tempfile.TemporaryDirectory() as folder:
        if config.rows % team.size:
            raise ConfigError(
                f"{config.rows} rows a step: expected a multiple of {team.size} processes"
            )
        config = replace(config, out=folder)
        start = prepare(config, team)
        stages = []
        for stage in config.stages:
            session = open_session(start.new_model(), stage, config, team, None)
            loader = start.open_rows(stage, LoaderState())
            rows = iter(loader)
            session.clock.seconds()
            for step in range(2):
                set_rates(session.optimizer, stage, step, config)
                batches = list(islice(rows, config.rows // team.size))
                session.clock.mark("data")
                tally = take_step(session, batches, config, row=config.rows * step)
                session.optimizer.step()
                session.optimizer.zero_grad()
                session.clock.mark("optimizer")
                seconds = session.clock.seconds()
            loader.close()
            stages.append(_stage_budget(stage, session, tally, seconds, config, team))
    hours = sum(stage["hours"] for stage in stages)
    tokens = sum(stage["tokens"] for stage in stages)
    return {
        "processes": team.size,
        "steps": config.steps,
        "tokens": tokens,
        "hours": hours,
        "stages": stages,
    }


def describe(budget: dict[str, Any]) -> str:
    """The budget for people to read."""
    lines = [
        f"{budget['steps']} steps on {budget['processes']} processes: {budget['tokens'] / 1e6:.1f} M tokens, "
        f"{budget['hours']:.2f} hours"
    ]
    for stage in budget["stages"]:
        memory, step = stage["memory_gb"], stage["step"]
        lines += [
            f"{stage['name']}: {stage['steps']} steps, {stage['hours']:.2f} hours",
            "  learns  " + _millions(stage["learning"]) + "; frozen " + _millions(stage["frozen"]),
            f"  step    {step['seconds']:.2f} s, {step['tokens']} tokens in {step['rows']} rows "
            f"({step['fill']:.0%} full), {step['answers']} answers, {step['flops'] / 1e12:.3g} TFLOP"
            + (f", MFU {step['mfu']:.2f}" if "mfu" in step else ""),
            "  memory  "
            + ", ".join(f"{name} {size:.2f} GB" for name, size in memory.items())
            + " a process",
        ]
    return "\n".join(lines)


def _stage_budget(
    stage: Stage, session: Session, tally: Tally, seconds: dict[str, float], config: TrainConfig, team: Workers
) -> dict[str, Any]:  # fmt: skip
    whole = sum(seconds.values())
    step: dict[str, Any] = {
        "seconds": whole,
        "parts": seconds,
        "tokens": tally.tokens,
        "rows": config.rows,
        "fill": tally.tokens / (config.rows * config.row_tokens),
        "answers": tally.answers,
        "flops": tally.flops,
    }
    if peak := peak_flops(team.device):
        step["mfu"] = tally.flops / whole / (peak * team.size)
    learning, frozen = _sizes(session, learns=True), _sizes(session, learns=False)
    share = 4 / team.size / 1e9  # float32, split over the processes
    learned = sum(learning.values())
    return {
        "name": stage.name,
        "steps": stage.steps,
        "hours": stage.steps * whole / 3600,
        "tokens": stage.steps * tally.tokens,
        "learning": learning,
        "frozen": frozen,
        "step": step,
        "memory_gb": {
            "parameters": (learned + sum(frozen.values())) * share,
            "gradients": learned * share,
            "moments": 2 * learned * share,
            "peak": peak_memory(team.device) / 1e9,
        },
    }


def _sizes(session: Session, *, learns: bool) -> dict[str, int]:
    """Parameters of each part of the model that learn, or that do not."""
    parts, sizes = parts_of(session.model), dict[str, int]()
    for name, parameter in session.model.named_parameters():
        if parameter.requires_grad == learns:
            sizes[parts[name]] = sizes.get(parts[name], 0) + parameter.numel()
    return sizes


def _millions(sizes: dict[str, int]) -> str:
    return ", ".join(f"{part} {count / 1e6:.2f} M" for part, count in sizes.items()) or "nothing"
