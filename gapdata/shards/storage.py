"""Files under a dataset's URL: any fsspec filesystem, each file appearing whole or not at all.

Credentials are the store client's business: they come from the environment, never from a URL.
"""

from __future__ import annotations

import asyncio
import base64
import glob
import hashlib
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from gapdata.errors import ConfigError
from gapdata.shards.store_errors import error_code, explained, is_passing, is_taken, store_errors

Result = TypeVar("Result")

# A store that answered before is waited for; one that never did is most likely named wrongly.
PATIENCE_S = 300.0
FIRST_PATIENCE_S = 10.0
_LONGEST_WAIT_S = 20.0
_PIECE = 8 << 20
_PART = "[0-9]*-*.part"  # of a staged file's name, after the target's: process, token
# Of stores that show an uploaded object whole or not at all; elsewhere files are renamed into place.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "memory"})
_logger = logging.getLogger("gapdata")
# It logs each failed request with its traceback; what is raised says it all.
logging.getLogger("gcsfs").addHandler(logging.NullHandler())
_answered: set[str] = set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stat:
    """A file's size in bytes, and text that changes whenever its content does."""

    size: int
    version: str


class Storage:
    """The files of a folder or URL, named by their paths under it; made by `open_storage`.

    Requests to a remote store that fail in passing are tried again. What cannot be done is raised as a
    ConfigError of one line, what is not there as a FileNotFoundError.
    """

    def __init__(self, url: str, filesystem: Any, root: str) -> None:
        self.url, self.filesystem, self.root = url, filesystem, root
        protocol = filesystem.protocol
        self.protocol = protocol if isinstance(protocol, str) else protocol[0]
        self.is_local = isinstance(filesystem, LocalFileSystem)
        self._store = f"{self.protocol}://{root.split('/')[0]}"

    def path(self, name: str) -> str:
        """Where the filesystem has the file."""
        return f"{self.root}/{name}" if name else self.root

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """The bytes of a file, or those from `start` to before `end`; fewer where it ends earlier."""
        cat = self.filesystem.cat_file
        return self._request(name, "read", cat, self.path(name), start=start, end=end)

    def pieces(self, name: str, size: int) -> Iterator[bytes]:
        """The first `size` bytes of a file, a few megabytes at a time."""
        for start in range(0, size, _PIECE):
            yield self.read(name, start, min(start + _PIECE, size))

    def sha256(self, name: str, size: int) -> str:
        """The SHA-256 of the first `size` bytes of a file."""
        digest = hashlib.sha256()
        for data in self.pieces(name, size):
            digest.update(data)
        return digest.hexdigest()

    def stat(self, name: str) -> Stat | None:
        """Size and version of a file, or None when there is none."""
        try:
            info = self._request(name, "read", self.filesystem.info, self.path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        if info["type"] != "file":
            return None
        version = next((info[key] for key in ("ETag", "etag", "generation") if info.get(key)), None)
        if version is None:
            version = [info.get(key) for key in ("mtime", "ino", "created")]
        return Stat(size=info["size"], version=str(version))

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return self.stat(name) is not None

    def names(self, folder: str = "") -> list[str]:
        """All files under a folder, sorted; none when there is no such folder."""
        find = self.filesystem.find
        found = self._request(folder, "read", find, self.path(folder), detail=True)
        files = {
            path.removeprefix(self.root).lstrip("/")
            for path in found
            if found[path]["type"] == "file"
        }
        # Some stores keep a folder when its last file is gone.
        return sorted(name for name in files if name != folder and not name.endswith("/"))

    def remove(self, name: str) -> None:
        """Removes a file, or a folder with all that is in it; nothing where there is none."""
        if not self._request(name, "read", self.filesystem.exists, self.path(name)):
            return
        try:
            self._request(name, "removed", self.filesystem.rm, self.path(name), recursive=True)
        except FileNotFoundError:
            return  # someone else was faster, or the store does not keep empty folders

    def write(self, name: str, data: bytes) -> None:
        """Writes a file whole or not at all."""
        with self.staged(name) as path, writing(f"{self.url}/{name}"):
            path.write_bytes(data)

    def create(self, name: str, data: bytes) -> bool:
        """Writes a file unless there is one of this name; whether it did. Of several at once, one succeeds."""
        try:
            if self.is_local:
                return self._create_local(name, data)
            pipe = self.filesystem.pipe_file
            self._request(name, "written", pipe, self.path(name), data, mode="create")
        except FileExistsError:
            # It may have been ours, with its answer lost on the way.
            return self.read(name) == data
        return True

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """The file, for reading from any place of it."""
        with self.explaining(name, "read"), self.filesystem.open(self.path(name), "rb") as file:
            yield file

    @contextmanager
    def staged(self, name: str) -> Iterator[Path]:
        """A local path to write to; a clean exit publishes it under `name`, an exception removes it.

        On a local filesystem the path lies beside its target, is synced to disk and then renamed; elsewhere
        it is uploaded, and the store holds what arrives against a checksum where it can. A path that was
        not written to publishes nothing.
        """
        target = self.path(name)
        folder = Path(target).parent if self.is_local else Path(tempfile.gettempdir())
        staged = folder / f".{Path(target).name}.{os.getpid()}-{secrets.token_hex(4)}.part"
        if self.is_local:
            with writing(target):
                folder.mkdir(parents=True, exist_ok=True)
                for leftover in folder.glob(f".{glob.escape(Path(target).name)}.{_PART}"):
                    if not _is_being_written(leftover):
                        leftover.unlink(missing_ok=True)  # of a run that was killed
        try:
            yield staged
            if staged.exists():
                self._publish(staged, name)
        finally:
            staged.unlink(missing_ok=True)

    def sweep(self, folder: str) -> None:
        """Removes what writers that were killed left staged in a local folder."""
        if self.is_local:
            for leftover in Path(self.path(folder)).glob(f".*.{_PART}"):
                leftover.unlink(missing_ok=True)

    def _publish(self, staged: Path, name: str) -> None:
        target = self.path(name)
        if self.is_local:
            with writing(target):
                _sync(staged)
                staged.replace(target)
                _sync(staged.parent)
        elif self.protocol in _OBJECT_STORES:
            self._request(name, "written", self._upload, staged, target)
        else:
            hidden = f"{self.root}/.{name.replace('/', '-')}.{secrets.token_hex(4)}.part"
            self._request(name, "written", self._upload, staged, hidden)
            self._request(name, "written", self.filesystem.mv, hidden, target)

    def _upload(self, staged: Path, target: str) -> None:
        """One attempt. Raises ConnectionError when what arrived is not what was sent."""
        checks: dict[str, Any] = {}
        if self.protocol in ("s3", "s3a"):
            checks["ContentMD5"] = base64.b64encode(_md5(staged)).decode()
        elif self.protocol in ("gs", "gcs"):
            checks["consistency"] = "md5"
        try:
            self.filesystem.put_file(str(staged), target, **checks)
        except store_errors() as error:
            if error_code(error) in ("BadDigest", "InvalidDigest"):
                raise ConnectionError(f"{target}: damaged on the way") from error
            raise
        found, sent = self.filesystem.info(target)["size"], staged.stat().st_size
        if found != sent:
            raise ConnectionError(f"{target}: {found} of {sent} bytes arrived")

    def _create_local(self, name: str, data: bytes) -> bool:
        target = Path(self.path(name))
        staged = target.parent / f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part"
        with writing(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_bytes(data)
                os.link(staged, target)
            except FileExistsError:
                return False
            finally:
                staged.unlink(missing_ok=True)
        return True

    def _request(self, name: str, action: str, call: Callable[..., Result], *args: Any, **options: Any) -> Result:  # fmt: skip
        """What a call to the filesystem returns, tried again while a remote store is in passing trouble."""
        with self.explaining(name, action):
            if self.is_local:
                return call(*args, **options)
            patience = PATIENCE_S if self._store in _answered else FIRST_PATIENCE_S
            retrying = Retrying(
                retry=retry_if_exception(is_passing),
                stop=stop_after_delay(patience),
                wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT_S),
                before_sleep=self._say_waiting,
                reraise=True,
            )
            result = retrying(call, *args, **options)
            _answered.add(self._store)
            return result

    def _say_waiting(self, state: RetryCallState) -> None:
        if state.attempt_number == 2:
            _logger.warning("%s: does not answer; trying again", self._store)

    @contextmanager
    def explaining(self, name: str, action: str) -> Iterator[None]:
        """Inside, errors of the filesystem are raised as this class promises."""
        try:
            yield
        except store_errors() as error:
            if is_taken(error):
                raise FileExistsError(f"{self.url}/{name}") from error
            absent = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
            if isinstance(error, absent) and error_code(error) != "NoSuchBucket":
                raise
            where = f"{self.url}/{name}" if name else self.url
            raise explained(error, where, action, remote=not self.is_local) from error


def open_storage(url: str) -> Storage:
    """The files under a URL or local path. Raises ConfigError for an unknown scheme or a password in the URL."""
    url = os.fspath(url)
    if re.match(r"[\w+.-]+://[^/@]*:[^/@]*@", url):
        scheme, _, rest = url.partition("://")
        raise ConfigError(
            f"{scheme}://***@{rest.partition('@')[2]}: holds a password; leave it out and set it in the environment"
        )
    try:
        filesystem, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ValueError, ImportError) as error:
        raise ConfigError(f"{url}: cannot be opened: {error}") from error
    if (loop := getattr(filesystem, "loop", None)) is not None:
        loop.set_exception_handler(_on_loose_error)
    return Storage(url, filesystem, str(root).rstrip("/"))


def _on_loose_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a client's background task raised and nobody asked for; a connection that breaks is told by its request."""
    if not isinstance(context.get("exception"), store_errors()):
        loop.default_exception_handler(context)


@contextmanager
def staged_file(url: str, name: str) -> Iterator[Path]:
    """See `Storage.staged`."""
    with open_storage(url).staged(name) as path:
        yield path


@contextmanager
def writing(target: str) -> Iterator[None]:
    """Inside, what goes wrong on disk (full, not permitted) is raised as a ConfigError naming `target`."""
    try:
        yield
    except OSError as error:
        raise explained(error, target, "written", remote="://" in target) from error


def write_file(url: str, name: str, data: bytes) -> None:
    """Writes `url/name` whole or not at all. Raises ConfigError when it cannot be written."""
    open_storage(url).write(name, data)


def _is_being_written(staged: Path) -> bool:
    """Whether the process that a staged file is named after lives, as a killed build's workers do for a moment."""
    process = int(staged.name.rsplit(".", 2)[1].partition("-")[0])
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def _md5(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").digest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
