"""The `gapdata` command: parse, make a config, call, print. Results on stdout, all else on stderr."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gapdata import __version__
from gapdata.errors import ConfigError, GapdataError, SourceError

app = typer.Typer(
    help="3D scenes in, checked 3D-language training shards out.",
    epilog="Start with: gapdata build --source synthetic --num-scenes 4 --out out/rooms",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Url = Annotated[str, typer.Argument(metavar="OUT", help="Folder or fsspec URL of a dataset.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
NewDataset = Annotated[str, typer.Option("--out", help="Folder or URL of the new dataset.")]
Workers = Annotated[int, typer.Option(help="Processes; the bytes do not depend on it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace another dataset at --out.")]
Target = Annotated[str, typer.Argument(metavar="DST", help="Folder or fsspec URL to copy to.")]
Copies = Annotated[int, typer.Option(min=1, help="Files that are copied at once.")]
DATA, VIEWS, RUN = "What to build", "Views and questions", "How to run"


@app.command()
def build(
    source: Annotated[str, typer.Option(help="Where scenes come from; see 'gapdata sources'.", rich_help_panel=DATA)],
    out: Annotated[str, typer.Option(help="Folder or URL to write; an unfinished build there goes on.", rich_help_panel=DATA)],
    root: Annotated[str, typer.Option(help="Folder of the raw data.", rich_help_panel=DATA)] = "",
    scenes: Annotated[str, typer.Option(help="Only these: a,b,c or @FILE with one a line.", rich_help_panel=DATA)] = "",
    num_scenes: Annotated[int | None, typer.Option(help="The first N scenes, or how many to generate.", rich_help_panel=DATA)] = None,
    split: Annotated[str, typer.Option(help="Only these splits: train,val.", rich_help_panel=DATA)] = "",
    world: Annotated[str, typer.Option(help="What source synthetic makes scenes of; default: room. 'gapdata sources' lists all.", rich_help_panel=DATA)] = "",
    difficulty: Annotated[float | None, typer.Option(help="Of the world: 0 sparse to 1 cluttered; default: 0.5.", rich_help_panel=DATA)] = None,
    trajectory: Annotated[str, typer.Option(help="How the world's camera moves: walk, scan or random in rooms and houses, orbit or random about tabletops and shapes; default: the first.", rich_help_panel=DATA)] = "",
    assets: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Models that synthetic rooms and houses draw: an .sh3f library, or a folder with assets.json; repeatable.", rich_help_panel=DATA)] = None,
    assets_licence: Annotated[str, typer.Option(help="Which of them: cc0, or any and attribute them.", rich_help_panel=DATA)] = "cc0",
    assets_share: Annotated[float, typer.Option(help="How many of the objects with a model are drawn as one: 0 to 1.", rich_help_panel=DATA)] = 0.7,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.", rich_help_panel=DATA)] = 0,
    renderer: Annotated[str, typer.Option(help="captured, raycast, points or mitsuba; default: the source's own.", rich_help_panel=VIEWS)] = "",
    sensor: Annotated[str, typer.Option(help="Simulated over exact views: none, depth (noise and holes) or full (colour too).", rich_help_panel=VIEWS)] = "none",
    size: Annotated[str, typer.Option(metavar="WxH", help="Image size of the views; default: the frames' own.", rich_help_panel=VIEWS)] = "",
    views: Annotated[int, typer.Option(help="Views a sample.", rich_help_panel=VIEWS)] = 4,
    samples_per_scene: Annotated[int, typer.Option(help="Samples a scene.", rich_help_panel=VIEWS)] = 4,
    selection: Annotated[str, typer.Option(help="How views are chosen: covisible or clip.", rich_help_panel=VIEWS)] = "covisible",
    tasks: Annotated[str, typer.Option(help="Only these tasks: a,b; see 'gapdata tasks'.", rich_help_panel=VIEWS)] = "",
    margin: Annotated[float, typer.Option(help="Times farther from decision boundaries than the tasks demand; only removes questions.", rich_help_panel=VIEWS)] = 1.0,
    evaluation_scenes: Annotated[str, typer.Option(help="Training scenes whose rooms public benchmarks evaluate on: refuse, drop or keep.", rich_help_panel=DATA)] = "refuse",
    recipe: Annotated[bool, typer.Option("--recipe", help="Leave pictures and points out, to pass the rest on; see 'gapdata rebuild'.", rich_help_panel=DATA)] = False,
    accept_terms: Annotated[str, typer.Option(metavar="SOURCE", help="Says that you have agreed to the terms of a restricted source.", rich_help_panel=RUN)] = "",
    workers: Annotated[int, typer.Option(help="Processes; the bytes do not depend on it.", rich_help_panel=RUN)] = 1,
    executor: Annotated[str, typer.Option(help="local, or ray for a Ray cluster; the bytes do not depend on it.", rich_help_panel=RUN)] = "local",
    ray_address: Annotated[str, typer.Option(metavar="ADDR", help="The cluster; default: one with --workers processors, started here.", rich_help_panel=RUN)] = "",
    max_failures: Annotated[int, typer.Option(help="Scenes that may fail; each is recorded with its reason.", rich_help_panel=RUN)] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another dataset at OUT.", rich_help_panel=RUN)] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Build a dataset of training shards from raw scenes, or from nothing."""
    from gapdata import summary
    from gapdata.build import build as run_build
    from gapdata.build_config import BuildConfig
    from gapdata.synthetic.assets.config import AssetsConfig

    height, width = _height_width(size)
    chosen = (
        AssetsConfig(paths=tuple(assets), licence=assets_licence, share=assets_share)
        if assets
        else None
    )
    config = BuildConfig(
        source=source, out=out, root=root, scenes=_names(scenes), num_scenes=num_scenes, split=_names(split),
        world=world, difficulty=difficulty, trajectory=trajectory, assets=chosen, seed=seed, renderer=renderer, sensor=sensor, height=height, width=width, views=views, samples_per_scene=samples_per_scene,
        selection=selection, tasks=_names(tasks), margin=margin, evaluation_scenes=evaluation_scenes, recipe=recipe, accept_terms=_names(accept_terms),
        workers=workers, executor=executor, ray_address=ray_address, max_failures=max_failures, overwrite=overwrite,
    )  # fmt: skip
    with summary.progress_bar("scenes") as on_progress:
        manifest = run_build(config, on_progress=on_progress)
    _print(json.loads(manifest.to_json()), as_json, summary.describe(out, manifest))


@app.command()
def check(url: Url, as_json: AsJson = False) -> None:
    """Check a dataset's bytes, index, records and geometry against each other. Exit 1 when faults are found."""
    from gapdata import summary
    from gapdata.check import check_dataset

    with summary.progress_bar("samples") as on_progress:
        report = check_dataset(url, progress=on_progress)
    _print(summary.check_dict(report), as_json, summary.describe_check(url, report))
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def verify(url: Url, as_json: AsJson = False) -> None:
    """Derive every answer a second time from depth, instance ids and cameras. Exit 1 when one is contradicted."""
    from gapdata import summary
    from gapdata.verify import verify_dataset

    with summary.progress_bar("samples") as on_progress:
        report = verify_dataset(url, progress=on_progress)
    _print(summary.verify_dict(report), as_json, summary.describe_verify(url, report))
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def audit(
    url: Url,
    max_gap: Annotated[
        float,
        typer.Option(metavar="POINTS", help="Points above chance that blind answers may earn."),
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Measure what could be answered without looking, from the words alone. Exit 1 when a task exceeds the gap."""
    from gapdata import summary
    from gapdata.audit import audit_dataset

    with summary.progress_bar("tasks") as on_progress:
        report = audit_dataset(url, progress=on_progress)
    _print(
        summary.audit_dict(report, max_gap), as_json, summary.describe_audit(url, report, max_gap)
    )
    if report.exceeding(max_gap):
        raise typer.Exit(1)


@app.command()
def info(url: Url, as_json: AsJson = False) -> None:
    """Print what a dataset holds: counts, splits, what was left out and why."""
    from gapdata import summary
    from gapdata.shards.manifest import read_manifest

    manifest = read_manifest(url)
    _print(json.loads(manifest.to_json()), as_json, summary.describe(url, manifest))


@app.command()
def preview(
    url: Url,
    out: Annotated[Path, typer.Option(help="The PNG to write.")],
    key: Annotated[
        str, typer.Option(help="A sample's key; default: spread over the dataset.")
    ] = "",
    samples: Annotated[int, typer.Option(min=1, help="How many samples to show.")] = 2,
) -> None:
    """Draw a contact sheet: views, depth, normals, instances with boxes and labels, questions with answers."""
    from gapdata.preview import draw_preview, write_png

    write_png(draw_preview(url, key=key, samples=samples), out)
    typer.echo(str(out))


@app.command()
def card(url: Url) -> None:
    """Write the dataset card anew, with a picture and what could be answered without looking."""
    from gapdata import summary
    from gapdata.full_card import write_full_card

    with summary.progress_bar("tasks") as on_progress:
        write_full_card(url, progress=on_progress)
    typer.echo(f"{url}: wrote README.md and preview.jpg")


@app.command()
def rebuild(
    url: Annotated[str, typer.Argument(metavar="RECIPE", help="Folder or URL of a recipe.")],
    out: NewDataset,
    root: Annotated[
        str, typer.Option(help="Folder of your own copy of the raw data, where it needs one.")
    ] = "",
    workers: Workers = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a recipe whole from your own copy of the raw data, to the same bytes."""
    from gapdata import summary
    from gapdata.rebuild import rebuild as run_rebuild

    with summary.progress_bar("samples") as on_progress:
        manifest = run_rebuild(
            url, out, root, workers=workers, overwrite=overwrite, on_progress=on_progress
        )
    _print(json.loads(manifest.to_json()), as_json, summary.describe(out, manifest))


@app.command()
def index(
    url: Url,
    energon: Annotated[
        bool, typer.Option("--energon", help="Write .nv-meta, for Megatron-Energon.")
    ],
) -> None:
    """Write index files of other loaders into a dataset; its own are always there."""
    from gapdata.shards.energon import write_energon_index

    for name in write_energon_index(url):
        typer.echo(name)


@app.command()
def merge(
    urls: Annotated[list[str], typer.Argument(metavar="DATASET...", help="Finished datasets.")],
    out: NewDataset,
    workers: Workers = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make one dataset of several, splits kept."""
    from gapdata import summary
    from gapdata.derive import merge as run_merge

    with summary.progress_bar("samples") as on_progress:
        manifest = run_merge(
            urls, out, workers=workers, overwrite=overwrite, on_progress=on_progress
        )
    _print(json.loads(manifest.to_json()), as_json, summary.describe(out, manifest))


@app.command()
def split(
    url: Url,
    out: NewDataset,
    share: Annotated[
        list[str], typer.Option(metavar="NAME=SHARE", help="A split's share of the rooms: val=0.1.")
    ],
    seed: Annotated[int, typer.Option(help="Which rooms go where.")] = 0,
    workers: Workers = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Cut a dataset into other splits, the rest being train. Rescans of a room stay together."""
    from gapdata import summary
    from gapdata.derive import split as run_split

    with summary.progress_bar("samples") as on_progress:
        manifest = run_split(
            url, out, _shares(share), seed=seed, workers=workers, overwrite=overwrite, on_progress=on_progress
        )  # fmt: skip
    _print(json.loads(manifest.to_json()), as_json, summary.describe(out, manifest))


@app.command("filter")
def filter_command(
    url: Url,
    out: NewDataset,
    where: Annotated[
        str,
        typer.Option(
            metavar="SQL",
            help="A condition on qa.parquet: \"task = 'object_count' AND margin > 1\".",
        ),
    ],
    keep_empty: Annotated[
        bool, typer.Option("--keep-empty", help="Keep samples without questions.")
    ] = False,
    workers: Workers = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Keep the questions that meet a condition. Also knows scene_id, source, split and num_views."""
    from gapdata import summary
    from gapdata.derive import filter_questions

    with summary.progress_bar("samples") as on_progress:
        manifest = filter_questions(
            url, out, where, keep_empty=keep_empty, workers=workers, overwrite=overwrite, on_progress=on_progress
        )  # fmt: skip
    _print(json.loads(manifest.to_json()), as_json, summary.describe(out, manifest))


@app.command()
def push(source: Url, target: Target, workers: Copies = 4, as_json: AsJson = False) -> None:
    """Copy a dataset to another place, an object store say, and verify it. What was copied before stays."""
    _copy(source, target, workers, as_json)


@app.command()
def pull(source: Url, target: Target, workers: Copies = 4, as_json: AsJson = False) -> None:
    """Copy a dataset from another place, an object store say, and verify it. What was copied before stays."""
    _copy(source, target, workers, as_json)


def _copy(source: str, target: str, workers: int, as_json: bool) -> None:
    from gapdata import summary
    from gapdata.transfer import copy_dataset

    with summary.progress_bar("bytes") as on_progress:
        manifest = copy_dataset(source, target, workers=workers, on_progress=on_progress)
    _print(json.loads(manifest.to_json()), as_json, summary.describe(target, manifest))


@app.command()
def sources(as_json: AsJson = False) -> None:
    """List the sources: what they read, from where, and under which terms."""
    from gapdata import summary

    _print(summary.source_dicts(), as_json, summary.describe_sources())


@app.command()
def tasks(as_json: AsJson = False) -> None:
    """List the tasks: formats, views, frame, and their names in published benchmarks."""
    from gapdata import summary

    _print(summary.task_dicts(), as_json, summary.describe_tasks())


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """3D scenes in, checked 3D-language training shards out."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


def _names(text: str) -> tuple[str, ...]:
    if text.startswith("@"):
        path = Path(text[1:])
        if not path.is_file():
            raise ConfigError(f"{path}: expected a file with one name a line, found none")
        return tuple(line.strip() for line in path.read_text().splitlines() if line.strip())
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _shares(texts: list[str]) -> dict[str, float]:
    shares = {}
    for text in texts:
        name, _, share = text.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise ConfigError(
                f"--share: expected NAME=SHARE such as val=0.1, found {text!r}"
            ) from None
    return shares


def _height_width(size: str) -> tuple[int | None, int | None]:
    if not size:
        return None, None
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size: expected WxH such as 640x480, found {size!r}")
    return int(height), int(width)


def _print(data: Any, as_json: bool, text: str) -> None:
    typer.echo(json.dumps(data, indent=2) if as_json else text)


def main() -> None:
    """Run the command; a user's mistake is one line on stderr, exit code 2, other known errors exit 1."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # what it says of damaged images is raised too
    try:
        app()
    except GapdataError as error:
        typer.echo(f"gapdata: {error}", err=True)
        wrong_root = isinstance(error, SourceError) and not error.scene
        sys.exit(2 if wrong_root or isinstance(error, ConfigError) else 1)
    except KeyboardInterrupt:
        typer.echo("gapdata: interrupted; the same command goes on from here", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
