"""Build a dataset: the sorted scene list in fixed blocks, one block one shard, the manifest last."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gapdata.assembly import finish_dataset, run_jobs, this_platform
from gapdata.build_config import BuildConfig
from gapdata.errors import ConfigError
from gapdata.executors import open_executor
from gapdata.scene_rooms import evaluation_split
from gapdata.shard_job import ShardJob, run_job
from gapdata.shards.manifest import Manifest
from gapdata.sources import Source, open_source
from gapdata.synthetic.assets.library import Library
from gapdata.workspace import Workspace


def build(
    config: BuildConfig, *, on_progress: Callable[[int, int], None] | None = None
) -> Manifest:
    """The manifest of the finished dataset at `config.out`; calls `on_progress(scenes done, scenes in total)`.

    An unfinished build of the same config goes on where it stopped; a finished one is returned as it is.
    Raises ConfigError for settings that cannot work, among them an `out` that holds another config's build
    or something else, and GapdataError when more than `max_failures` scenes fail; finished shards are kept.
    """
    source = open_source(
        config.source, config.root, num_scenes=config.num_scenes, seed=config.seed,
        world=config.world, difficulty=config.difficulty, trajectory=config.trajectory, assets=config.assets,
    )  # fmt: skip
    _require_terms(source, config)
    scenes = choose_scenes(source, config)
    scenes, left_out = guard_evaluation(scenes, config)
    content = {**config.content(), "scenes": [scene for ids in scenes.values() for scene in ids]}
    library: Library | None = getattr(source, "library", None)
    if library is not None:
        content["assets"] = library.facts()
    with Workspace(config.out) as workspace:
        finished = workspace.prepare(content, overwrite=config.overwrite)
        if finished is not None:
            return finished
        if library is not None:
            left_out += Counter({f"asset: {reason}": n for reason, n in library.prepare().items()})
        results = run_jobs(
            run_job,
            plan_jobs(config, source, scenes),
            open_executor(config.executor, workers=config.workers, address=config.ray_address),
            max_failures=config.max_failures,
            on_progress=on_progress or (lambda done, total: None),
            workspace=workspace,
        )
        manifest = finish_dataset(
            config.out, results, left_out=left_out, config=content, seed=config.seed, source=config.source,
            licence=source.info.licence, platform=this_platform(),
        )  # fmt: skip
        workspace.close()
    return manifest


def _require_terms(source: Source, config: BuildConfig) -> None:
    info = source.info
    if info.restricted and not config.recipe and config.source not in config.accept_terms:
        raise ConfigError(
            f"{config.source}: shards would hold its {info.restricted}, which its terms restrict ({info.licence}); "
            f"--accept-terms {config.source} says you have agreed to them, --recipe builds shards without"
        )


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


def guard_evaluation(
    scenes: Mapping[str, Sequence[str]], config: BuildConfig
) -> tuple[dict[str, list[str]], Counter[str]]:
    """The scenes without those of public evaluation splits among "train", and how many were left out, by reason.

    Raises ConfigError naming them when the config neither drops nor keeps them.
    """
    kept = {split: list(ids) for split, ids in scenes.items()}
    found = {
        scene: split
        for scene in kept.get("train", ())
        if (split := evaluation_split(config.source, scene))
    }
    if not found or config.evaluation_scenes == "keep":
        return kept, Counter()
    if config.evaluation_scenes == "refuse":
        named = ", ".join(f"{scene} ({split})" for scene, split in list(found.items())[:5])
        raise ConfigError(
            f"{config.source}: {len(found)} scenes of split train show rooms that public benchmarks evaluate on: {named}; "
            "correct the split files, leave them out with --evaluation-scenes drop, or keep them knowingly with keep"
        )
    kept["train"] = [scene for scene in kept["train"] if scene not in found]
    if not any(kept.values()):
        raise ConfigError(f"{config.source}: no scenes are left without those of evaluation splits")
    reasons = Counter(f"scene: evaluation split {split}" for split in found.values())
    return {split: ids for split, ids in kept.items() if ids}, reasons


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
            world=config.world,
            difficulty=config.difficulty,
            trajectory=config.trajectory,
            assets=config.assets,
            out=config.out,
            samples=config.sample_config(source.info.renderer),
            jpeg_quality=config.jpeg_quality,
            depth_scale=config.depth_scale,
            max_failures=config.max_failures,
            recipe=config.recipe,
        )
        for split, ids in sorted(scenes.items())
        for start in range(0, len(ids), size)
    ]
