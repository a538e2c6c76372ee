"""From shard jobs to a dataset: run what is left to do, then write index, card and, last, the manifest."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from gapdata.attribution import ATTRIBUTION_NAME, attribution_text
from gapdata.card import CARD_NAME, dataset_card
from gapdata.croissant import CROISSANT_NAME, croissant
from gapdata.errors import ConfigError, GapdataError
from gapdata.executors import Executor
from gapdata.shard_job import ShardResult
from gapdata.shards.index import count, write_index
from gapdata.shards.manifest import Failure, Manifest, ShardInfo, write_manifest
from gapdata.shards.storage import write_file
from gapdata.workspace import Workspace


@runtime_checkable
class Job(Protocol):
    """What makes one shard. `size` counts the units it reports, scenes or samples."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def out(self) -> str: ...  # noqa: D102

    @property
    def size(self) -> int: ...  # noqa: D102


def run_jobs(
    function: Callable[[Any, Callable[[int], None]], ShardResult],
    jobs: Sequence[Job],
    executor: Executor,
    *,
    max_failures: int,
    on_progress: Callable[[int, int], None],
    workspace: Workspace,
) -> list[ShardResult]:
    """Results of all jobs, in their order; those finished earlier are taken as they are.

    workspace: where they go, prepared. `on_progress(done, in total)` counts in the jobs' own units. Raises
    GapdataError when more than `max_failures` scenes failed, or when another run has taken the place over.
    """
    results = {job.name: result for job in jobs if (result := workspace.finished_result(job.name))}
    total = sum(job.size for job in jobs)
    done = sum(job.size for job in jobs if job.name in results)
    on_progress(done, total)

    def report(units: int) -> None:
        nonlocal done
        done += units
        on_progress(done, total)

    todo = [job for job in jobs if job.name not in results]
    failures = 0
    for result in executor.run(partial(_run_and_record, function), todo, report):
        workspace.require_held()
        _require_shared(workspace, result)
        results[result.name] = result
        failures += len(result.failures)
        if failures > max_failures:
            reasons = "; ".join(failure.reason for failure in result.failures)
            raise GapdataError(f"more than {max_failures} scenes failed, at last: {reasons}")
    return [results[job.name] for job in jobs]


def _run_and_record(
    function: Callable[[Any, Callable[[int], None]], ShardResult],
    job: Job,
    report: Callable[[int], None],
) -> ShardResult:
    # A worker that was lost may have finished the shard before anyone heard of it.
    result = Workspace(job.out).finished_result(job.name)
    if result is not None:
        report(job.size)
        return result
    result = function(job, report)
    Workspace(job.out).save_result(result)
    return result


def _require_shared(workspace: Workspace, result: ShardResult) -> None:
    if not result.failures and workspace.finished_result(result.name) is None:
        raise ConfigError(
            f"{workspace.out}: shard {result.name} was finished on another machine and is not here; "
            "name a URL or a folder that all machines share as --out"
        )


def finish_dataset(
    out: str,
    results: Sequence[ShardResult],
    *,
    config: Mapping[str, Any],
    seed: int,
    source: str,
    licence: str,
    platform: str,
    left_out: Mapping[str, int] | None = None,
    drops: Mapping[str, int] | None = None,
    failures: Sequence[Failure] | None = None,
) -> Manifest:
    """Writes the index, the card, an attribution where one is owed and, last, the manifest. Raises GapdataError when there is not one sample.

    Drops are those of the results and `left_out`, unless given; failures those of the results, unless given.
    """
    if drops is None:
        drops = sum((result.drops for result in results), Counter(left_out or {}))
    if failures is None:
        failures = [failure for result in results for failure in result.failures]
    records = [result.record for result in results if result.record is not None]
    if not records:
        reasons = [
            *(failure.reason for failure in failures),
            *(f"{r}: {n}" for r, n in drops.items()),
        ]
        raise GapdataError(f"{out}: not one sample came out: {'; '.join(reasons)}")
    samples = pa.concat_tables([record.samples for record in records])
    qa = pa.concat_tables([record.qa for record in records])
    splits: dict[str, list[ShardInfo]] = {}
    for result in results:
        if result.record is not None:
            splits.setdefault(result.split, []).append(result.record.info)
    manifest = Manifest(
        config=config,
        seed=seed,
        source=source,
        licence=licence,
        platform=platform,
        splits={split: tuple(infos) for split, infos in splits.items()},
        counts=count(samples, qa),
        drops=dict(sorted(drops.items())),
        failures=tuple(failures),
    )
    indexes = write_index(out, samples, qa)
    write_file(out, CROISSANT_NAME, croissant(manifest, indexes).encode())
    owed = {line for result in results for line in result.credits}
    if owed:
        write_file(out, ATTRIBUTION_NAME, attribution_text(owed).encode())
    write_file(out, CARD_NAME, dataset_card(manifest).encode())
    write_manifest(out, manifest)
    return manifest


def this_platform() -> str:
    """What the last bit of a ray cast or a JPEG may depend on."""
    packages = ("numpy", "open3d", "opencv-python-headless", "scipy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join([platform.machine(), f"python {platform.python_version()}", *versions])
