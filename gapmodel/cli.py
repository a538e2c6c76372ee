"""The `gapmodel` command: parse, make a config, call, print. Results on stdout, all else on stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gapdata import __version__
from gapdata.errors import ConfigError, GapdataError

app = typer.Typer(
    help="gapdata's shards in, a geometry-aligned multimodal language model out.",
    epilog="Start with: gapmodel train --data out/rooms --preset tiny --steps 200 --out out/tiny",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WHAT, LEARN, RUN = "What to train on", "What to learn", "How to run"
WHICH, SIGHT, MEASURE = "Which model, on what", "What the model is given", "What to measure"


@app.command(
    epilog="Many GPUs: torchrun --nproc-per-node 8 -m gapmodel.cli train ... (same options). "
    "Stop with Ctrl-C or SIGTERM; the same command goes on, also with another number of GPUs."
)
def train(
    data: Annotated[list[str], typer.Option(metavar="URL[=WEIGHT]", help="A dataset of gapdata, folder or fsspec URL; again for a mixture.", rich_help_panel=WHAT)],
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, log, at the end the model. A run there goes on.", rich_help_panel=RUN)] = Path("out/train"),
    split: Annotated[str, typer.Option(help="Split to train on.", rich_help_panel=WHAT)] = "train",
    preset: Annotated[str, typer.Option(help="tiny and small start from nothing, qwen3-vl-2b and qwen3-vl-4b from hub weights.", rich_help_panel=LEARN)] = "tiny",
    init: Annotated[str, typer.Option(metavar="MODEL", help="Start from this folder or hub id instead.", rich_help_panel=LEARN)] = "",
    stage: Annotated[list[str] | None, typer.Option(metavar="NAME[=STEPS]", help="heads (new parts only), language (joins slowly), mix (answers lead), scratch (everything); again for several in order.", rich_help_panel=LEARN)] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of all stages without their own number.", rich_help_panel=LEARN)] = None,
    objective: Annotated[list[str] | None, typer.Option(metavar="NAME[=WEIGHT]", help="Learn only from this: answers, depth, normal, pose, pointmap, reconstruction, point_image, geometry_language, relations; again for several.", rich_help_panel=LEARN)] = None,
    geometry: Annotated[str, typer.Option(help="Geometry as an input too: depth_normal, vggt or none.", rich_help_panel=LEARN)] = "depth_normal",
    lora: Annotated[int, typer.Option(min=0, metavar="RANK", help="Adapters of this rank learn in place of the language model; 0: it learns itself.", rich_help_panel=LEARN)] = 0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size that pictures are brought to.", rich_help_panel=WHAT)] = "",
    row_tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens of a packed row.", rich_help_panel=RUN)] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of a step, over all GPUs together; what does not fit at once is accumulated.", rich_help_panel=RUN)] = None,
    augment: Annotated[bool, typer.Option("--augment/--no-augment", help="Change samples in ways that keep geometry exact.", rich_help_panel=WHAT)] = True,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same run.", rich_help_panel=RUN)] = 0,
    config: Annotated[Path | None, typer.Option(help="TOML with fields of TrainConfig ([[stages]] too) for what has no flag; it wins over the preset and over flags.", rich_help_panel=RUN)] = None,
    workers: Annotated[int, typer.Option(min=0, help="Threads that read ahead.", rich_help_panel=RUN)] = 2,
    save_minutes: Annotated[float, typer.Option(min=0, help="Minutes between checkpoints.", rich_help_panel=RUN)] = 10.0,
    max_bad_samples: Annotated[int, typer.Option(min=0, help="Unreadable samples to leave out, each counted and named, before the run stops.", rich_help_panel=WHAT)] = 0,
    compile_layers: Annotated[bool, typer.Option("--compile", help="Compile the layers with torch.compile.", rich_help_panel=RUN)] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the run at --out.", rich_help_panel=RUN)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure two steps, print the budget of tokens, memory and time, write nothing.", rich_help_panel=RUN)] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Train a model on shards, going on from the last checkpoint in --out."""
    from gapmodel.training.defaults import default_config, read_config

    changes: dict[str, Any] = {
        "split": split, "init": init, "seed": seed, "geometry": {"kind": geometry}, "workers": workers,
        "save_minutes": save_minutes, "max_bad_samples": max_bad_samples, "compile": compile_layers,
        "lora": lora,
    }  # fmt: skip
    changes |= {"row_tokens": row_tokens} if row_tokens else {}
    changes |= {"rows": rows} if rows else {}
    changes |= {"image_size": _height_width(size)} if size else {}
    changes |= {} if augment else {"augment": {}}
    changes |= read_config(config) if config else {}
    run = default_config(
        preset,
        data=[_weighted(text, 1.0) for text in data],
        out=str(out),
        stage_names=stage or (),
        steps=steps,
        objectives=dict(_weighted(text, None) for text in objective) if objective else None,
        **changes,
    )
    if dry_run:
        from gapmodel.training.budget import describe, measure_budget

        budget = measure_budget(run)
        _print(budget, as_json, describe(budget))
        return
    from gapmodel.training.train import train as run_train

    outcome = run_train(run, fresh=fresh)
    if outcome.signal:
        typer.echo(
            f"gapmodel: stopped after step {outcome.step}; the same command goes on", err=True
        )
        raise typer.Exit(128 + outcome.signal)
    if outcome.leads:
        _print({"step": outcome.step, "model": str(outcome.model)}, as_json, str(outcome.model))


@app.command("eval")
def evaluate(
    checkpoint: Annotated[Path, typer.Option(metavar="DIR", help="Folder of a run, its model, one of its checkpoints, or a model in the hub's layout.", rich_help_panel=WHICH)],
    data: Annotated[str, typer.Option(metavar="URL", help="A dataset of gapdata, folder or fsspec URL.", rich_help_panel=WHICH)],
    split: Annotated[str, typer.Option(help="Split to evaluate on.", rich_help_panel=WHICH)] = "val",
    tasks: Annotated[str, typer.Option(help="Only these tasks: a,b.", rich_help_panel=WHICH)] = "",
    max_samples: Annotated[int | None, typer.Option(min=1, help="So many samples, spread over the split.", rich_help_panel=WHICH)] = None,
    max_questions: Annotated[int | None, typer.Option(min=1, help="So many questions of each sample, spread over its own.", rich_help_panel=WHICH)] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size that pictures are brought to; default: the checkpoint's.", rich_help_panel=WHICH)] = "",
    geometry: Annotated[bool, typer.Option("--geometry", help="Give the model true depth and normals as an input.", rich_help_panel=SIGHT)] = False,
    blind: Annotated[bool, typer.Option("--blind", help="Show grey pictures and no geometry, to see what is known without looking.", rich_help_panel=SIGHT)] = False,
    options: Annotated[bool, typer.Option("--options", help="Answer choice and yes/no questions by the most probable option as well.", rich_help_panel=MEASURE)] = False,
    answers: Annotated[bool, typer.Option("--answers/--no-answers", help="Ask the questions.", rich_help_panel=MEASURE)] = True,
    heads: Annotated[bool, typer.Option("--heads/--no-heads", help="Measure what the heads see.", rich_help_panel=MEASURE)] = True,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Where a reply is cut.", rich_help_panel=MEASURE)] = 512,
    batch: Annotated[int, typer.Option(min=1, help="Questions answered at once.", rich_help_panel=RUN)] = 32,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...; default: a GPU where there is one.", rich_help_panel=RUN)] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of what the heads are measured on, and of intervals.", rich_help_panel=RUN)] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for summary.json and a line of JSON a question; an evaluation there goes on.", rich_help_panel=RUN)] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the evaluation at --out.", rich_help_panel=RUN)] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Measure a trained model on held-out samples: answers by task, depth, normals, poses, points, retrieval."""
    from gapmodel.evaluation import EvalConfig
    from gapmodel.evaluation import evaluate as run_evaluation
    from gapmodel.evaluation.progress import progress_bar
    from gapmodel.evaluation.report import table

    where, dtype = _device(device)
    config = EvalConfig(
        checkpoint=str(checkpoint), data=data, split=split, tasks=_names(tasks), max_samples=max_samples,
        max_questions=max_questions, answers=answers, heads=heads, options=options, geometry=geometry, blind=blind,
        image_size=_height_width(size) if size else None, max_new_tokens=max_new_tokens, seed=seed, batch=batch,
        device=where, dtype=dtype,
    )  # fmt: skip
    with progress_bar("samples") as on_progress:
        summary = run_evaluation(config, out=out, fresh=fresh, progress=on_progress)
    _print(summary, as_json, table(summary))


@app.command()
def predict(
    checkpoint: Annotated[Path, typer.Option(metavar="DIR", help="Folder of a run, its model, one of its checkpoints, or a model in the hub's layout.", rich_help_panel=WHICH)],
    pictures: Annotated[list[Path] | None, typer.Argument(metavar="PICTURE...", help="Pictures of one scene.")] = None,
    question: Annotated[str, typer.Option(help="What to ask; of a sample, its own questions without it.", rich_help_panel=WHICH)] = "",
    data: Annotated[str, typer.Option(metavar="URL", help="A dataset to take a sample from instead of pictures.", rich_help_panel=WHICH)] = "",
    key: Annotated[str, typer.Option(help="Key of the sample; default: the first.", rich_help_panel=WHICH)] = "",
    intrinsics: Annotated[list[str] | None, typer.Option(metavar="FX,FY,CX,CY", help="Of the pictures, in pixels; once for all or once for each.", rich_help_panel=SIGHT)] = None,
    depth: Annotated[list[Path] | None, typer.Option(help="Known depth as an input, a 16-bit PNG in millimetres; once for each picture.", rich_help_panel=SIGHT)] = None,
    poses: Annotated[Path | None, typer.Option(help="JSON list of 4x4 camera-to-first-camera matrices that go with --depth.", rich_help_panel=SIGHT)] = None,
    geometry: Annotated[bool, typer.Option("--geometry", help="Give the model the sample's depth and normals as an input.", rich_help_panel=SIGHT)] = False,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Where a reply is cut.", rich_help_panel=RUN)] = 512,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...; default: a GPU where there is one.", rich_help_panel=RUN)] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for depth, normals, cameras, points, and the comparison with a sample's truth.", rich_help_panel=RUN)] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Ask a trained model about pictures or a stored sample; write what it sees as PNG, JSON and PLY."""
    from gapmodel.prediction.run import PictureFiles, describe, predict_files, predict_sample

    where, dtype = _device(device)
    if bool(pictures) == bool(data):
        raise ConfigError("predict: expected either pictures or --data, and not both")
    if data:
        result = predict_sample(
            checkpoint, data, key, question, out,
            geometry=geometry, max_new_tokens=max_new_tokens, device=where, dtype=dtype,
        )  # fmt: skip
    else:
        files = PictureFiles(
            pictures=tuple(pictures or ()),
            intrinsics=tuple(_intrinsics(text) for text in intrinsics or ()),
            depth=tuple(depth or ()),
            poses=poses,
        )
        result = predict_files(
            checkpoint,
            files,
            question,
            out,
            max_new_tokens=max_new_tokens,
            device=where,
            dtype=dtype,
        )
    _print(result, as_json, describe(result))


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Gapdata's shards in, a geometry-aligned multimodal language model out."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def _weighted(text: str, default: Any) -> tuple[str, Any]:
    """`name=number` apart; a '=' that no number follows is part of the name, as in some URLs."""
    name, sign, weight = text.rpartition("=")
    if not sign:
        return text, default
    try:
        return name, float(weight)
    except ValueError:
        return text, default


def _height_width(size: str) -> tuple[int, int]:
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size: expected WxH such as 640x480, found {size!r}")
    return int(height), int(width)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _intrinsics(text: str) -> tuple[float, float, float, float]:
    try:
        fx, fy, cx, cy = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"--intrinsics: expected FX,FY,CX,CY such as 577.9,577.9,319.5,239.5, found {text!r}"
        ) from error
    return fx, fy, cx, cy


def _device(name: str) -> tuple[str, str]:
    """Where to compute and in which precision: bfloat16 on a GPU."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    found = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"--device {found!r}: {str(error).splitlines()[0]}") from error
    return found, "bfloat16" if found.startswith("cuda") else "float32"


def _print(data: Any, as_json: bool, text: str) -> None:
    typer.echo(json.dumps(data, indent=2) if as_json else text)


def main() -> None:
    """Run the command; a user's mistake is one line on stderr, exit code 2, other known errors exit 1."""
    try:
        app()
    except GapdataError as error:
        typer.echo(f"gapmodel: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except KeyboardInterrupt:
        typer.echo(
            "gapmodel: interrupted; the same command goes on from the last checkpoint", err=True
        )
        sys.exit(130)


if __name__ == "__main__":
    main()
