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
}


def open_executor(name: str, *, workers: int) -> Executor:
    """The named executor with so many workers. Raises ConfigError for a name that is not there."""
    if name not in EXECUTORS:
        raise ConfigError(
            f"unknown executor {name!r}: expected one of {', '.join(sorted(EXECUTORS))}"
        )
    module, _, attribute = EXECUTORS[name].partition(":")
    executor: Executor = getattr(importlib.import_module(module), attribute)(workers=workers)
    return executor
