"""Scores of public benchmarks from their rows and a model's replies, in two modes.

`compatible` gives what the published scorer gives, its quirks included, so that numbers can be put beside published ones.
`strict` gives what the benchmark means to measure. Where they differ is listed in each module, with the source that was
read. Replies are parsed, never evaluated: where a published scorer runs a reply as Python, literals alone are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol

from gapdata.errors import ConfigError

Mode = Literal["compatible", "strict"]
MODES: tuple[Mode, ...] = ("compatible", "strict")

BENCHMARKS: Mapping[str, str] = {
    "vsi-bench": "gapmodel.benchmarks.vsi_bench",
    "spar-bench": "gapmodel.benchmarks.spar_bench",
    "detection-3d": "gapmodel.benchmarks.detection_3d",
    "scanrefer": "gapmodel.benchmarks.scanrefer",
}


class Scorer(Protocol):
    """A benchmark's module."""

    def score(self, row: Mapping[str, Any], reply: str, mode: Mode) -> Any:
        """What one reply earns."""
        ...

    def summarise(
        self, rows: Sequence[Mapping[str, Any]], scores: Sequence[Any], mode: Mode
    ) -> dict[str, float]:
        """The benchmark's figures, from 0 to 1."""
        ...


def score_benchmark(
    name: str, rows: Sequence[Mapping[str, Any]], replies: Sequence[str], mode: Mode
) -> dict[str, float]:
    """The figures of a benchmark for one reply a row. Raises ConfigError for an unknown benchmark or mode."""
    if name not in BENCHMARKS:
        raise ConfigError(f"benchmark {name!r}: expected one of {', '.join(BENCHMARKS)}")
    if mode not in MODES:
        raise ConfigError(f"mode {mode!r}: expected one of {', '.join(MODES)}")
    if len(rows) != len(replies):
        raise ConfigError(f"{name}: {len(rows)} rows but {len(replies)} replies")
    scorer: Scorer = import_module(BENCHMARKS[name])  # type: ignore[assignment]
    scores = [scorer.score(row, reply, mode) for row, reply in zip(rows, replies, strict=True)]
    return scorer.summarise(rows, scores, mode)
