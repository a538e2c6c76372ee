"""Progressive training: which parts learn at which rate, and what they learn from, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gapdata.errors import ConfigError
from gapmodel.training.train_config import Stage

# Weight of every objective that a model has a head for; "answers" needs none.
WEIGHTS: Mapping[str, float] = {
    "answers": 1.0,
    "depth": 1.0,
    "normal": 0.5,
    "pose": 0.5,
    "pointmap": 0.5,
    "reconstruction": 0.5,
    "point_image": 0.1,
    "geometry_language": 0.1,
    "relations": 0.1,
    "distillation": 0.5,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recipe:
    """A stage before its length and the model's heads are known. share: of the run's steps."""

    share: float
    rates: Mapping[str, float]
    scales: Mapping[str, float]  # objective -> factor on WEIGHTS; not named: 1


RECIPES: Mapping[str, _Recipe] = {
    # New modules learn geometry while everything pre-trained stays as it is.
    "heads": _Recipe(share=0.2, rates={"heads": 1e-3, "fusion": 1e-3, "geometry": 1e-3}, scales={}),
    # The language model joins at a low rate.
    "language": _Recipe(
        share=0.3,
        rates={"heads": 3e-4, "fusion": 3e-4, "geometry": 3e-4, "language": 1e-5},
        scales={},
    ),
    # Answers lead, geometry keeps the features honest.
    "mix": _Recipe(
        share=0.5,
        rates={"heads": 1e-4, "fusion": 1e-4, "geometry": 1e-4, "language": 1e-5},
        scales={name: 0.5 for name in WEIGHTS if name != "answers"},
    ),
    # From random weights: everything at one rate.
    "scratch": _Recipe(
        share=1.0,
        rates={"vision": 1e-3, "geometry": 1e-3, "fusion": 1e-3, "language": 1e-3, "heads": 1e-3},
        scales={},
    ),
}


def make_stages(
    names: Sequence[str], *, steps: int, objectives: Mapping[str, float | None]
) -> tuple[Stage, ...]:
    """The named stages, sharing out `steps`; a name may carry its own length: `heads=500`.

    objectives: those to learn from, each with its weight, or None for the stage's own. Raises ConfigError for an
    unknown name and for too few steps.
    """
    split = [name.partition("=") for name in names]
    for name, _, _ in split:
        if name not in RECIPES:
            raise ConfigError(f"stage {name!r}: expected some of {', '.join(RECIPES)}")
    own = [_own_steps(name, given) if given else None for name, _, given in split]
    shared = sum(
        RECIPES[name].share for (name, _, _), n in zip(split, own, strict=True) if n is None
    )
    if sum(n is None for n in own) > steps:
        raise ConfigError(
            f"{steps} steps for the stages {', '.join(names)}: expected 1 each or more"
        )
    stages, done, start = [], 0.0, 0
    waiting = sum(n is None for n in own)
    for (name, _, _), length in zip(split, own, strict=True):
        if length is None:
            # Ends are rounded, not lengths, so that the lengths sum to `steps`; each is 1 or more.
            done, waiting = done + RECIPES[name].share, waiting - 1
            end = min(max(round(steps * done / shared), start + 1), steps - waiting)
            length, start = end - start, end
        stages.append(
            Stage(
                name=name,
                steps=length,
                rates=dict(RECIPES[name].rates),
                weights={
                    objective: WEIGHTS[objective] * RECIPES[name].scales.get(objective, 1.0)
                    if weight is None
                    else weight
                    for objective, weight in objectives.items()
                },
            )
        )
    return tuple(stages)


def stage_at(stages: Sequence[Stage], step: int) -> tuple[int, int]:
    """Number of the stage that a step (from 0) belongs to, and the step within it."""
    for number, stage in enumerate(stages):
        if step < stage.steps:
            return number, step
        step -= stage.steps
    raise IndexError("step after the last stage")


def rate_factor(step: int, steps: int, *, warmup: float, final: float) -> float:
    """Share of the peak rate at a step (from 0) of a stage: linear warm-up, then a cosine down to `final`."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))


def _own_steps(name: str, given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(f"stage {name}={given}: expected a number of steps after '='")
    return int(given)
