"""What each part of geometry-aligned pre-training is worth at equal time: an ablation of the small model on one GPU.

Four models of about 100 M parameters learn from nothing on the same dataset for the same time:

    answers    cross-entropy on answers only
    heads      + depth, normals, poses, pointmap and object reconstruction
    aligned    + point cloud-image, geometry-language and relation alignment
    geometry   + depth and normals as an input, often taken away

and are compared on held-out scenes, from pictures alone. Build the dataset first, where gapdata is installed:

    gapdata build --source synthetic --world house --num-scenes 200 --size 384x288 --workers 8 --out out/houses
    python pipelines/pretrain_small.py --data out/houses --minutes 9 --out out/small

`--preset tiny --minutes 1` runs the same on a CPU, to see that everything works.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from benchmarks.machine import describe_run

from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.run import evaluate
from gapmodel.training.defaults import AUGMENT, default_config
from gapmodel.training.train import train
from gapmodel.training.train_config import TrainConfig

ANSWERS = ("answers",)
HEADS = (*ANSWERS, "depth", "normal", "pose", "pointmap", "reconstruction")
ALIGNED = (*HEADS, "point_image", "geometry_language", "relations")
ARMS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "answers": (ANSWERS, "none"),
    "heads": (HEADS, "none"),
    "aligned": (ALIGNED, "none"),
    "geometry": (ALIGNED, "depth_normal"),
}
FIGURES = (("depth", "abs_rel"), ("normal", "mean_angle_deg"), ("pose", "rra_15"))


def main(
    data: Annotated[str, typer.Option(help="A dataset with splits train and val.")],
    out: Annotated[Path, typer.Option(help="Folder of runs and the table.")] = Path("out/small"),
    preset: str = "small",
    minutes: Annotated[float, typer.Option(help="Training time of each model.")] = 9.0,
    arms: Annotated[str, typer.Option(help="Only these, comma-separated.")] = ",".join(ARMS),
    max_samples: Annotated[int, typer.Option(help="Held-out samples to evaluate on.")] = 100,
    seed: int = 0,
) -> None:
    """Train and evaluate every arm, print the table."""
    rows = {}
    for arm in arms.split(","):
        steps = train_for(minutes, arm_config(arm, data, str(out / arm), preset, seed))
        rows[arm] = {"steps": steps, **evaluate_arm(out / arm, data, max_samples)}
        (out / "summaries.json").write_text(json.dumps(rows, indent=1))
    table = as_table(rows)
    note = f"{describe_run()}; {device()}, {minutes:g} min an arm"
    (out / "table.md").write_text(f"{table}\n\n{note}\n")
    typer.echo(f"{table}\n\n{note}")


def arm_config(arm: str, data: str, out: str, preset: str, seed: int) -> TrainConfig:
    """The run of an arm; long enough to be stopped by the clock."""
    objectives, geometry = ARMS[arm]
    augment = dict(AUGMENT) if geometry != "none" else {}
    return default_config(
        preset, data=[(data, 1.0)], out=out, seed=seed, steps=1_000_000, geometry={"kind": geometry},
        objectives=dict.fromkeys(objectives), augment=augment, workers=4,
    )  # fmt: skip


def train_for(minutes: float, config: TrainConfig) -> int:
    """Steps done in so many minutes of this process. The clock starts with the call: data and start-up count."""
    timer = threading.Timer(60 * minutes, signal.raise_signal, [signal.SIGTERM])
    timer.start()
    try:
        return train(config).step
    finally:
        timer.cancel()


def evaluate_arm(folder: Path, data: str, max_samples: int) -> dict[str, Any]:
    """The summary on held-out samples, from pictures alone."""
    started = time.monotonic()
    config = EvalConfig(
        checkpoint=str(folder), data=data, max_samples=max_samples, max_questions=40, max_new_tokens=64,
        device="cuda" if torch.cuda.is_available() else "cpu",
    )  # fmt: skip
    summary = evaluate(config, out=folder / "eval", fresh=True)
    return {**summary, "evaluation_seconds": time.monotonic() - started}


def as_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: an arm a row."""
    families = sorted({row["family"] for arm in rows.values() for row in arm["families"]})
    heads = [f"{head} {figure}" for head, figure in FIGURES]
    lines = [
        f"| arm | steps | overall | {' | '.join([*families, *heads])} |",
        "|" + "---|" * (3 + len(families) + len(heads)),
    ]
    for arm, row in rows.items():
        scores = {family["family"]: family["score"] for family in row["families"]}
        cells = [f"{scores[family]:.3f}" if family in scores else "-" for family in families]
        for head, figure in FIGURES:
            found = row["heads"].get(head, {}).get(figure)
            cells.append("-" if found is None else f"{found['mean']:.3f}")
        lines.append(
            f"| {arm} | {row['steps']} | {row['overall']['score']:.3f} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def device() -> str:
    """The processor that trains."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


if __name__ == "__main__":
    typer.run(main)
