"""New datasets from finished ones, without rendering: merge, split, filter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from gapdata.assembly import finish_dataset, run_jobs
from gapdata.copy_job import CopyJob, run_copy
from gapdata.errors import ConfigError
from gapdata.executors import open_executor
from gapdata.predicate import filter_rows
from gapdata.scene_rooms import evaluation_split, room_of
from gapdata.shards.index import read_questions, read_samples
from gapdata.shards.manifest import MANIFEST_NAME, Manifest, read_manifest
from gapdata.shards.storage import open_storage
from gapdata.workspace import Workspace

OnProgress = Callable[[int, int], None]
_SAMPLE_COLUMNS = ["key", "shard", "scene_id", "source", "split", "num_views"]


def merge(
    urls: Sequence[str],
    out: str,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """The manifest of a new dataset with all samples of several, splits kept.

    Raises ConfigError when they cannot be one dataset: other numbers of views a sample, or the same key twice.
    """
    tables = [_samples(url) for url in urls]
    views = {
        url: set(pc.unique(t["num_views"]).to_pylist()) for url, t in zip(urls, tables, strict=True)
    }
    if len(set().union(*views.values())) > 1:
        found = ", ".join(f"{url} {sorted(numbers)}" for url, numbers in views.items())
        raise ConfigError(
            f"merge: expected one number of views a sample, found {found}; loaders need the same members in all samples"
        )
    owner: dict[str, str] = {}
    for url, table in zip(urls, tables, strict=True):
        for key in table["key"].to_pylist():
            if key in owner:
                raise ConfigError(
                    f"merge: key {key} is in {owner[key]} and in {url}; build one of them from other scenes or another seed"
                )
            owner[key] = url
    runs = [run for url, table in zip(urls, tables, strict=True) for run in _runs(url, table)]
    return _derive(urls, out, runs, {"command": "merge"}, workers, overwrite, on_progress)


def split(
    url: str,
    out: str,
    shares: Mapping[str, float],
    *,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """The manifest of a new dataset with the same samples in new splits: `shares` of the rooms, the rest "train".

    Rooms are ranked by a hash of `seed` and their name, so that samples and rescans of one room stay together. Rooms that
    public benchmarks evaluate on do not go to "train" but keep to their own split.
    Raises ConfigError for shares that are not above 0 or leave nothing for "train".
    """
    if not shares or any(share <= 0 for share in shares.values()) or sum(shares.values()) >= 1:
        raise ConfigError(
            f"split: expected shares above 0 that sum to less than 1, found {dict(shares)}"
        )
    table = _samples(url)
    rooms = [
        room_of(source, scene)
        for source, scene in zip(
            table["source"].to_pylist(), table["scene_id"].to_pylist(), strict=True
        )
    ]
    ranked = sorted(set(rooms), key=lambda room: hashlib.sha256(f"{seed} {room}".encode()).digest())
    home = dict.fromkeys(ranked, "train")
    start = 0.0
    for name in sorted(shares):
        end = start + shares[name] * len(ranked)
        home.update(dict.fromkeys(ranked[round(start) : round(end)], name))
        start = end
    for source, scene, room in zip(
        table["source"].to_pylist(), table["scene_id"].to_pylist(), rooms, strict=True
    ):
        if evaluation_split(source, scene) and home[room] == "train":
            home[room] = evaluation_split(source, scene)
    splits = pa.array([home[room] for room in rooms], pa.string())
    table = table.set_column(table.schema.get_field_index("split"), "split", splits)
    note = {"command": "split", "shares": dict(sorted(shares.items())), "split_seed": seed}
    return _derive([url], out, _runs(url, table), note, workers, overwrite, on_progress)


def filter_questions(
    url: str,
    out: str,
    where: str,
    *,
    keep_empty: bool = False,
    workers: int = 1,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """The manifest of a new dataset with the questions that meet a SQL condition, see `gapdata.predicate`.

    The condition speaks of the columns of qa.parquet and of scene_id, source, split and num_views of the sample.
    Samples left without questions are left out unless `keep_empty`. Raises ConfigError for a bad condition,
    or one that no question meets.
    """
    table = _samples(url)
    questions = read_questions(url)
    place = pc.index_in(questions["key"], value_set=table["key"].combine_chunks())
    for name in ("scene_id", "source", "split", "num_views"):
        questions = questions.append_column(name, table[name].take(place))
    kept = filter_rows(questions, where)
    if not kept.num_rows:
        raise ConfigError(f"filter: no question of {questions.num_rows} meets {where!r}")
    chosen: dict[str, list[int]] = {}
    for key, index in zip(kept["key"].to_pylist(), kept["index"].to_pylist(), strict=True):
        chosen.setdefault(key, []).append(index)
    runs = _runs(url, table, {key: tuple(sorted(rows)) for key, rows in chosen.items()}, keep_empty)
    note = {"command": "filter", "where": where, "keep_empty": keep_empty}
    return _derive([url], out, runs, note, workers, overwrite, on_progress)


def _samples(url: str) -> pa.Table:
    read_manifest(url)
    return read_samples(url, _SAMPLE_COLUMNS)


def _runs(
    url: str,
    table: pa.Table,
    questions: Mapping[str, tuple[int, ...]] | None = None,
    keep_empty: bool = False,
) -> Iterable[dict[str, Any]]:
    """What each new shard holds: the samples of one old shard that are of one split."""
    keys, shards, splits = (table[name].to_pylist() for name in ("key", "shard", "split"))
    runs: dict[tuple[str, str], list[int]] = {}
    for position, place in enumerate(zip(shards, splits, strict=True)):
        if questions is None or keep_empty or keys[position] in questions:
            runs.setdefault(place, []).append(position)
    for (_, split_name), positions in runs.items():
        rows = None if questions is None else tuple(questions.get(keys[i], ()) for i in positions)
        yield {"url": url, "split": split_name, "positions": tuple(positions), "questions": rows}


def _derive(
    urls: Sequence[str],
    out: str,
    runs: Iterable[dict[str, Any]],
    note: dict[str, Any],
    workers: int,
    overwrite: bool,
    on_progress: OnProgress | None,
) -> Manifest:
    manifests = [read_manifest(url) for url in urls]
    origins = [
        {"dataset_json_sha256": _manifest_hash(url), "config": dict(manifest.config)}
        for url, manifest in zip(urls, manifests, strict=True)
    ]
    config = {"views": manifests[0].config["views"], **note, "from": origins}
    with Workspace(out) as workspace:
        finished = workspace.prepare(config, overwrite=overwrite)
        if finished is not None:
            return finished
        count: dict[str, int] = {}
        jobs = []
        for run in runs:
            number = count[run["split"]] = count.get(run["split"], -1) + 1
            jobs.append(CopyJob(name=f"{run['split']}-{number:05d}", out=out, **run))
        results = run_jobs(
            run_copy,
            jobs,
            open_executor("local", workers=workers),
            max_failures=0,
            on_progress=on_progress or (lambda done, total: None),
            workspace=workspace,
        )
        manifest = finish_dataset(
            out,
            results,
            config=config,
            seed=manifests[0].seed,
            source=_joined(manifest.source for manifest in manifests),
            licence=_joined((manifest.licence for manifest in manifests), "; "),
            platform=_joined((manifest.platform for manifest in manifests), "; "),
        )
        workspace.close()
    return manifest


def _joined(values: Iterable[str], separator: str = ", ") -> str:
    return separator.join(dict.fromkeys(values))


def _manifest_hash(url: str) -> str:
    return hashlib.sha256(open_storage(url).read(MANIFEST_NAME)).hexdigest()
