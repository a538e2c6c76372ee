"""The output folder of a build while it grows: who owns it, which shards are finished, what is left to do.

OUT/_build/ exists from the start of a build to its end. It holds `config.json` (what is being built) and, for
each finished shard, NAME.arrow (its index rows) and NAME.json (drops and failures, written last).
"""

from __future__ import annotations

import json
from collections import Counter
from types import TracebackType
from typing import Any

from gapdata.attribution import ATTRIBUTION_NAME
from gapdata.card import CARD_NAME, PICTURE_NAME
from gapdata.croissant import CROISSANT_NAME
from gapdata.errors import ConfigError
from gapdata.shard_job import ShardResult
from gapdata.shards.energon import FOLDER as ENERGON
from gapdata.shards.index import QA_NAME, SAMPLES_NAME
from gapdata.shards.lock import LOCK_NAME, Lock, LockTiming
from gapdata.shards.manifest import MANIFEST_NAME, Failure, Manifest, read_manifest
from gapdata.shards.storage import open_storage
from gapdata.shards.writer import ShardRecord

_BUILD = "_build"
_CONFIG = f"{_BUILD}/config.json"
# What a build may replace, in the order it is removed: the manifest first, so that nothing half-gone looks whole.
_OWNED = (
    MANIFEST_NAME,
    SAMPLES_NAME,
    QA_NAME,
    CARD_NAME,
    PICTURE_NAME,
    CROISSANT_NAME,
    ATTRIBUTION_NAME,
    ENERGON,
    "shards",
    _BUILD,
)


class Workspace:
    """The folder or URL of one dataset under construction.

    Entering it does nothing; leaving it gives up the place that `prepare` took. Of two runs that write to one
    place the second is refused.
    """

    def __init__(self, out: str, *, timing: LockTiming | None = None) -> None:
        self.out = out
        self._storage = open_storage(out)
        self._lock = Lock(self._storage, timing=timing)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def prepare(self, content: dict[str, Any], *, overwrite: bool) -> Manifest | None:
        """Makes `out` ready for building `content`, and ours; returns the manifest if it is finished already.

        Raises ConfigError when `out` holds a dataset or build of other content (unless `overwrite`), or
        files that are no dataset (always), or when another run is building there.
        """
        if self._is_finished(content, overwrite=overwrite) and not self._storage.exists(_CONFIG):
            return read_manifest(self.out)
        self._lock.acquire()
        # The run that had the place until now may have changed everything.
        if self._is_finished(content, overwrite=overwrite):
            self._remove(_BUILD)
            return read_manifest(self.out)
        if self._is_started(content):
            return None
        self._remove(*_OWNED)
        self._storage.write(_CONFIG, json.dumps(content, indent=1).encode())
        return None

    def require_held(self) -> None:
        """Nothing. Raises GapdataError when another run has taken the place over."""
        self._lock.require_held()

    def save_result(self, result: ShardResult) -> None:
        """Records a finished shard, so that a resumed build need not make it again."""
        if result.record is not None:
            self._storage.write(f"{_BUILD}/{result.name}.arrow", result.record.to_bytes())
        notes = {
            "split": result.split,
            "has_record": result.record is not None,
            "drops": dict(sorted(result.drops.items())),
            "failures": [[failure.scene, failure.reason] for failure in result.failures],
            "credits": list(result.credits),
        }
        self._storage.write(f"{_BUILD}/{result.name}.json", json.dumps(notes).encode())

    def finished_result(self, name: str) -> ShardResult | None:
        """The result of a shard finished earlier; None if there is none, it had failures, or its tar is not there."""
        if not self._storage.exists(f"{_BUILD}/{name}.json"):
            return None
        notes = json.loads(self._storage.read(f"{_BUILD}/{name}.json"))
        if notes["failures"]:
            return None
        record = None
        if notes["has_record"]:
            place = f"{_BUILD}/{name}.arrow"
            record = ShardRecord.from_bytes(self._storage.read(place), place)
            tar = self._storage.stat(record.info.name)
            if tar is None or tar.size != record.info.bytes:
                return None
        return ShardResult(
            name=name,
            split=notes["split"],
            record=record,
            drops=Counter(notes["drops"]),
            credits=tuple(notes["credits"]),
            failures=tuple(
                Failure(scene=scene, reason=reason) for scene, reason in notes["failures"]
            ),
        )

    def close(self) -> None:
        """Removes what only a running build needs, and gives the place up. Raises GapdataError as `require_held`."""
        self.require_held()
        self._storage.sweep("shards")
        self._remove(_BUILD)
        self._lock.release()

    def _is_finished(self, content: dict[str, Any], *, overwrite: bool) -> bool:
        """Whether the dataset is there already. Raises ConfigError when something else is that must not go."""
        if self._storage.exists(MANIFEST_NAME):
            if overwrite:
                return False
            config = dict(read_manifest(self.out).config)
            self._refuse_other(content, config, "a finished dataset")
            return True
        if self._storage.exists(_CONFIG):
            if not overwrite:
                found = json.loads(self._storage.read(_CONFIG))
                self._refuse_other(content, found, "an unfinished build")
        elif self._holds_anything():
            raise ConfigError(
                f"{self.out}: expected an empty or new folder, found other files; choose another --out"
            )
        return False

    def _is_started(self, content: dict[str, Any]) -> bool:
        """Whether an unfinished build of this content is there."""
        if self._storage.exists(MANIFEST_NAME) or not self._storage.exists(_CONFIG):
            return False
        return bool(json.loads(self._storage.read(_CONFIG)) == content)

    def _refuse_other(self, content: dict[str, Any], found: dict[str, Any], what: str) -> None:
        keys = sorted(content.keys() | found.keys())
        other = [key for key in keys if content.get(key) != found.get(key)]
        if other:
            raise ConfigError(
                f"{self.out}: holds {what} with other settings ({', '.join(other)}); "
                "choose another --out, or --overwrite to replace it"
            )

    def _holds_anything(self) -> bool:
        if self._storage.exists(""):
            raise ConfigError(f"{self.out}: expected a folder, found a file; choose another --out")
        return any(name != LOCK_NAME for name in self._storage.names())

    def _remove(self, *names: str) -> None:
        for name in names:
            self._storage.remove(name)
