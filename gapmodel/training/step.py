"""One step of training: gradients of rows over all processes, and what was seen on the way."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from gapmodel.data.batch import Batch
from gapmodel.training.flops import batch_flops
from gapmodel.training.parallel import gradient_scale, whole
from gapmodel.training.session import Session
from gapmodel.training.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What was seen of one row. number: in the plan. asked: digest of its questions. counts: weight in each mean."""

    number: int
    keys: tuple[str, ...]
    asked: str
    losses: Mapping[str, float]
    counts: Mapping[str, int]
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What was seen of a step, the same on all processes. gradient: its norm before clipping."""

    losses: Mapping[str, float]
    metrics: Mapping[str, float]
    gradient: float
    tokens: int
    answers: int
    flops: float
    rows: tuple[Row, ...]


def take_step(
    session: Session, batches: Sequence[Batch], config: TrainConfig, *, row: int
) -> Tally:
    """Puts the clipped gradients of a step into the model. row: number of the step's first row, of all processes.

    Every objective's loss is the mean over the whole step: a row counts by its supervised tokens for answers, by
    its pictures for the others, so that accumulation and the number of processes do not change it.
    """
    team, weights, clock = session.workers, session.stage.weights, session.clock
    names = [name for name, weight in weights.items() if weight > 0]
    counts = [{name: _count(name, batch) for name in names} for batch in batches]
    totals = team.sum([sum(count[name] for count in counts) for name in names])
    shares = {
        name: weights[name] * gradient_scale(session.model) / max(total, 1.0)
        for name, total in zip(names, totals, strict=True)
    }
    seen = []
    for index, batch in enumerate(batches):
        number = row + index * team.size + team.rank
        # A row brings its own random numbers: neither a resume nor the number of processes changes them.
        torch.manual_seed((config.seed * 0x9E3779B1 + number) % 2**63)
        with torch.autocast(team.device.type, torch.bfloat16, enabled=team.device.type == "cuda"):
            losses = session.model(batch.to(team.device, non_blocking=True), weights)
            loss = sum(losses[name].value * (shares[name] * counts[index][name]) for name in names)
        clock.start_backward()
        loss.backward()
        clock.end_backward()
        scalars = {name: losses[name].value for name in names} | {
            f"{name}/{metric}": value
            for name in names
            for metric, value in losses[name].metrics.items()
        }
        seen.append(
            (number, scalars.keys(), torch.stack([s.detach().float() for s in scalars.values()]))
        )
    gradient = float(whole(torch.nn.utils.clip_grad_norm_(session.model.parameters(), config.clip)))
    rows = [
        _row(number, batch, names, dict(zip(keys, values.tolist(), strict=True)), count)
        for (number, keys, values), batch, count in zip(seen, batches, counts, strict=True)
    ]
    return _tally(session, batches, rows, gradient)


def _row(
    number: int, batch: Batch, names: Sequence[str], scalars: dict[str, float], counts: Mapping[str, int]
) -> Row:  # fmt: skip
    asked = repr([(branch.key, branch.qa) for branch in batch.branches])
    losses = {name: scalars.pop(name) for name in names}
    return Row(
        number=number,
        keys=batch.sample_keys,
        asked=hashlib.sha256(asked.encode()).hexdigest()[:12],
        losses=losses,
        counts=counts,
        metrics=scalars,
    )


def _tally(
    session: Session, batches: Sequence[Batch], rows: Sequence[Row], gradient: float
) -> Tally:
    """Everything that all processes saw, put together."""
    team, model = session.workers, session.model.model
    tokens, answers, flops = team.sum(
        [
            sum(int((batch.group_ids >= 0).sum()) for batch in batches),
            sum(len(batch.branches) for batch in batches),
            sum(batch_flops(model, batch, session.learning) for batch in batches),
        ]
    )
    everyone = sorted(
        (row for part in team.gather(rows) for row in part), key=lambda row: row.number
    )
    names = everyone[0].losses
    metrics = sorted({name for row in everyone for name in row.metrics})
    return Tally(
        losses={
            name: sum(row.losses[name] * row.counts[name] for row in everyone)
            / max(sum(row.counts[name] for row in everyone), 1)
            for name in names
        },
        metrics={
            name: mean
            for name in metrics
            if (mean := _mean([row.metrics[name] for row in everyone if name in row.metrics]))
            is not None
        },
        gradient=gradient,
        tokens=round(tokens),
        answers=round(answers),
        flops=flops,
        rows=tuple(everyone),
    )


def _count(name: str, batch: Batch) -> int:
    """What a row weighs in the mean of an objective."""
    return int((batch.labels >= 0).sum()) if name == "answers" else len(batch.images)


def _mean(values: Sequence[float]) -> float | None:
    """The mean of the finite values, None without any: a metric of nothing is NaN."""
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else None
