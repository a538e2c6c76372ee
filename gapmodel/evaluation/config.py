"""What an evaluation is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from gapdata.errors import ConfigError

# What may differ when an evaluation goes on: where things lie and how it computes, not what.
HOW = frozenset({"checkpoint", "data", "batch", "device", "dtype"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalConfig:
    """One evaluation of one checkpoint on one split.

    tasks: only these. max_samples: so many, spread evenly over the split. max_questions: so many of each sample, spread
    evenly over its questions. options: choice and yes/no questions are answered a second time by the most probable
    option. geometry: the model is given true depth and normals as an input. blind: it sees grey pictures and no geometry.
    image_size: (height, width) of the pictures, the checkpoint's own when None. batch: questions at once.
    """

    checkpoint: str
    data: str
    split: str = "val"
    tasks: tuple[str, ...] = ()
    max_samples: int | None = None
    max_questions: int | None = None
    answers: bool = True
    heads: bool = True
    options: bool = False
    geometry: bool = False
    blind: bool = False
    image_size: tuple[int, int] | None = None
    max_new_tokens: int = 512
    seed: int = 0
    batch: int = 32
    device: str = "cpu"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.blind and self.geometry:
            raise ConfigError("blind and geometry: a blind model is given nothing to see")
        if not (self.answers or self.heads):
            raise ConfigError("neither answers nor heads: nothing is left to evaluate")
        for name in ("max_samples", "max_questions", "max_new_tokens", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} {value}: expected 1 or more")

    def to_dict(self) -> dict[str, Any]:
        """The config as JSON holds it."""
        return json.loads(json.dumps(asdict(self)))
