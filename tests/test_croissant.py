"""croissant.json: valid by the reference library, and its records are those of the index files."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gapdata import open_dataset
from gapdata.build import build
from gapdata.build_config import BuildConfig

# The library starts loggers and warns of its own: in a process of its own.
READ = """
import itertools, json, sys
import mlcroissant
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.ctx.issues
rows = {
    name: [
        {key.split("/")[1]: value.decode() if isinstance(value, bytes) else value for key, value in row.items()}
        for row in dataset.records(name)
    ]
    for name in ("samples", "questions")
}
print(json.dumps({"errors": sorted(issues.errors), "warnings": sorted(issues.warnings), **rows}, default=lambda v: v.tolist()))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("croissant") / "rooms"
    build(
        BuildConfig(
            source="synthetic", num_scenes=2, views=2, samples_per_scene=1, points=64, height=48, width=64, out=str(out)
        )
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def read(out) -> dict:
    pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    command = [sys.executable, "-W", "ignore", "-c", READ, str(out / "croissant.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_valid(read):
    assert read["errors"] == []
    # A date would make equal builds differ, and nobody has written a paper on a user's own build.
    assert [
        text for text in read["warnings"] if "datePublished" not in text and "citeAs" not in text
    ] == []


def test_records_are_the_rows_of_the_index(out, read):
    dataset = open_dataset(str(out))
    columns = [name for name in dataset.qa.column_names if name in read["questions"][0]]
    assert columns == dataset.qa.column_names
    assert read["questions"] == dataset.qa.to_pylist()
    assert read["samples"] == dataset.samples.to_pylist()


def test_files_are_named_with_their_hashes(out):
    record = json.loads((out / "croissant.json").read_text())
    named = {file["@id"]: (file["sha256"], file["contentSize"]) for file in record["distribution"]}
    found = {
        str(path.relative_to(out)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            f"{path.stat().st_size} B",
        )
        for path in [*out.glob("shards/*.tar"), *out.glob("*.parquet")]
    }
    assert named == found
    assert "http://mlcommons.org/croissant/RAI/1.0" in record["conformsTo"]
    assert all(
        record[f"rai:{name}"]
        for name in (
            "dataCollection",
            "dataLimitations",
            "dataUseCases",
            "personalSensitiveInformation",
        )
    )
