"""croissant.json: the dataset described for machines, made from the manifest.

Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html) with fields of its Responsible AI
vocabulary (https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from gapdata.shards.index import QA_NAME, QA_SCHEMA, SAMPLES_NAME, SAMPLES_SCHEMA
from gapdata.shards.manifest import Manifest

CROISSANT_NAME = "croissant.json"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_COLUMNS = {
    "key": "The sample's key: the start of its members' names in the tar.",
    "shard": "The tar file that holds the sample.",
    "scene_id": "The scene, as its source names it.",
    "source": "Where the scene comes from.",
    "split": "The split of the scene.",
    "num_views": "Views of the sample.",
    "num_qa": "Questions of the sample.",
    "index": "Position of the question in the sample's qa.json.",
    "task": "What kind of question it is.",
    "format": "The type of the answer.",
    "views": "Positions of the views that the question is about.",
    "objects": "Ids of the instances that it is about.",
    "value": "The answer as a typed value, in JSON.",
    "unit": "Unit of the value.",
    "answer": "The answer in words.",
    "num_choices": "Options offered.",
    "right_choice": "Position of the answer among the options, -1 without options.",
    "margin": "Distance of the measured fact from the nearest decision boundary.",
    "template": "The wording.",
    "chars": "Length of question and answer.",
}


def croissant(manifest: Manifest, indexes: Mapping[str, tuple[int, str]]) -> str:
    """The text of croissant.json. `indexes`: name of an index file -> its bytes and sha256."""
    files = [
        *(_file(name, *indexes[name], "application/x-parquet") for name in (SAMPLES_NAME, QA_NAME)),
        *(_file(s.name, s.bytes, s.sha256, "application/x-tar") for s in manifest.shards),
    ]
    counts = manifest.counts
    record = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": f"gapdata-{manifest.source.replace(', ', '-')}",
        "description": f"3D-language training shards from {manifest.source}: {counts['scenes']} scenes, {counts['samples']} "
        f"samples, {counts['views']} views, {counts['qa']} questions with answers, depth, normals, instance ids and cameras.",
        "license": manifest.licence,
        "version": f"{manifest.schema_version}.0.0",
        "distribution": files,
        "recordSet": [
            _records("samples", SAMPLES_NAME, SAMPLES_SCHEMA),
            _records("questions", QA_NAME, QA_SCHEMA),
        ],
        **_responsible(manifest),
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _file(name: str, size: int, sha256: str, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _records(name: str, file: str, schema: pa.Schema) -> dict[str, Any]:
    """The rows of an index file; its nested column, byte places in tars, is left out."""
    fields = []
    for column in schema:
        repeated = pa.types.is_list(column.type)
        kind = column.type.value_type if repeated else column.type
        if column.name in _COLUMNS:
            fields.append(
                {
                    "@type": "cr:Field",
                    "@id": f"{name}/{column.name}",
                    "name": column.name,
                    "description": _COLUMNS[column.name],
                    "dataType": _data_type(kind),
                    **({"repeated": True} if repeated else {}),
                    "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
                }
            )
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def _responsible(manifest: Manifest) -> dict[str, Any]:
    """Where the data come from, how answers were made, and what they do not show."""
    made = manifest.source == "synthetic"
    worst = sorted(
        (row for row in manifest.counts["guessing"] if row["questions"] >= 20),
        key=lambda row: row["chance"] - row["majority"],
    )[:3]
    biases = ", ".join(
        f"{row['task']} ({row['format']}): {row['majority']:.0%} have one answer, chance is {row['chance']:.0%}"
        for row in worst
    )
    return {
        "rai:dataCollection": "Rendered from procedurally generated scenes."
        if made
        else f"Derived from recorded scans of {manifest.source}.",
        "rai:dataCollectionType": ["Synthetic data"] if made else ["Direct measurement", "Others"],
        "rai:dataAnnotationProtocol": "Questions and answers are computed from scene geometry, dropped when ambiguous, close to a "
        "decision boundary or not stable under noise, and can be derived a second time from the stored pixels (gapdata verify).",
        "rai:dataPreprocessingProtocol": [f"gapdata {manifest.gapdata_version}, settings in dataset.json"],
        "rai:dataUseCases": ["Pre-training and evaluation of multimodal models on 3D perception and spatial reasoning"],
        "rai:dataLimitations": [
            "Generated rooms are simpler than real ones." if made else "Sensor depth has holes and noise; labels are those of the source.",
            "Questions have template wordings in English.",
        ],
        "rai:dataBiases": [f"Most frequent answers above chance: {biases}"] if biases else [],
        "rai:personalSensitiveInformation": ["None: no real place or person is shown."]
        if made
        else ["Recordings of private rooms: see the terms of the source."],
    }  # fmt: skip
