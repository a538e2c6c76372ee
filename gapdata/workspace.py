"""The output folder of a build while it grows: who owns it, which shards are finished, what is left to do.

OUT/_build/ exists from the start of a build to its end. It holds `config.json` (what is being built) and, for
each finished shard, NAME.arrow (its index rows) and NAME.json (drops and failures, written last).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from gapdata.card import CARD_NAME
from gapdata.croissant import CROISSANT_NAME
from gapdata.errors import ConfigError, DatasetError
from gapdata.shard_job import ShardResult
from gapdata.shards.energon import FOLDER as ENERGON
from gapdata.shards.index import QA_NAME, SAMPLES_NAME
from gapdata.shards.manifest import MANIFEST_NAME, Failure, Manifest, read_manifest
from gapdata.shards.storage import open_storage, write_file
from gapdata.shards.writer import ShardRecord

_BUILD = "_build"
_CONFIG = f"{_BUILD}/config.json"
# What a build may replace, in the order it is removed: the manifest first, so that nothing half-gone looks whole.
_OWNED = (
    MANIFEST_NAME,
    SAMPLES_NAME,
    QA_NAME,
    CARD_NAME,
    CROISSANT_NAME,
    ENERGON,
    "shards",
    _BUILD,
)


class Workspace:
    """The folder or URL of one dataset under construction."""

    def __init__(self, out: str) -> None:
        self.out = out
        self._filesystem, self._root = open_storage(out)

    def prepare(self, content: dict[str, Any], *, overwrite: bool) -> Manifest | None:
        """Makes `out` ready for building `content`; returns the manifest if it is finished already.

        Raises ConfigError when `out` holds a dataset or build of other content (unless `overwrite`), or
        files that are no dataset (always).
        """
        finished, started = self._exists(MANIFEST_NAME), self._exists(_CONFIG)
        if finished and not overwrite:
            manifest = read_manifest(self.out)
            self._refuse_other(content, dict(manifest.config), "a finished dataset")
            self.close()
            return manifest
        if started and not finished:
            found = json.loads(self._filesystem.cat_file(f"{self._root}/{_CONFIG}"))
            if found == content:
                return None
            if not overwrite:
                self._refuse_other(content, found, "an unfinished build")
        if finished or started:
            self._remove(*_OWNED)
        elif self._holds_anything():
            raise ConfigError(
                f"{self.out}: expected an empty or new folder, found other files; choose another --out"
            )
        write_file(self.out, _CONFIG, json.dumps(content, indent=1).encode())
        return None

    def save_result(self, result: ShardResult) -> None:
        """Records a finished shard, so that a resumed build need not make it again."""
        if result.record is not None:
            write_file(self.out, f"{_BUILD}/{result.name}.arrow", result.record.to_bytes())
        notes = {
            "split": result.split,
            "has_record": result.record is not None,
            "drops": dict(sorted(result.drops.items())),
            "failures": [[failure.scene, failure.reason] for failure in result.failures],
        }
        write_file(self.out, f"{_BUILD}/{result.name}.json", json.dumps(notes).encode())

    def finished_result(self, name: str) -> ShardResult | None:
        """The result of a shard finished earlier; None if there is none, it had failures, or its tar is not there."""
        if not self._exists(f"{_BUILD}/{name}.json"):
            return None
        notes = json.loads(self._filesystem.cat_file(f"{self._root}/{_BUILD}/{name}.json"))
        if notes["failures"]:
            return None
        record = None
        if notes["has_record"]:
            place = f"{_BUILD}/{name}.arrow"
            record = ShardRecord.from_bytes(
                self._filesystem.cat_file(f"{self._root}/{place}"), place
            )
            tar = f"{self._root}/{record.info.name}"
            if not self._filesystem.exists(tar) or self._filesystem.size(tar) != record.info.bytes:
                return None
        return ShardResult(
            name=name,
            split=notes["split"],
            record=record,
            drops=Counter(notes["drops"]),
            failures=tuple(
                Failure(scene=scene, reason=reason) for scene, reason in notes["failures"]
            ),
        )

    def close(self) -> None:
        """Removes what only a running build needs."""
        self._remove(_BUILD)

    def _refuse_other(self, content: dict[str, Any], found: dict[str, Any], what: str) -> None:
        keys = sorted(content.keys() | found.keys())
        other = [key for key in keys if content.get(key) != found.get(key)]
        if other:
            raise ConfigError(
                f"{self.out}: holds {what} with other settings ({', '.join(other)}); "
                "choose another --out, or --overwrite to replace it"
            )

    def _exists(self, name: str) -> bool:
        return bool(self._filesystem.exists(f"{self._root}/{name}"))

    def _holds_anything(self) -> bool:
        if not self._filesystem.exists(self._root):
            return False
        if not self._filesystem.isdir(self._root):
            raise ConfigError(f"{self.out}: expected a folder, found a file; choose another --out")
        return bool(self._filesystem.ls(self._root, detail=False))

    def _remove(self, *names: str) -> None:
        for name in names:
            if self._exists(name):
                try:
                    self._filesystem.rm(f"{self._root}/{name}", recursive=True)
                except OSError as error:
                    raise DatasetError(
                        f"{self.out}/{name}: cannot be removed: {error.strerror}"
                    ) from error
