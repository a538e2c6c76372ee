"""ScanNet's annotation files: which instance each mesh vertex belongs to, and what the instances are called."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64, UInt16

from gapdata.errors import SourceError
from gapdata.labels import NYU40_ID, canonical_label

Array = np.ndarray
Fail = Callable[..., SourceError]

SEGMENTATION = "_vh_clean_2.0.010000.segs.json"  # of the mesh `_vh_clean_2.ply`
LABEL_TABLES = ("scannetv2-labels.combined.tsv", "scannet-labels.combined.tsv")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Annotation:
    """Instances on a mesh: id per vertex (objectId + 1, 0 = none) and the raw label of each id."""

    vertex_instance: UInt16[Array, " V"]
    labels: Mapping[int, str]
    note: str  # which files were used, for the provenance


def read_annotation(
    folder: Path, scene: str, num_vertices: int, source: str = ""
) -> Annotation | None:
    """Annotation of the mesh `_vh_clean_2.ply`, or None where the scene has none (the test split).

    A segment that several groups claim goes to the last, as in ScanNet's benchmark scripts; the note says
    how many. Raises SourceError when segments and mesh, or groups and segments, do not belong together.
    """
    path = _aggregation_of_mesh(folder, scene, source)
    if path is None:
        return None
    segments_path = folder / f"{scene}{SEGMENTATION}"
    if not segments_path.is_file():
        raise SourceError(
            source, scene, segments_path, f"expected the segments of {path.name}, found no file",
            "download it, or take the aggregation file away to use the scene without labels",
        )  # fmt: skip
    segments = _read_segments(segments_path, scene, num_vertices, source)

    fail = functools.partial(SourceError, source, scene, path)
    labels: dict[int, str] = {}
    claimed, owners = [], []
    for group in _read_json(path, fail, "segGroups"):
        number, label, members = _read_group(group, fail)
        if labels.setdefault(number, label) != label:
            raise fail(
                f"expected one label for objectId {number - 1}, found {labels[number]!r} and {label!r}"
            )
        claimed.append(members)
        owners.append(np.full(len(members), number, np.uint16))
    known, segment_of_vertex = np.unique(segments, return_inverse=True)
    wanted = np.concatenate(claimed) if claimed else np.zeros(0, np.int64)
    missing = np.setdiff1d(wanted, known)
    if len(missing):
        raise fail(
            f"expected segments of {segments_path.name} ({len(known)} of them), found {len(missing)} that are "
            f"not there, first {missing[0]}",
            "the two files belong to different meshes: get both again",
        )
    instance_of_segment = np.zeros(len(known), np.uint16)
    if claimed:
        instance_of_segment[np.searchsorted(known, wanted)] = np.concatenate(owners)
    shared = len(wanted) - len(np.unique(wanted))
    note = f"{path.name} on {segments_path.name}"
    return Annotation(
        vertex_instance=instance_of_segment[segment_of_vertex],
        labels=dict(sorted(labels.items())),
        note=note + (f"; {shared} segments claimed twice" if shared else ""),
    )


def face_instances(
    vertex_instance: UInt16[Array, " V"], faces: Int32[Array, "F 3"]
) -> UInt16[Array, " F"]:
    """Instance of each face: what at least two of its vertices have, 0 when all three differ."""
    a, b, c = vertex_instance[faces].T
    return np.where((a == b) | (a == c), a, np.where(b == c, b, 0)).astype(np.uint16)


def _aggregation_of_mesh(folder: Path, scene: str, source: str) -> Path | None:
    """The aggregation file that belongs to `_vh_clean_2.ply`, or None when the scene has no such file at all.

    Scenes come with `<id>.aggregation.json` for that mesh and `<id>_vh_clean.aggregation.json` for the dense
    one; names get mixed up, so what counts is the `segmentsFile` written inside. A file without that key
    counts by its name.
    """
    candidates = sorted(folder.glob("*.aggregation.json"))
    found = []
    for path in candidates:
        fail = functools.partial(SourceError, source, scene, path)
        segments_file = _read_json(path, fail).get("segmentsFile")
        if segments_file is None and path.name == f"{scene}.aggregation.json":
            return path
        if str(segments_file).endswith(SEGMENTATION):
            return path
        found.append(f"{path.name} for {segments_file}")
    if found:
        raise SourceError(
            source, scene, folder, f"expected an aggregation file for *{SEGMENTATION}, found {', '.join(found)}",
            f"download {scene}.aggregation.json",
        )  # fmt: skip
    return None


def _read_segments(path: Path, scene: str, num_vertices: int, source: str) -> Int64[Array, " V"]:
    """Segment number of each vertex of the mesh."""
    fail = functools.partial(SourceError, source, scene, path)
    segments = _integers(_read_json(path, fail, "segIndices"), fail, "segIndices")
    if len(segments) != num_vertices:
        raise fail(
            f"expected one segment for each of the {num_vertices} vertices of {scene}_vh_clean_2.ply, "
            f"found {len(segments)}",
            "segments and mesh are of different resolutions: get both again",
        )
    return segments


def _read_group(group: Any, fail: Fail) -> tuple[int, str, Int64[Array, " n"]]:
    """(instance id, raw label, segments) of one aggregation entry. Early releases lack `objectId`, not `id`."""
    if not isinstance(group, dict):
        raise fail(f"expected groups with id, label and segments, found {group!r:.60}")
    number = group.get("objectId", group.get("id"))
    label, members = group.get("label"), group.get("segments")
    if not isinstance(number, int) or not 0 <= number < 65535:
        raise fail(f"expected an objectId of 0..65534, found {number!r:.60}")
    if not isinstance(label, str):
        raise fail(f"expected a label for objectId {number}, found {label!r:.60}")
    return number + 1, label, _integers(members, fail, f"segments of objectId {number}")


def _integers(values: Any, fail: Fail, name: str) -> Int64[Array, " n"]:
    try:
        found = np.array(values)
    except ValueError as error:
        raise fail(f"expected a list of integers in {name}, found lists in it") from error
    if found.ndim != 1 or (found.size and found.dtype.kind != "i"):
        raise fail(
            f"expected a list of integers in {name}, found {found.dtype.name} of shape {found.shape}"
        )
    return found.astype(np.int64)


def _read_json(path: Path, fail: Fail, key: str | None = None) -> Any:
    """The JSON object in a file, or what it has under `key`."""
    try:
        loaded = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise fail(
            f"expected JSON, found {error}", "the file is truncated or damaged: get it again"
        ) from error
    if not isinstance(loaded, dict) or (key is not None and key not in loaded):
        keys = ", ".join(sorted(loaded)) if isinstance(loaded, dict) else type(loaded).__name__
        raise fail(f"expected an object with {key or 'keys'}, found {keys}")
    return loaded if key is None else loaded[key]


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelTable:
    """NYU40 ids of raw labels, from ScanNet's table at `path`, None where there is none."""

    path: Path | None
    nyu40: Mapping[str, int]

    @property
    def name(self) -> str:
        """The file's name, "" without a table."""
        return "" if self.path is None else self.path.name

    def find(self, label: str) -> int | None:
        """NYU40 id of a raw label or of its usual spelling; None when the table has neither.

        Without a table only labels that are NYU40 names themselves have an id.
        """
        table = self.nyu40 if self.name else NYU40_ID
        return table.get(label, table.get(canonical_label(label)))


def read_label_table(folders: list[Path], source: str = "") -> LabelTable:
    """The first label table in these folders, or an empty one. Raises SourceError when it lacks a column."""
    for path in (folder / name for folder in folders for name in LABEL_TABLES):
        if path.is_file():
            return LabelTable(path=path, nyu40=_read_table(path, source))
    return LabelTable(path=None, nyu40={})


def _read_table(path: Path, source: str) -> dict[str, int]:
    fail = functools.partial(SourceError, source, "", path)
    with path.open(encoding="utf-8", newline="") as file:
        # Some labels hold a quotation mark, so quoting must stay off.
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = rows.fieldnames or []
        # The table of 2017 calls the raw label `category`.
        name = "raw_category" if "raw_category" in columns else "category"
        if name not in columns or "nyu40id" not in columns:
            raise fail(
                f"expected columns raw_category and nyu40id, found {', '.join(columns) or 'none'}"
            )
        table = {}
        for row in rows:
            number = (row["nyu40id"] or "").strip()
            # The table of 2017 has rows without an id.
            if not number:
                continue
            if not number.isdigit() or int(number) > 40:
                raise fail(f"expected an nyu40id of 0..40 for {row[name]!r}, found {number!r}")
            table[row[name]] = int(number)
    return table
