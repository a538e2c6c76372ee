"""One writer at a time: a lock file in the place that is written to, on any filesystem.

No clock of one machine is held against another's. The owner counts up in the lock file while it runs; a lock
whose count stands still for as long as the watcher's own clock says is of an owner that is gone.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gapdata.errors import ConfigError, GapdataError
from gapdata.shards.storage import Storage

LOCK_NAME = "_lock.json"
_logger = logging.getLogger("gapdata")


@dataclass(frozen=True, kw_only=True, slots=True)
class LockTiming:
    """Seconds: between two heartbeats, without one until an owner is gone, and that rivals for its lock wait."""

    heartbeat_s: float = 5.0
    gone_s: float = 30.0
    settle_s: float = 1.0


class Lock:
    """The right to write to a place, held from `acquire` to `release`."""

    def __init__(self, storage: Storage, *, timing: LockTiming | None = None) -> None:
        self.storage, self.timing = storage, timing or LockTiming()
        self._token = secrets.token_hex(8)
        self._count = 0
        self._released = threading.Event()
        self._lost = False
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Nothing; from now on the place is ours. Raises ConfigError naming the owner when another run writes there.

        The lock of an owner that is gone is taken over: at once when it ran on this machine, else after watching it.
        """
        while not self.storage.create(LOCK_NAME, self._record()):
            found = self._read()
            if found is None:
                continue
            self._refuse_running(found)
            _logger.warning(
                "%s: taking over from %s, which is gone", self.storage.url, _owner(found)
            )
            self.storage.write(LOCK_NAME, self._record())
            time.sleep(self.timing.settle_s)
            if (self._read() or {}).get("token") == self._token:
                break
        self._thread = threading.Thread(target=self._beat, daemon=True, name="lock")
        self._thread.start()

    def require_held(self) -> None:
        """Nothing. Raises GapdataError when another run has taken the lock over, as it must when this one stood still."""
        if self._lost:
            raise GapdataError(
                f"{self.storage.url}: another run took this place over while this one stood still; "
                "finished shards are kept: run the command again when the other one has ended"
            )

    def release(self) -> None:
        """Nothing; the place is free again. Does nothing without the lock."""
        if self._thread is None:
            return
        self._released.set()
        self._thread.join()
        self._thread = None
        if (self._read() or {}).get("token") == self._token:
            self.storage.remove(LOCK_NAME)

    def _beat(self) -> None:
        while not self._released.wait(self.timing.heartbeat_s):
            try:
                found = self._read()
                if found is not None and found.get("token") != self._token:
                    self._lost = True
                    return
                self._count += 1
                self.storage.write(LOCK_NAME, self._record())
            except ConfigError as error:
                _logger.warning("%s", error)  # the store is away: what writes shards will say so

    def _refuse_running(self, found: dict[str, Any]) -> None:
        if found.get("machine") == _machine():
            alive = _is_running(found)
        else:
            alive = self._beats(found)
        if alive:
            raise ConfigError(
                f"{self.storage.url}: {_owner(found)} is writing there; wait until it has ended, or choose another place"
            )

    def _beats(self, found: dict[str, Any]) -> bool:
        """Whether an owner elsewhere shows signs of life. Also when it releases: then it was alive."""
        end = time.monotonic() + self.timing.gone_s
        while time.monotonic() < end:
            time.sleep(min(1.0, self.timing.heartbeat_s))
            now = self._read()
            if now is None:
                return False
            if (now.get("token"), now.get("count")) != (found.get("token"), found.get("count")):
                return True
        return False

    def _record(self) -> bytes:
        record = {
            "host": socket.gethostname(),
            "machine": _machine(),
            "process": os.getpid(),
            "started": _start_of(os.getpid()),
            "token": self._token,
            "count": self._count,
        }
        return json.dumps(record).encode()

    def _read(self) -> dict[str, Any] | None:
        try:
            record = json.loads(self.storage.read(LOCK_NAME))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return record if isinstance(record, dict) else {}


def _owner(record: dict[str, Any]) -> str:
    return f"process {record.get('process', '?')} on {record.get('host', 'an unknown machine')}"


def _is_running(record: dict[str, Any]) -> bool:
    number = record.get("process")
    return isinstance(number, int) and _start_of(number) == record.get("started") is not None


def _start_of(process: int) -> str | None:
    """When a process of this machine started, in the kernel's ticks; None when it is not there."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


@cache
def _machine() -> str:
    """What tells this boot of the machine, and whom its process numbers name, from all others."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
