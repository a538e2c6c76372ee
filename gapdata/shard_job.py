"""One shard: its scenes to samples to a tar, with what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gapdata.attribution import credits_of
from gapdata.errors import GapdataError
from gapdata.pipeline import SampleConfig, SceneSamples
from gapdata.recipe import hash_files, recipe_of
from gapdata.shards.manifest import Failure
from gapdata.shards.writer import ShardRecord, ShardWriter
from gapdata.sources import open_source
from gapdata.synthetic.assets.config import AssetsConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardJob:
    """Everything a worker needs to make one shard. Bytes depend on nothing else."""

    name: str  # "<split>-<number>"
    split: str
    scene_ids: tuple[str, ...]
    source: str
    root: str
    num_scenes: int | None
    world: str
    difficulty: float | None
    trajectory: str
    assets: AssetsConfig | None = None
    out: str
    samples: SampleConfig
    jpeg_quality: int
    depth_scale: float
    max_failures: int
    recipe: bool

    @property
    def size(self) -> int:
        """How many scenes."""
        return len(self.scene_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardResult:
    """What came of a job. `record` is None when no scene gave a sample: then there is no tar."""

    name: str
    split: str
    record: ShardRecord | None
    drops: Counter[str] = field(default_factory=Counter)
    failures: tuple[Failure, ...] = ()
    credits: tuple[str, ...] = ()  # whom models in its scenes are owed to


def run_job(job: ShardJob, report: Callable[[int], None]) -> ShardResult:
    """The job's result; its tar is complete under its final name, or absent. Reports each scene.

    A scene that cannot be used (GapdataError) is recorded with its reason and none of its samples are
    written; more than `max_failures` of them end the job with the last one's error.
    """
    source = open_source(
        job.source, job.root, num_scenes=job.num_scenes, seed=job.samples.seed,
        world=job.world, difficulty=job.difficulty, trajectory=job.trajectory, assets=job.assets,
    )  # fmt: skip
    drops: Counter[str] = Counter()
    failures: list[Failure] = []
    owed: set[str] = set()
    writer = ShardWriter(
        job.out,
        f"shards/{job.name}.tar",
        depth_scale=job.depth_scale,
        jpeg_quality=job.jpeg_quality,
    )
    with writer:
        for scene_id in job.scene_ids:
            try:
                scene = source.load(scene_id)
                samples = SceneSamples(scene=scene, split=job.split, config=job.samples)
                encoded = [writer.encode(sample) for sample in samples]
                if job.recipe:
                    files = hash_files(source.files(scene_id))
                    encoded = [recipe_of(sample, files) for sample in encoded]
            except GapdataError as error:
                failures.append(Failure(scene=scene_id, reason=str(error)))
                if len(failures) > job.max_failures:
                    raise
            else:
                drops.update(samples.drops)
                owed.update(credits_of(scene.provenance) if encoded else ())
                for sample in encoded:
                    writer.write(sample)
            report(1)
    return ShardResult(
        name=job.name,
        split=job.split,
        record=writer.record,
        drops=drops,
        failures=tuple(failures),
        credits=tuple(sorted(owed)),
    )
