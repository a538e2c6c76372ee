"""Column types for Hugging Face `datasets`, which otherwise guesses them from the first five samples.

The guess fails for a list that is empty in those five and not later; the dataset card states the types instead.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gapdata.shards.manifest import Manifest
from gapdata.shards.records import META, META_SHAPE, QUESTION_SHAPE, QUESTIONS, RECIPE, RECIPE_SHAPE

_SCALARS: dict[type, str] = {int: "int64", float: "float64", str: "string"}
_SHAPES = {META: META_SHAPE, QUESTIONS: QUESTION_SHAPE, RECIPE: RECIPE_SHAPE}
_POINTS: list[dict[str, Any]] = [
    {"name": "xyz_world", "list": {"list": "float32"}},
    {"name": "rgb", "list": {"list": "uint8"}},
    {"name": "normal_world", "list": {"list": "float32"}},
    {"name": "instance", "list": "uint16"},
    {"name": "pixel", "list": {"list": {"list": "float32"}}},
    {"name": "visible", "list": {"list": "uint8"}},
]


def card_header(manifest: Manifest, members: Sequence[str]) -> str:
    """YAML front matter for the dataset's README.md, with which `datasets.load_dataset(OUT)` needs no guess.

    It is written as JSON, which is YAML too.
    """
    files = [{"split": split, "path": f"shards/{split}-*.tar"} for split in sorted(manifest.splits)]
    record = {
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"features": features(members)},
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in record.items()]
    return "\n".join(["---", *lines, "---", ""])


def features(members: Sequence[str]) -> list[dict[str, Any]]:
    """The columns of a shard with these members, in the form of a dataset card's `dataset_info.features`."""
    columns = [_column(name) for name in members]
    return [*columns, _named("__key__", "string"), _named("__url__", "string")]


def _column(member: str) -> dict[str, Any]:
    kind = member.rsplit(".", 1)[-1]
    if kind in ("jpg", "png"):
        return _named(member, "image")
    if kind == "tiff16":
        return _named(member, "binary")
    if kind == "npz":
        return _named(member, _POINTS)
    return _named(member, _typed(_SHAPES[member]))


def _named(name: str, kind: Any) -> dict[str, Any]:
    """A column of a scalar type, a struct (a list of columns), or a list (a dict)."""
    if isinstance(kind, str):
        return {"name": name, "dtype": kind}
    return {"name": name, **kind} if isinstance(kind, dict) else {"name": name, "struct": kind}


def _typed(shape: Any) -> Any:
    if isinstance(shape, dict):
        return [_named(name, _typed(inner)) for name, inner in shape.items()]
    if isinstance(shape, list):
        inner = _typed(shape[0])
        return {"list": inner}
    return _SCALARS[shape]
