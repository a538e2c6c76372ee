"""Rebuild a dataset from its recipe and the user's own copy of the raw data, to the same bytes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from gapdata.assembly import finish_dataset, run_jobs, this_platform
from gapdata.build_config import BuildConfig
from gapdata.errors import ConfigError, DatasetError
from gapdata.executors import open_executor
from gapdata.pipeline import SampleConfig, draw_sample, scene_renderer
from gapdata.recipe import check_files, differing_members, hash_files
from gapdata.shard_job import ShardResult
from gapdata.shards.codec import encode_pictures
from gapdata.shards.index import question_rows
from gapdata.shards.manifest import Manifest, read_manifest
from gapdata.shards.reader import Dataset, open_recipe
from gapdata.shards.records import META, QUESTIONS, RECIPE, parse_meta, parse_questions
from gapdata.shards.writer import EncodedSample, ShardWriter
from gapdata.sources import Source, open_source
from gapdata.workspace import Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuildJob:
    """One shard of a recipe to be made whole."""

    name: str
    out: str
    url: str
    positions: tuple[int, ...]
    config: BuildConfig

    @property
    def size(self) -> int:
        """How many samples."""
        return len(self.positions)


def rebuild(
    url: str,
    out: str,
    root: str,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """The manifest of the whole dataset at `out`, made from the recipe at `url` and the raw data at `root`.

    Every member made is held against the recipe's hash. Raises ConfigError when `url` is no recipe, SourceError
    for raw data that cannot be read, DatasetError naming the raw file or the member that differs.
    """
    recipe = read_manifest(url)
    if not recipe.is_recipe:
        raise ConfigError(f"{url}: expected a recipe, found a dataset that is whole already")
    content = {**recipe.config, "recipe": False}
    config = _config(content, out=out, root=root, workers=workers)
    source = _open(config)
    with Workspace(out) as workspace:
        finished = workspace.prepare(content, overwrite=overwrite)
        if finished is not None:
            return finished
        results = run_jobs(
            run_rebuild,
            list(_jobs(open_recipe(url), config)),
            open_executor("local", workers=workers),
            max_failures=0,
            on_progress=on_progress or (lambda done, total: None),
            workspace=workspace,
        )
        manifest = finish_dataset(
            out, results, config=content, seed=recipe.seed, source=recipe.source, licence=source.info.licence,
            platform=this_platform(), drops=recipe.drops, failures=recipe.failures,
        )  # fmt: skip
        workspace.close()
    return manifest


def run_rebuild(job: RebuildJob, report: Callable[[int], None]) -> ShardResult:
    """The job's result; reports each sample."""
    config = job.config
    source = _open(config)
    recipe = open_recipe(job.url)
    samples = config.sample_config(source.info.renderer)
    writer = ShardWriter(job.out, f"shards/{job.name}.tar")
    with writer:
        for sample in _rebuilt(job, recipe, source, samples):
            writer.write(sample)
            report(1)
    return ShardResult(name=job.name, split=job.name.rpartition("-")[0], record=writer.record)


def _open(config: BuildConfig) -> Source:
    return open_source(
        config.source, config.root, num_scenes=config.num_scenes, seed=config.seed,
        world=config.world, difficulty=config.difficulty, trajectory=config.trajectory,
    )  # fmt: skip


def _rebuilt(
    job: RebuildJob, recipe: Dataset, source: Source, config: SampleConfig
) -> Iterator[EncodedSample]:
    """The samples of the job, scene by scene."""
    rows = recipe.samples.take(list(job.positions)).to_pylist()
    numbered = zip(job.positions, rows, strict=True)
    for scene_id, group in itertools.groupby(numbered, key=lambda item: item[1]["scene_id"]):
        where = f"{job.config.source}: {scene_id}"
        files = hash_files(source.files(scene_id))
        scene = source.load(scene_id)
        renderer = scene_renderer(scene, config)
        frames = {frame.id: frame for frame in scene.frames}
        for position, row in group:
            members = recipe.read_members(position, (META, QUESTIONS, RECIPE))
            check_files(members[RECIPE], files, where)
            chosen = [frames[view["frame_id"]] for view in parse_meta(members[META])["views"]]
            index = int(row["key"].rpartition("-")[2])
            views, points = draw_sample(scene, renderer, chosen, config, index)
            made = encode_pictures(
                row["key"], views, points,
                depth_scale=job.config.depth_scale, jpeg_quality=job.config.jpeg_quality,
            )  # fmt: skip
            differing = differing_members(members[RECIPE], made, where)
            if differing:
                raise DatasetError(
                    f"{where}: {row['key']}: {', '.join(differing)}: the bytes are not the recipe's, made on "
                    f"{recipe.manifest.platform}; here is {this_platform()}; use the same versions of these packages"
                )
            whole = {**made, META: members[META], QUESTIONS: members[QUESTIONS]}
            yield EncodedSample(
                key=row["key"],
                members=dict(sorted(whole.items())),
                row=row,
                questions=question_rows(row["key"], parse_questions(members[QUESTIONS])),
            )


def _jobs(recipe: Dataset, config: BuildConfig) -> Iterator[RebuildJob]:
    positions: dict[str, list[int]] = {}
    for position, shard in enumerate(recipe.samples["shard"].to_pylist()):
        positions.setdefault(shard, []).append(position)
    for shard, members in positions.items():
        name = shard.removeprefix("shards/").removesuffix(".tar")
        yield RebuildJob(
            name=name, out=config.out, url=recipe.url, positions=tuple(members), config=config
        )


def _config(content: dict[str, Any], **where: Any) -> BuildConfig:
    """The recipe's settings. Raises DatasetError when this gapdata does not know one of them."""
    known = {field.name for field in fields(BuildConfig)}
    unknown = sorted(content.keys() - known)
    if unknown:
        raise DatasetError(
            f"recipe: unknown settings {', '.join(unknown)}; use the gapdata that wrote it"
        )
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in content.items()
    }
    return BuildConfig(**values, **where, accept_terms=(content["source"],))
