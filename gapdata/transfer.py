"""`gapdata push` and `pull`: a finished dataset copied between URLs, every byte held against its hash, manifest last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.lock import LOCK_NAME, Lock
from gapdata.shards.manifest import MANIFEST_NAME, Manifest, read_manifest
from gapdata.shards.storage import Storage, open_storage

OnProgress = Callable[[int, int], None]


def copy_dataset(
    source: str, target: str, *, workers: int = 4, on_progress: OnProgress | None = None
) -> Manifest:
    """The manifest of a finished dataset that is now at `target` too; `on_progress(bytes done, bytes in total)`.

    A copy that was stopped goes on: what is there already with the right hash stays. Raises DatasetError when
    the source is unfinished or differs from its manifest, ConfigError when the target holds something else,
    is being written to, or cannot be written.
    """
    manifest = read_manifest(source)
    origin, place = open_storage(source), open_storage(target)
    if (origin.protocol, origin.root) == (place.protocol, place.root):
        raise ConfigError(f"{target}: is the dataset itself; choose another place")
    text = origin.read(MANIFEST_NAME)
    hashes = {shard.name: shard.sha256 for shard in manifest.shards}
    names = [name for name in origin.names() if name not in (MANIFEST_NAME, LOCK_NAME)]
    if missing := sorted(set(hashes) - set(names)):
        raise DatasetError(f"{source}: {missing[0]}: is missing; run gapdata check")
    _require_same(place, {*names, MANIFEST_NAME}, text)
    lock = Lock(place)
    lock.acquire()
    try:
        _copy_files(origin, place, names, hashes, workers, on_progress)
        lock.require_held()
        if missing := sorted(set(names) - set(place.names())):
            raise DatasetError(
                f"{target}: {missing[0]}: was removed while it was copied; copy again"
            )
        place.write(MANIFEST_NAME, text)
    finally:
        lock.release()
    return manifest


def _require_same(place: Storage, names: set[str], manifest: bytes) -> None:
    """Nothing. Raises ConfigError when the place holds what is not of this dataset."""
    if place.exists(MANIFEST_NAME) and place.read(MANIFEST_NAME) != manifest:
        raise ConfigError(f"{place.url}: holds another dataset; choose another place")
    if other := sorted(set(place.names()) - names - {LOCK_NAME}):
        raise ConfigError(
            f"{place.url}: expected an empty place or an unfinished copy, found {other[0]}; choose another place"
        )


def _copy_files(
    origin: Storage,
    place: Storage,
    names: list[str],
    hashes: dict[str, str],
    workers: int,
    on_progress: OnProgress | None,
) -> None:
    stats = {name: origin.stat(name) for name in names}
    sizes = {name: stat.size for name, stat in stats.items() if stat is not None}
    total, done = sum(sizes.values()), 0
    with ThreadPoolExecutor(workers, thread_name_prefix="copy") as pool:
        copying = {
            pool.submit(_copy_file, origin, place, name, size, hashes.get(name)): size
            for name, size in sizes.items()
        }
        try:
            for future in as_completed(copying):
                future.result()
                done += copying[future]
                if on_progress is not None:
                    on_progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)


def _copy_file(origin: Storage, place: Storage, name: str, size: int, sha256: str | None) -> None:
    """Copies one file unless it is there. Files whose hash the manifest does not name are small."""
    found = place.stat(name)
    same_size = found is not None and found.size == size
    if same_size and place.sha256(name, size) == (sha256 or origin.sha256(name, size)):
        return
    with place.staged(name) as path:
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for data in origin.pieces(name, size):
                digest.update(data)
                file.write(data)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise DatasetError(
                f"{origin.url}: {name}: expected the SHA-256 {sha256} of dataset.json, found {digest.hexdigest()}; "
                "run gapdata check there"
            )
