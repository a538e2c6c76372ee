"""dataset.json: what a dataset is made of. Written last, so its existence means the build is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gapdata
from gapdata.errors import DatasetError
from gapdata.sample import SCHEMA_VERSION
from gapdata.shards.storage import open_storage, write_file

MANIFEST_NAME = "dataset.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardInfo:
    """One finished tar file. `name` is its path under the dataset's URL."""

    name: str
    bytes: int
    sha256: str
    samples: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A scene that was left out, and why."""

    scene: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """The contents of dataset.json."""

    config: Mapping[str, Any]  # the build's full configuration
    seed: int
    source: str
    licence: str
    platform: str  # what the last bits of rendered layers may depend on
    splits: Mapping[str, tuple[ShardInfo, ...]]
    counts: Mapping[str, Any]  # scenes, samples, views, qa, and qa per task and per format
    drops: Mapping[str, int] = field(default_factory=dict)  # reason -> how often
    failures: tuple[Failure, ...] = ()
    gapdata_version: str = gapdata.__version__
    schema_version: int = SCHEMA_VERSION

    @property
    def is_recipe(self) -> bool:
        """Whether the samples lack their pictures and points; see `gapdata.recipe`."""
        return bool(self.config.get("recipe", False))

    @property
    def shards(self) -> tuple[ShardInfo, ...]:
        """All shards, split by split in the order of the names."""
        return tuple(shard for split in sorted(self.splits) for shard in self.splits[split])

    def to_json(self) -> str:
        """The text of dataset.json: fixed key order, the same for equal manifests."""
        record = {
            "schema_version": self.schema_version,
            "gapdata_version": self.gapdata_version,
            "source": self.source,
            "licence": self.licence,
            "seed": self.seed,
            "platform": self.platform,
            "config": dict(self.config),
            "splits": {
                split: {"shards": [asdict(shard) for shard in self.splits[split]]}
                for split in sorted(self.splits)
            },
            "counts": dict(self.counts),
            "drops": dict(sorted(self.drops.items())),
            "failures": [asdict(failure) for failure in self.failures],
        }
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Manifest:
        """The manifest of a dataset.json. Raises DatasetError naming `where` for another version or shape."""
        try:
            record = json.loads(text)
            version = record["schema_version"]
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(
                f"{where}: not a gapdata manifest: {error!r}; build again"
            ) from error
        if version != SCHEMA_VERSION:
            raise DatasetError(
                f"{where}: expected schema version {SCHEMA_VERSION}, found {version}; "
                f"read it with the gapdata {record.get('gapdata_version', '?')} that wrote it, or build again"
            )
        try:
            splits = {
                split: tuple(ShardInfo(**shard) for shard in entry["shards"])
                for split, entry in record.pop("splits").items()
            }
            failures = tuple(Failure(**failure) for failure in record.pop("failures"))
            return cls(splits=splits, failures=failures, **record)
        except (KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{where}: damaged manifest: {error!r}; build again") from error


def read_whole_manifest(url: str) -> Manifest:
    """The manifest of a finished dataset with pictures. Raises DatasetError when there is none, or for a recipe."""
    manifest = read_manifest(url)
    if manifest.is_recipe:
        raise DatasetError(
            f"{url}: expected pictures, found a recipe, which has none; make it whole first: "
            f"gapdata rebuild {url} --root RAW_DATA --out OUT"
        )
    return manifest


def write_manifest(url: str, manifest: Manifest) -> None:
    """Writes dataset.json whole or not at all: the last act of a build. Raises ConfigError."""
    write_file(url, MANIFEST_NAME, manifest.to_json().encode())


def read_manifest(url: str) -> Manifest:
    """The manifest of a finished dataset. Raises DatasetError when there is none, or one of another version."""
    try:
        text = open_storage(url).read(MANIFEST_NAME)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetError(
            f"{url}: expected a dataset, found no {MANIFEST_NAME}; finish the build or correct the path"
        ) from error
    return Manifest.from_json(text, f"{url}: {MANIFEST_NAME}")
