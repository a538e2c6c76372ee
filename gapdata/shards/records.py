"""The JSON members of a sample, meta.json and qa.json, and the index rows: fixed keys, fixed types.

Loaders infer column types from the first records they meet, so every key is always there, floats are
written as floats, lists may be empty but not null, and whatever has no fixed shape is JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gapdata.errors import DatasetError
from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import Camera
from gapdata.sample import QA, SCHEMA_VERSION, Sample, ScenePoints, Visibility
from gapdata.scene import Attributes, Instance
from gapdata.view import View

Array = np.ndarray

META = "meta.json"
QUESTIONS = "qa.json"
RECIPE = "recipe.json"  # in place of pictures and points, where these may not be passed on

# The shape of every JSON record: a dict fixes keys, a list of one holds any number of that, a type is a leaf.
_BOX = {"center": [float], "size": [float], "rotation": [[float]]}
META_SHAPE: dict[str, Any] = {
    "schema_version": int,
    "key": str,
    "source": str,
    "scene_id": str,
    "split": str,
    "world_frame": str,
    "views": [
        {
            "frame_id": str,
            "timestamp_s": float,
            "height": int,
            "width": int,
            "K": [[float]],
            "cam2world": [[float]],
            "depth_scale": float,
            "depth_source": str,
            "normal_source": str,
        }
    ],
    "instances": [
        {
            "id": int,
            "label": str,
            "nyu40": int,
            "box": _BOX,
            "aabb": _BOX,
            "attributes": {"color": str, "material": str, "shape": str, "size": str},
            "support": int,
            "room": str,
            "visible": [float],
            "truncated": [float],
            "occluded": [float],
            "pixels": [int],
        }
    ],
    "provenance": [{"name": str, "value": str}],
}
QUESTION_SHAPE: list[Any] = [
    {
        "id": str,
        "task": str,
        "format": str,
        "views": [int],
        "frame": str,
        "question": str,
        "answer": str,
        "choices": [str],
        "value": str,  # JSON
        "unit": str,
        "objects": [int],
        "evidence": str,  # JSON
        "margin": float,
        "template": str,
        "markers": str,  # JSON
    }
]


RECIPE_SHAPE: dict[str, Any] = {
    "members": [{"name": str, "bytes": int, "sha256": str}],
    "files": [{"name": str, "sha256": str}],
}


def dump_json(record: Any, where: str) -> bytes:
    """Canonical JSON bytes. Raises DatasetError naming `where` for NaN, infinity or a type JSON lacks."""
    return _json_text(record, where).encode()


def load_json(data: str | bytes, where: str) -> Any:
    """The record of a JSON text. Raises DatasetError naming `where` when they are not JSON."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise DatasetError(f"{where}: not JSON: {error}") from error


def _json_text(record: Any, where: str) -> str:
    try:
        return json.dumps(
            record, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{where}: cannot be written as JSON: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def shape_fault(record: Any, shape: Any, where: str) -> str:
    """The first place where a JSON record departs from its shape, as a sentence; "" when it fits."""
    if isinstance(shape, dict):
        if not isinstance(record, dict) or record.keys() != shape.keys():
            found = sorted(record) if isinstance(record, dict) else type(record).__name__
            return f"{where}: expected keys {sorted(shape)}, found {found}"
        faults = (
            shape_fault(record[name], inner, f"{where}.{name}") for name, inner in shape.items()
        )
    elif isinstance(shape, list):
        if not isinstance(record, list):
            return f"{where}: expected a list, found {type(record).__name__}"
        faults = (shape_fault(item, shape[0], f"{where}[{i}]") for i, item in enumerate(record))
    else:
        if type(record) is not shape:
            return f"{where}: expected {shape.__name__}, found {type(record).__name__}"
        return ""
    return next(filter(None, faults), "")


def meta_from_sample(sample: Sample, depth_scale: float) -> dict[str, Any]:
    """The record of meta.json. Raises DatasetError unless visibility covers exactly the sample's instances."""
    visibility = sample.visibility
    ids = [instance.id for instance in sample.instances]
    if visibility.ids.tolist() != ids or len(visibility.pixels) != len(sample.views):
        raise DatasetError(
            f"{sample.key}: expected a visibility row for each of {len(sample.views)} views and a column for "
            f"instances {ids}, found {len(visibility.pixels)} rows for {visibility.ids.tolist()}"
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "key": sample.key,
        "source": sample.source,
        "scene_id": sample.scene_id,
        "split": sample.split,
        "world_frame": sample.world_frame,
        "views": [_view_record(view, depth_scale) for view in sample.views],
        "instances": _instance_records(sample.instances, visibility),
        "provenance": [
            {"name": name, "value": sample.provenance[name]} for name in sorted(sample.provenance)
        ],
    }


def _view_record(view: View, depth_scale: float) -> dict[str, Any]:
    return {
        "frame_id": view.frame_id,
        "timestamp_s": float(view.timestamp_s),
        "height": int(view.camera.height),
        "width": int(view.camera.width),
        "K": _floats(view.camera.K),
        "cam2world": _floats(view.camera.cam2world),
        "depth_scale": float(depth_scale),
        "depth_source": view.depth_source,
        "normal_source": view.normal_source,
    }


def _instance_records(
    instances: Sequence[Instance], visibility: Visibility
) -> list[dict[str, Any]]:
    columns = {
        name: _floats(getattr(visibility, name).T) for name in ("visible", "truncated", "occluded")
    }
    pixels = visibility.pixels.T.tolist()
    return [
        {
            "id": int(instance.id),
            "label": instance.label,
            "nyu40": int(instance.nyu40),
            "box": _box_record(instance.box),
            "aabb": _box_record(instance.aabb),
            "attributes": {
                "color": instance.attributes.color,
                "material": instance.attributes.material,
                "shape": instance.attributes.shape,
                "size": instance.attributes.size,
            },
            "support": int(instance.support),
            "room": instance.room,
            **{name: column[i] for name, column in columns.items()},
            "pixels": pixels[i],
        }
        for i, instance in enumerate(instances)
    ]


def _box_record(box: Box) -> dict[str, Any]:
    return {
        "center": _floats(box.center),
        "size": _floats(box.size),
        "rotation": _floats(box.rotation),
    }


def _floats(array: Array) -> list[Any]:
    """Nested lists of Python floats with the fewest digits that give back the array's own dtype exactly."""
    if array.dtype == np.float64:
        return array.tolist()
    return array.astype(str).astype(np.float64).tolist()


def rows_from_questions(questions: Sequence[QA]) -> list[dict[str, Any]]:
    """The record of qa.json: one row a question."""
    return [
        {
            "id": qa.id,
            "task": qa.task,
            "format": qa.format,
            "views": [int(view) for view in qa.views],
            "frame": qa.frame,
            "question": qa.question,
            "answer": qa.answer,
            "choices": list(qa.choices),
            "value": _json_text(qa.value, qa.id),
            "unit": qa.unit,
            "objects": [int(instance) for instance in qa.objects],
            "evidence": _json_text(dict(qa.evidence), qa.id),
            "margin": float(qa.margin),
            "template": qa.template,
            "markers": _json_text([dict(marker) for marker in qa.markers], qa.id),
        }
        for qa in questions
    ]


def parse_questions(data: bytes) -> tuple[QA, ...]:
    """The questions of qa.json's bytes. Raises DatasetError when a row has other keys or types than it must."""
    rows = _load_shaped(data, QUESTION_SHAPE, QUESTIONS)
    return tuple(
        QA(
            **{
                **row,
                "views": tuple(row["views"]),
                "choices": tuple(row["choices"]),
                "objects": tuple(row["objects"]),
                "value": load_json(row["value"], row["id"]),
                "evidence": load_json(row["evidence"], row["id"]),
                "markers": tuple(load_json(row["markers"], row["id"])),
            }
        )
        for row in rows
    )


def parse_meta(data: bytes) -> dict[str, Any]:
    """The record of meta.json's bytes. Raises DatasetError when it has other keys or types than it must."""
    return _load_shaped(data, META_SHAPE, META)


def _load_shaped(data: bytes, shape: Any, where: str) -> Any:
    record = load_json(data, where)
    fault = shape_fault(record, shape, where)
    if fault:
        raise DatasetError(fault)
    return record


def sample_from_meta(
    meta: Mapping[str, Any],
    images: Sequence[Mapping[str, Any]],
    points: ScenePoints,
    questions: tuple[QA, ...],
) -> Sample:
    """A sample from the parsed meta.json and each view's decoded layers. Raises DatasetError for wrong sizes."""
    names = ("key", "source", "scene_id", "split", "world_frame")
    return Sample(
        **{name: meta[name] for name in names},
        views=tuple(
            _view(view, layers) for view, layers in zip(meta["views"], images, strict=True)
        ),
        instances=tuple(map(_instance, meta["instances"])),
        visibility=_visibility(meta["instances"], len(meta["views"])),
        points=points,
        qa=questions,
        provenance={pair["name"]: pair["value"] for pair in meta["provenance"]},
    )


def _view(record: Mapping[str, Any], layers: Mapping[str, Any]) -> View:
    return View(
        frame_id=record["frame_id"],
        timestamp_s=record["timestamp_s"],
        camera=Camera(
            K=_matrix(record["K"], 3),
            cam2world=_matrix(record["cam2world"], 4),
            height=record["height"],
            width=record["width"],
        ),
        depth_source=record["depth_source"],
        normal_source=record["normal_source"],
        rgb=layers.get("rgb"),
        depth=layers.get("depth"),
        normal=layers.get("normal"),
        instance=layers.get("instance"),
        jpeg=layers.get("jpeg"),
    )


def _instance(record: Mapping[str, Any]) -> Instance:
    return Instance(
        id=record["id"],
        label=record["label"],
        nyu40=record["nyu40"],
        box=_box(record["box"]),
        aabb=_box(record["aabb"]),
        attributes=Attributes(**record["attributes"]),
        support=record["support"],
        room=record["room"],
    )


def _box(record: Mapping[str, Any]) -> Box:
    vectors = {name: np.array(record[name], np.float64) for name in ("center", "size")}
    return Box(**vectors, rotation=_matrix(record["rotation"], 3))


def _matrix(rows: list[list[float]], size: int) -> Array:
    if len(rows) != size or any(len(row) != size for row in rows):
        raise DatasetError(f"{META}: expected a {size}x{size} matrix, found {rows}")
    return np.array(rows, np.float64)


def _visibility(instances: Sequence[Mapping[str, Any]], num_views: int) -> Visibility:
    def table(name: str, dtype: type) -> Array:
        rows = [instance[name] for instance in instances]
        if any(len(row) != num_views for row in rows):
            raise DatasetError(f"{META}: instances: expected {num_views} values of {name} each")
        return np.ascontiguousarray(np.array(rows, dtype).reshape(len(rows), num_views).T)

    return Visibility(
        ids=np.array([instance["id"] for instance in instances], np.int32),
        pixels=table("pixels", np.int32),
        visible=table("visible", np.float32),
        truncated=table("truncated", np.float32),
        occluded=table("occluded", np.float32),
    )
