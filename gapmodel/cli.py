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
    from gapmodel.defaults import default_config, read_config

    changes: dict[str, Any] = {
        "split": split, "init": init, "seed": seed, "geometry": {"kind": geometry}, "workers": workers,
        "save_minutes": save_minutes, "max_bad_samples": max_bad_samples, "compile": compile_layers,
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
        stages=stage or (),
        steps=steps,
        objectives=dict(_weighted(text, None) for text in objective) if objective else None,
        **changes,
    )
    if dry_run:
        from gapmodel.budget import describe, measure_budget

        budget = measure_budget(run)
        _print(budget, as_json, describe(budget))
        return
    from gapmodel.train import train as run_train

    outcome = run_train(run, fresh=fresh)
    if outcome.signal:
        typer.echo(
            f"gapmodel: stopped after step {outcome.step}; the same command goes on", err=True
        )
        raise typer.Exit(128 + outcome.signal)
    if outcome.leads:
        _print({"step": outcome.step, "model": str(outcome.model)}, as_json, str(outcome.model))


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
