"""Files under a dataset's URL: any fsspec filesystem, each file appearing whole or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from gapdata.errors import ConfigError


def open_storage(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL or local path, and the root inside it. Raises ConfigError for an unknown scheme."""
    try:
        filesystem, root = fsspec.core.url_to_fs(os.fspath(url))
    except (ValueError, ImportError) as error:
        raise ConfigError(f"{url}: cannot be opened: {error}") from error
    return filesystem, str(root).rstrip("/")


@contextmanager
def staged_file(url: str, name: str) -> Iterator[Path]:
    """A local path to write to; a clean exit publishes it as `url/name`, an exception removes it.

    On a local filesystem the path lies beside its target, is synced to disk and then renamed; elsewhere it
    is uploaded, which object stores do atomically. A path that was not written to publishes nothing.
    Raises ConfigError when the target cannot be written.
    """
    filesystem, root = open_storage(url)
    target = f"{root}/{name}"
    is_local = isinstance(filesystem, LocalFileSystem)
    folder = Path(target).parent if is_local else Path(tempfile.gettempdir())
    staged = folder / f".{Path(target).name}.{os.getpid()}-{secrets.token_hex(4)}.part"
    if is_local:
        with writing(target):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(f".{glob.escape(Path(target).name)}.*.part"):
                leftover.unlink(missing_ok=True)  # of a run that was killed
    try:
        yield staged
        if staged.exists():
            with writing(target):
                if is_local:
                    _sync(staged)
                    staged.replace(target)
                    _sync(folder)
                else:
                    filesystem.put_file(str(staged), target)
    finally:
        staged.unlink(missing_ok=True)


@contextmanager
def writing(target: str) -> Iterator[None]:
    """Inside, what goes wrong on disk (full, not permitted) is raised as a ConfigError naming `target`."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error.strerror or error}; free space there or choose another output"
        ) from error


def write_file(url: str, name: str, data: bytes) -> None:
    """Writes `url/name` whole or not at all. Raises ConfigError when it cannot be written."""
    with staged_file(url, name) as path, writing(f"{url}/{name}"):
        path.write_bytes(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
