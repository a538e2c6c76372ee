"""What looking is worth: the tiny model learns from nothing on a CPU, once with pictures and once blind.

Builds a synthetic dataset, trains two models of the same size on the same questions in the same order (one of them
sees grey pictures), and compares both on rooms that neither has seen. Takes minutes; two cores are enough.

    python pipelines/pretrain_tiny.py --out out/pretrain_tiny

The table is printed and written to OUT/table.md; the same command goes on where it stopped.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from benchmarks.machine import describe_run

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.derive import filter_questions, split
from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.families import FAMILIES, family_of
from gapmodel.evaluation.run import evaluate
from gapmodel.metrics.bootstrap import scene_interval
from gapmodel.training.defaults import default_config
from gapmodel.training.train import train
from gapmodel.training.train_config import Stage

ARMS = ("blind", "sees")
# Questions with short answers about what even a small picture shows.
TASKS = ("camera_object_distance", "object_count", "point_depth", "relative_pose", "view_change")
SHORT = "format = 'number' OR task = 'view_change' AND format = 'choice'"
RATE = 2e-3
HEADS = {name: {"width": 16, "heads": 4, "doublings": 2} for name in ("depth", "normal")}


def main(
    out: Annotated[Path, typer.Option(help="Folder of datasets, runs and the table.")] = Path("out/pretrain_tiny"),
    world: Annotated[str, typer.Option(help="Synthetic world; see gapdata build --help.")] = "shapes",
    scenes: Annotated[int, typer.Option(help="Scenes to generate.")] = 160,
    steps: Annotated[int, typer.Option(help="Training steps of each model.")] = 1000,
    seed: int = 0,
) -> None:  # fmt: skip
    """Build, train twice, evaluate twice, compare."""
    started = time.monotonic()
    data = make_data(out, world, scenes, seed)
    built = time.monotonic()
    # One core each: small matrices gain nothing from more threads, and both models train under the same conditions.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(run_arm, arm, data, str(out), steps, seed) for arm in ARMS]
        summaries = dict(zip(ARMS, [job.result() for job in jobs], strict=True))
    table = compare(out, summaries, seed)
    minutes = [(built - started) / 60, (time.monotonic() - built) / 60]
    note = f"{describe_run()}; {minutes[0]:.1f} min to build, {minutes[1]:.1f} min to train and evaluate both"
    (out / "table.md").write_text(f"{table}\n\n{note}\n")
    typer.echo(f"{table}\n\n{note}")


def make_data(out: Path, world: str, scenes: int, seed: int) -> str:
    """Folder of the questions to learn from, a fifth of the scenes held out."""
    whole, short, data = (str(out / name) for name in ("scenes", "questions", "data"))
    build(
        BuildConfig(
            source="synthetic", world=world, num_scenes=scenes, seed=seed, height=96, width=128, views=2,
            samples_per_scene=3, tasks=TASKS, workers=2, out=whole,
        )
    )  # fmt: skip
    filter_questions(whole, short, SHORT)
    split(short, data, {"val": 0.2}, seed=seed)
    return data


def run_arm(arm: str, data: str, out: str, steps: int, seed: int) -> dict[str, Any]:
    """The summary of one model's evaluation on held-out scenes, after training it."""
    torch.set_num_threads(1)
    folder = Path(out) / arm
    stage = Stage(
        name="scratch",
        steps=steps,
        rates=dict.fromkeys(("vision", "fusion", "language", "heads"), RATE),
        weights={"answers": 1.0, "depth": 1.0, "normal": 0.5},
    )
    config = default_config(
        "tiny", data=[(data, 1.0)], out=str(folder), stages=(stage,), seed=seed, blind=arm == "blind",
        heads=HEADS, geometry={"kind": "none"}, augment={}, max_questions=32, rows=2,
    )  # fmt: skip
    train(config)
    return evaluate(
        EvalConfig(
            checkpoint=str(folder / "model"), data=data, blind=arm == "blind", max_new_tokens=12, batch=64
        ),
        out=folder / "eval",
    )  # fmt: skip


def compare(out: Path, summaries: dict[str, dict[str, Any]], seed: int) -> str:
    """A Markdown table: both models by family of questions and by head, with 95 % intervals of the difference."""
    answers = {arm: _records(out / arm / "eval" / "questions.jsonl", ("key", "id")) for arm in ARMS}
    lines = [
        "| held-out figure | items | blind | sees | difference, 95 % interval over scenes |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES:
        pairs = [
            (answers["blind"][place]["score"], record["score"], record["scene"])
            for place, record in answers["sees"].items()
            if family_of(record["task"]) == family
        ]
        if pairs:
            lines.append(_line(f"{family}: score", pairs, seed))
    samples = {arm: _records(out / arm / "eval" / "samples.jsonl", ("key",)) for arm in ARMS}
    for head, figure in (("depth", "abs_rel"), ("normal", "mean_angle_deg")):
        pairs = [
            (samples["blind"][key]["heads"][head][figure], record["heads"][head][figure], record["scene"])
            for key, record in samples["sees"].items()
        ]  # fmt: skip
        lines.append(_line(f"{head}: {figure} (lower is better)", pairs, seed))
    return "\n".join(lines)


def _records(path: Path, names: tuple[str, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {tuple(row[name] for name in names): row for row in rows}


def _line(name: str, pairs: list[tuple[float, float, str]], seed: int) -> str:
    blind, sees = (np.array([pair[i] for pair in pairs], np.float64) for i in range(2))
    rng = np.random.default_rng(seed)
    low, high = scene_interval(sees - blind, [pair[2] for pair in pairs], rng)
    difference = f"{(sees - blind).mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"| {name} | {len(pairs)} | {blind.mean():.3f} | {sees.mean():.3f} | {difference} |"


if __name__ == "__main__":
    typer.run(main)
