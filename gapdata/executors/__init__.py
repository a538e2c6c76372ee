"""Executors run a list of independent jobs. One file an executor, one line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from gapdata.errors import ConfigError

Job = TypeVar("Job")
Result = TypeVar("Result")


@runtime_checkable
class Executor(Protocol):
    """Runs `function(job, report)` for each job and yields the results as they come.

    `function` and the jobs must be picklable. A job calls `report(n)` when n more scenes are done, which
    reaches `on_progress` in the caller's process. An error raised by a job ends the run.
    """

    def run(
        self,
        function: Callable[[Job, Callable[[int], None]], Result],
        jobs: Sequence[Job],
        on_progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Results in order of completion."""
        ...


EXECUTORS: dict[str, str] = {
    "local": "gapdata.executors.local:LocalExecutor",
    "ray": "gapdata.executors.ray:RayExecutor",
}


def open_executor(name: str, *, workers: int, address: str = "") -> Executor:
    """The named executor with so many workers, or on the cluster at an address, where it knows one.

    Raises ConfigError for a name that is not there, or an address that is of no use.
    """
    if name not in EXECUTORS:
        raise ConfigError(
            f"unknown executor {name!r}: expected one of {', '.join(sorted(EXECUTORS))}"
        )
    if address and name == "local":
        raise ConfigError(f"--ray-address {address}: expected with --executor ray, found {name}")
    module, _, attribute = EXECUTORS[name].partition(":")
    options = {"address": address} if address else {}
    kind = getattr(importlib.import_module(module), attribute)
    executor: Executor = kind(workers=workers, **options)
    return executor
