"""Build a dataset: the sorted scene list in fixed blocks, one block one shard, the manifest last."""

from __future__ import annotations

import difflib
import importlib.metadata
import math
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from gapdata import __version__
from gapdata.build_config import BuildConfig
from gapdata.card import CARD_NAME, dataset_card
from gapdata.errors import ConfigError, GapdataError
from gapdata.executors import open_executor
from gapdata.shard_job import ShardJob, ShardResult, run_job
from gapdata.shards.index import count, write_index
from gapdata.shards.manifest import Manifest, ShardInfo, write_manifest
from gapdata.shards.storage import write_file
from gapdata.sources import Source, open_source
from gapdata.workspace import Workspace


def build(
    config: BuildConfig, *, on_progress: Callable[[int, int], None] | None = None
) -> Manifest:
    """The manifest of the finished dataset at `config.out`; calls `on_progress(scenes done, scenes in total)`.

    An unfinished build of the same config goes on where it stopped; a finished one is returned as it is.
    Raises ConfigError for settings that cannot work, among them an `out` that holds another config's build
    or something else, and GapdataError when more than `max_failures` scenes fail; finished shards are kept.
    """
    source = open_source(config.source, config.root, num_scenes=config.num_scenes, seed=config.seed)
    scenes = choose_scenes(source, config)
    content = {**config.content(), "scenes": [scene for ids in scenes.values() for scene in ids]}
    workspace = Workspace(config.out)
    finished = workspace.prepare(content, overwrite=config.overwrite)
    if finished is not None:
        return finished

    jobs = plan_jobs(config, source, scenes)
    results = _run_jobs(config, jobs, workspace, on_progress or (lambda done, total: None))
    manifest = _finish(config, content, source, results)
    workspace.close()
    return manifest


def choose_scenes(source: Source, config: BuildConfig) -> dict[str, list[str]]:
    """Scene ids by split after the config's split, scenes and num_scenes. Raises ConfigError for names not there."""
    splits = {split: list(ids) for split, ids in source.splits().items() if ids}
    for split in config.split:
        if split not in splits:
            raise ConfigError(
                f"{config.source}: no split {split!r}, only {', '.join(sorted(splits))}"
            )
    chosen = {s: ids for s, ids in sorted(splits.items()) if not config.split or s in config.split}
    if config.scenes:
        known = [scene for ids in chosen.values() for scene in ids]
        for scene in config.scenes:
            if scene not in known:
                near = difflib.get_close_matches(scene, known, 3) or known[:3]
                raise ConfigError(
                    f"{config.source}: no scene {scene!r} among {len(known)}; "
                    f"near: {', '.join(near)}; 'gapdata sources' says where scenes are looked for"
                )
        chosen = {split: [i for i in ids if i in config.scenes] for split, ids in chosen.items()}
    if config.num_scenes is not None:
        first = sorted(scene for ids in chosen.values() for scene in ids)[: config.num_scenes]
        chosen = {split: [i for i in ids if i in set(first)] for split, ids in chosen.items()}
    chosen = {split: ids for split, ids in chosen.items() if ids}
    if not chosen:
        raise ConfigError(
            f"{config.source}: no scenes to build; look at --root, --split and --scenes"
        )
    return chosen


def plan_jobs(
    config: BuildConfig, source: Source, scenes: Mapping[str, Sequence[str]]
) -> list[ShardJob]:
    """One job a shard: fixed blocks of each split's sorted scenes. A pure function of its arguments."""
    total = sum(len(ids) for ids in scenes.values())
    size = config.scenes_per_shard or min(32, max(1, math.ceil(total / 16)))
    return [
        ShardJob(
            name=f"{split}-{start // size:05d}",
            split=split,
            scene_ids=tuple(ids[start : start + size]),
            source=config.source,
            root=config.root,
            num_scenes=config.num_scenes,
            out=config.out,
            samples=config.sample_config(source.info.renderer),
            jpeg_quality=config.jpeg_quality,
            depth_scale=config.depth_scale,
            max_failures=config.max_failures,
        )
        for split, ids in sorted(scenes.items())
        for start in range(0, len(ids), size)
    ]


def _run_jobs(
    config: BuildConfig,
    jobs: Sequence[ShardJob],
    workspace: Workspace,
    on_progress: Callable[[int, int], None],
) -> list[ShardResult]:
    """Results of all jobs, in their order; those finished earlier are taken as they are."""
    results = {job.name: result for job in jobs if (result := workspace.finished_result(job.name))}
    total = sum(len(job.scene_ids) for job in jobs)
    done = sum(len(job.scene_ids) for job in jobs if job.name in results)
    on_progress(done, total)

    def report(scenes: int) -> None:
        nonlocal done
        done += scenes
        on_progress(done, total)

    executor = open_executor(config.executor, workers=config.workers)
    todo = [job for job in jobs if job.name not in results]
    failures = 0
    for result in executor.run(_run_and_record, todo, report):
        results[result.name] = result
        failures += len(result.failures)
        if failures > config.max_failures:
            reasons = "; ".join(failure.reason for failure in result.failures)
            raise GapdataError(f"more than {config.max_failures} scenes failed, at last: {reasons}")
    return [results[job.name] for job in jobs]


def _run_and_record(job: ShardJob, report: Callable[[int], None]) -> ShardResult:
    result = run_job(job, report)
    Workspace(job.out).save_result(result)
    return result


def _finish(
    config: BuildConfig, content: dict[str, Any], source: Source, results: Sequence[ShardResult]
) -> Manifest:
    """Writes the index, the card and, last, the manifest."""
    drops = sum((result.drops for result in results), Counter[str]())
    failures = tuple(failure for result in results for failure in result.failures)
    records = [result.record for result in results if result.record is not None]
    if not records:
        reasons = [
            *(failure.reason for failure in failures),
            *(f"{r}: {n}" for r, n in drops.items()),
        ]
        raise GapdataError(f"{config.out}: not one sample came out: {'; '.join(reasons)}")
    samples = pa.concat_tables([record.samples for record in records])
    qa = pa.concat_tables([record.qa for record in records])
    splits: dict[str, list[ShardInfo]] = {}
    for result in results:
        if result.record is not None:
            splits.setdefault(result.split, []).append(result.record.info)
    manifest = Manifest(
        gapdata_version=__version__,
        config=content,
        seed=config.seed,
        source=config.source,
        licence=source.info.licence,
        platform=_platform(),
        splits={split: tuple(infos) for split, infos in splits.items()},
        counts=count(samples, qa),
        drops=dict(sorted(drops.items())),
        failures=failures,
    )
    write_index(config.out, samples, qa)
    write_file(config.out, CARD_NAME, dataset_card(manifest).encode())
    write_manifest(config.out, manifest)
    return manifest


def _platform() -> str:
    """What the last bit of a ray cast or a JPEG may depend on."""
    packages = ("numpy", "open3d", "opencv-python-headless", "scipy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join([platform.machine(), f"python {platform.python_version()}", *versions])
