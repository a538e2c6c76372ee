"""Everything that a training run is told: data, model, stages, sizes, optimiser. Stored with each checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gapdata.errors import ConfigError

PARTS = ("vision", "geometry", "fusion", "language", "heads")

# What may differ when a run goes on: where it writes and how it computes, not what it computes.
_HOW = frozenset(
    {
        "out",
        "workers",
        "cache",
        "shard_cache",
        "shard_cache_gb",
        "save_minutes",
        "keep",
        "max_bad_samples",
        "checkpointing",
        "compile",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A stretch of steps with its own trained parts and objectives.

    rates: part of the model (one of PARTS) -> peak learning rate; parts that are not named are frozen.
    weights: objective -> weight in the loss; objectives that are not named are not computed.
    """

    name: str
    steps: int
    rates: Mapping[str, float]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"stage {self.name!r}: steps {self.steps}: expected 1 or more")
        if unknown := sorted(set(self.rates) - set(PARTS)):
            raise ConfigError(
                f"stage {self.name!r}: parts {unknown}: expected some of {', '.join(PARTS)}"
            )
        if not any(weight > 0 for weight in self.weights.values()):
            raise ConfigError(f"stage {self.name!r}: no objective has a weight above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """One training run.

    data: dataset URL and weight in the mixture. init: folder or hub id whose weights the run starts from; empty for the
    preset's own start, "random" for random weights in the preset's shape. geometry, fusion, heads: as in GapConfig,
    where the preset shall not decide. image_size: height and width that all pictures are brought to. row_tokens: most
    tokens of a packed row. rows: rows of a step, over all processes and micro-batches together. task_weights, augment:
    as in PlanConfig and Augment. blind: pictures are grey, for a model to compare with. features: folder or URL of a
    FeatureCache, for distillation and for geometry of source `cache`; it holds pictures as they were shown when it was
    filled. warmup and final_rate: share of a stage's steps that warm up, share of the peak rate at its end.
    """

    data: tuple[tuple[str, float], ...]
    stages: tuple[Stage, ...]
    out: str
    preset: str = "tiny"
    init: str = ""
    split: str = "train"
    seed: int = 0
    geometry: Mapping[str, Any] = field(default_factory=lambda: {"kind": "none"})
    fusion: Mapping[str, Any] = field(default_factory=dict)
    heads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lora: int = (
        0  # rank of adapters that learn in place of the language model, 0 = it learns itself
    )

    image_size: tuple[int, int] = (96, 128)
    row_tokens: int = 1024
    rows: int = 4
    max_views: int = 8
    max_questions: int = 8
    phrase_tokens: int = 96  # most in a sample, where an objective needs phrases
    task_weights: Mapping[str, float] = field(default_factory=dict)
    augment: Mapping[str, float] = field(default_factory=dict)
    blind: bool = False
    features: str = ""

    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.05
    clip: float = 1.0
    warmup: float = 0.05
    final_rate: float = 0.1
    spike: float = 3.0  # a loss this many times its running mean is reported

    workers: int = 0
    cache: str = ""
    shard_cache: str = ""  # local folder for what is read of remote shards
    shard_cache_gb: float = 64.0  # that it stays below
    save_minutes: float = 10.0
    keep: int = 2
    max_bad_samples: int = 0
    checkpointing: int = 0  # every n-th layer computes its activations again, 0 = none
    compile: bool = False

    def __post_init__(self) -> None:
        if not self.data:
            raise ConfigError("no data: give --data URL at least once")
        if not self.stages:
            raise ConfigError("no stage: a run needs at least one")
        for name in ("row_tokens", "rows", "keep"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} {getattr(self, name)}: expected 1 or more")
        for url, weight in self.data:
            if not weight > 0:
                raise ConfigError(f"{url}: weight {weight}: expected a number above 0")

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON holds it."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The config that `to_dict` gave. Raises ConfigError for an unknown field."""
        known = {one.name for one in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(f"train config: unknown {unknown}: expected some of {sorted(known)}")
        changed = dict(values)
        if "stages" in values:
            changed["stages"] = tuple(
                stage if isinstance(stage, Stage) else _stage(stage) for stage in values["stages"]
            )
        if "data" in values:
            changed["data"] = tuple((str(url), float(weight)) for url, weight in values["data"])
        if "image_size" in values:
            height, width = values["image_size"]
            changed["image_size"] = (int(height), int(width))
        return cls(**changed)

    def differences(self, other: TrainConfig) -> list[str]:
        """What would make another run of this one: `name: here, there` for each field that matters."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [
            f"{name}: {theirs[name]} there, {mine[name]} here"
            for name in mine
            if name not in _HOW and mine[name] != theirs[name]
        ]


def _stage(values: Mapping[str, Any]) -> Stage:
    try:
        return Stage(**values)
    except TypeError as error:
        expected = ", ".join(one.name for one in fields(Stage))
        raise ConfigError(
            f"stage {values.get('name', '?')!r}: {sorted(values)}: expected {expected}"
        ) from error
