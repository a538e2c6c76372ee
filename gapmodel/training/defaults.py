"""What a run is when nothing else is said: sizes, geometry, changes to samples and stages by preset."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapdata.errors import ConfigError
from gapmodel.objectives import OBJECTIVES
from gapmodel.training.stages import make_stages
from gapmodel.training.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Sizes that fit a preset. stages: those a run goes through; steps: their length together."""

    image_size: tuple[int, int]
    row_tokens: int
    rows: int
    stages: tuple[str, ...]
    steps: int
    checkpointing: int = 0


SCALES: Mapping[str, Scale] = {
    "tiny": Scale(image_size=(96, 128), row_tokens=1024, rows=4, stages=("scratch",), steps=500),
    "small": Scale(image_size=(288, 384), row_tokens=8192, rows=8, stages=("scratch",), steps=2000),
    "qwen3-vl-2b": Scale(
        image_size=(480, 640), row_tokens=16384, rows=16, stages=("heads", "language", "mix"),
        steps=10000, checkpointing=2,
    ),
    "qwen3-vl-4b": Scale(
        image_size=(480, 640), row_tokens=16384, rows=16, stages=("heads", "language", "mix"),
        steps=10000, checkpointing=1,
    ),
}  # fmt: skip

# Geometry is often taken away, so that pictures alone suffice; see gapmodel.data.augment.Augment.
AUGMENT: Mapping[str, float] = {
    "fewer_views": 0.2,
    "shuffled": 0.2,
    "crop": 0.1,
    "recolour": 0.5,
    "depth_noise": 0.5,
    "no_geometry": 0.3,
    "no_view_geometry": 0.1,
}


def default_config(
    preset: str, *, data: Sequence[tuple[str, float]], out: str, stage_names: Sequence[str] = (),
    steps: int | None = None, objectives: Mapping[str, float | None] | None = None, **changes: Any,
) -> TrainConfig:  # fmt: skip
    """The config of a run of a preset. `changes` are fields of TrainConfig that shall be otherwise.

    stage_names: of gapmodel.training.stages.RECIPES, each optionally with its length (`heads=500`). objectives: those to
    learn from, all but distillation by default, with a weight where the stage's shall not count. Raises ConfigError
    for a name or value that does not exist.
    """
    if preset not in SCALES:
        raise ConfigError(f"preset {preset!r}: expected one of {', '.join(SCALES)}")
    scale = SCALES[preset]
    wanted = objectives or {name: None for name in OBJECTIVES if name != "distillation"}
    if unknown := sorted(set(wanted) - set(OBJECTIVES)):
        raise ConfigError(f"objectives {unknown}: expected some of {', '.join(OBJECTIVES)}")
    values: dict[str, Any] = {
        "preset": preset,
        "data": tuple(data),
        "out": out,
        "image_size": scale.image_size,
        "row_tokens": scale.row_tokens,
        "rows": scale.rows,
        "checkpointing": scale.checkpointing,
        "geometry": {"kind": "depth_normal"},
        "augment": dict(AUGMENT),
    }
    if "stages" not in changes:
        values["stages"] = make_stages(
            stage_names or scale.stages,
            steps=scale.steps if steps is None else steps,
            objectives=wanted,
        )
    return TrainConfig.from_dict(values | changes)


def read_config(path: Path) -> dict[str, Any]:
    """Fields of TrainConfig from a TOML file; `[[stages]]` tables are stages. Raises ConfigError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
