"""Jobs on a Ray cluster, one task a job; a worker or node that is lost costs only the jobs it had not finished."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gapdata.errors import ConfigError, GapdataError, MissingDependencyError
from gapdata.executors import Job, Result
from gapdata.executors.local import run_single_threaded

_ANSWER_S = 10.0
_RETRIES = 5  # of a job whose worker was lost; one that takes its worker down each time must end
_AHEAD = 2  # jobs handed to the cluster for each of its processors: the next one is there when one is done


class RayExecutor:
    """Runs jobs on the Ray cluster at `address`, or on one started here with `workers` processors.

    The cluster's machines need this package, the raw data at the same paths, and the store's credentials in their
    environment.
    """

    def __init__(self, *, workers: int = 1, address: str = "") -> None:
        self.workers, self.address = workers, address

    def run(
        self,
        function: Callable[[Job, Callable[[int], None]], Result],
        jobs: Sequence[Job],
        on_progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Results in order of completion; a job's progress is told at its end.

        Raises GapdataError when a job's worker is lost again and again, MissingDependencyError without Ray,
        ConfigError when there is no cluster at the address.
        """
        if not jobs:
            return
        ray = _import_ray()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            yield from _run(ray, function, jobs, on_progress)
        finally:
            if ours:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        quiet = {"logging_level": "error", "log_to_driver": False}
        if not self.address:
            # Without "local" it would join any Ray that runs here already.
            ray.init("local", num_cpus=self.workers, include_dashboard=False, **quiet)
            return
        try:
            _require_answer(self.address)
            ray.init(self.address, **quiet)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"--ray-address {self.address}: no Ray cluster answers there; 'ray status' on its head node shows the address"
            ) from error


def _require_answer(address: str) -> None:
    """Nothing. Raises OSError when nobody listens at HOST:PORT, which Ray itself would find out after ten minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _run(
    ray: Any,
    function: Callable[..., Result],
    jobs: Sequence[Any],
    on_progress: Callable[[int], None],
) -> Iterator[Result]:
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_task)
    waiting, running = deque(jobs), list[Any]()
    try:
        while waiting or running:
            room = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while waiting and len(running) < room:
                running.append(task.remote(function, waiting.popleft()))
            (done,), running = ray.wait(running, num_returns=1)
            result, units = _result(ray, done)
            on_progress(units)
            yield result
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _task(function: Callable[..., Result], job: Any) -> tuple[Result, int]:
    """The result, and what the job reported: told at its end, it needs nobody who could be lost on the way."""
    units: list[int] = []
    return run_single_threaded(function, job, units.append), sum(units)


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, GapdataError):
            raise error.cause from error
        raise
    except ray.exceptions.RayError as error:
        raise GapdataError(
            f"a job's worker was lost {_RETRIES + 1} times ({type(error).__name__}: killed, or out of memory); finished "
            "shards are kept: run the same command again to go on, with more memory for each processor"
        ) from error


def _import_ray() -> Any:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # tasks take no accelerator
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(
            "--executor ray needs Ray: pip install 'gapdata[ray]'"
        ) from error
    return ray
