r"""Geometry-aligned pre-training of Qwen3-VL from the hub's weights: the real thing, on one or many GPUs.

Starts from Qwen/Qwen3-VL-2B-Instruct or Qwen/Qwen3-VL-4B-Instruct (Apache-2.0), adds geometry encoder, fusion and
heads, and goes through three stages: new parts only, language model at a low rate, task mix.

One GPU (80 GB), low-rank adapters in the language model:

    python pipelines/pretrain_qwen3vl.py --data s3://bucket/scannet=3 --data s3://bucket/houses=1 --lora 64 --out out/qwen

Eight GPUs of a node, all parameters, FSDP2:

    torchrun --standalone --nproc-per-node 8 pipelines/pretrain_qwen3vl.py \
        --data s3://bucket/scannet=3 --data s3://bucket/houses=1 --out /shared/qwen

Several nodes: the same with `--nnodes N --rdzv-backend c10d --rdzv-endpoint HOST:PORT` on each. `--dry-run` measures
two steps and prints the budget of tokens, memory and time. The same command goes on after a stop. Afterwards:

    gapmodel eval --checkpoint out/qwen --data s3://bucket/scannet --split val --out out/qwen/eval
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gapmodel.training.budget import describe, measure_budget
from gapmodel.training.defaults import default_config
from gapmodel.training.train import train


def main(
    data: Annotated[list[str], typer.Option(metavar="URL[=WEIGHT]", help="Datasets of the mixture.")],
    out: Annotated[str, typer.Option(help="Folder of the run, seen by all nodes.")] = "out/qwen",
    size: Annotated[str, typer.Option(help="2b or 4b.")] = "2b",
    steps: Annotated[int, typer.Option(help="Of all stages together.")] = 10000,
    lora: Annotated[int, typer.Option(help="Rank of adapters in the language model; 0 trains all of it.")] = 0,
    rows: Annotated[int, typer.Option(help="Packed rows of a step, over all GPUs.")] = 16,
    views: Annotated[int, typer.Option(help="Most views of a sample.")] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the budget only.")] = False,
) -> None:  # fmt: skip
    """Train, or say what it would take."""
    config = default_config(
        f"qwen3-vl-{size}", data=[_weighted(text) for text in data], out=out, steps=steps, rows=rows,
        max_views=views, max_questions=16, workers=8, compile=True, lora=lora,
    )  # fmt: skip
    if dry_run:
        typer.echo(describe(measure_budget(config)))
        return
    outcome = train(config)
    if outcome.signal:
        sys.exit(128 + outcome.signal)


def _weighted(text: str) -> tuple[str, float]:
    url, _, weight = text.rpartition("=")
    return (url, float(weight)) if url else (text, 1.0)


if __name__ == "__main__":
    typer.run(main)
