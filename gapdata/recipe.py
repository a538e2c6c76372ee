"""Recipes: samples without what may not be passed on, and what it takes to make them whole again.

A recipe's samples hold meta.json (cameras, ids, boxes), qa.json, and recipe.json: the hashes of the members
left out and of the raw files they come from. Who has the raw files gets the same bytes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gapdata.errors import DatasetError
from gapdata.shards.records import META, QUESTIONS, RECIPE, dump_json, load_json
from gapdata.shards.writer import EncodedSample

_HINT = "get the release of the raw data that the recipe was made from"


def recipe_of(sample: EncodedSample, files: Mapping[str, str]) -> EncodedSample:
    """The sample with its pictures and points replaced by their hashes. `files`: raw file -> sha256."""
    left_out = {
        name: data for name, data in sample.members.items() if name not in (META, QUESTIONS)
    }
    record = {
        "members": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in left_out.items()
        ],
        "files": [{"name": name, "sha256": files[name]} for name in sorted(files)],
    }
    kept = {name: data for name, data in sample.members.items() if name not in left_out}
    members = {**kept, RECIPE: dump_json(record, sample.key)}
    return replace(sample, members=dict(sorted(members.items())))


def differing_members(recipe: bytes, members: Mapping[str, bytes], where: str) -> list[str]:
    """Names of the members that are not as the recipe says. Raises DatasetError for a damaged recipe."""
    hashes = {row["name"]: row["sha256"] for row in _rows(recipe, "members", where)}
    found = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in members.items()
        if name not in (META, QUESTIONS)
    }
    return sorted(
        name for name in hashes.keys() | found.keys() if hashes.get(name) != found.get(name)
    )


def check_files(recipe: bytes, files: Mapping[str, str], where: str) -> None:
    """Raises DatasetError naming the first raw file that is not the one the recipe was made from."""
    wanted = {row["name"]: row["sha256"] for row in _rows(recipe, "files", where)}
    for name in sorted(wanted.keys() | files.keys()):
        if name not in files:
            raise DatasetError(f"{where}: {name}: expected the raw file, found none; {_HINT}")
        if name not in wanted:
            raise DatasetError(f"{where}: {name}: expected no such raw file, found one; {_HINT}")
        if wanted[name] != files[name]:
            raise DatasetError(
                f"{where}: {name}: expected sha256 {wanted[name][:12]}..., found {files[name][:12]}...; {_HINT}"
            )


def hash_files(groups: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """sha256 of each entry: of the file, or of the names and hashes of a folder's files in order."""
    return {
        name: _file_hash(paths[0]) if not name.endswith("/") else _folder_hash(paths)
        for name, paths in groups.items()
    }


def _folder_hash(paths: Sequence[Path]) -> str:
    lines = "".join(f"{_file_hash(path)}  {path.name}\n" for path in paths)
    return hashlib.sha256(lines.encode()).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(recipe: bytes, name: str, where: str) -> list[dict[str, Any]]:
    record = load_json(recipe, f"{where}: {RECIPE}")
    if not isinstance(record, dict) or not isinstance(record.get(name), list):
        raise DatasetError(f"{where}: {RECIPE}: expected a list of {name}, found none")
    rows: list[dict[str, Any]] = record[name]
    return rows
