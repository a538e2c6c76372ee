"""How well a GPU is used: MFU, the split of a step, memory and data wait while training in a preset's shape.

Random weights, vision frozen, 8 views, packed rows; geometry, fusion, heads and language model learn with AdamW. The
dataset must be small enough to lie beside the GPU:

    python pipelines/benchmarks/mfu.py --data out/houses --preset qwen3-vl-2b --steps 40

`--preset tiny --steps 12` runs the same on a CPU, where there is no MFU to state.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import torch
import typer
from machine import describe_run

from gapmodel.training.defaults import default_config
from gapmodel.training.run_log import LOG
from gapmodel.training.stages import WEIGHTS
from gapmodel.training.train import train
from gapmodel.training.train_config import Stage

RATES = {"geometry": 1e-4, "fusion": 1e-4, "heads": 1e-4, "language": 1e-5}


def main(
    data: Annotated[str, typer.Option(help="A dataset with 8 views a sample.")],
    preset: str = "qwen3-vl-2b",
    steps: Annotated[int, typer.Option(min=8, help="Steps; the first quarter warms up.")] = 40,
    rows: Annotated[int, typer.Option(help="Packed rows of a step.")] = 4,
    row_tokens: Annotated[int | None, typer.Option(help="Tokens of a row.")] = None,
    checkpointing: Annotated[int | None, typer.Option(help="Every n-th layer computes again.")] = None,
    objectives: Annotated[str, typer.Option(help="All but distillation, or answers alone.")] = "all",
    compiled: Annotated[bool, typer.Option("--compile/--no-compile")] = True,
    workers: int = 8,
) -> None:  # fmt: skip
    """Train some steps in a scratch folder and print what the log says of the later ones."""
    names = ["answers"] if objectives == "answers" else [n for n in WEIGHTS if n != "distillation"]
    weights = {name: WEIGHTS[name] for name in names}
    given = {"row_tokens": row_tokens, "checkpointing": checkpointing}
    with tempfile.TemporaryDirectory() as folder:
        config = default_config(
            preset, data=[(data, 1.0)], out=folder, rows=rows, max_views=8, max_questions=16, workers=workers,
            init="random", compile=compiled and torch.cuda.is_available(), save_minutes=1e6,
            stages=(Stage(name="measured", steps=steps, rates=RATES, weights=weights),),
            **{name: value for name, value in given.items() if value is not None},
        )  # fmt: skip
        train(config)
        log = [json.loads(line) for line in (Path(folder) / LOG).read_text().splitlines()]
    records = [record for record in log if "seconds" in record][steps // 4 :]
    print(describe(records))
    print(describe_run())


def describe(records: list[dict[str, Any]]) -> str:
    """The means over some steps, in words."""
    seconds = {
        name: fmean(r["seconds"].get(name, 0.0) for r in records) for name in records[0]["seconds"]
    }
    whole = sum(seconds.values())
    split = ", ".join(f"{name} {value / whole:.1%}" for name, value in seconds.items())
    lines = [
        f"{whole:.3f} s a step: {split}",
        f"{fmean(r['tokens'] for r in records) / whole:.0f} tokens/s, {fmean(r['answers'] for r in records) / whole:.1f} answers/s, "
        f"{fmean(r['flops'] for r in records) / whole / 1e12:.2f} TFLOP/s",
        f"peak memory {max(r['memory_gb'] for r in records):.1f} GB",
    ]
    if "mfu" in records[0]:
        lines.append(f"MFU {fmean(r['mfu'] for r in records):.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
