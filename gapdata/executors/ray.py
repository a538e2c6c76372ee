"""Jobs on a Ray cluster, one task a job; a worker or node that is lost costs only the jobs it had not finished."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gapdata.errors import ConfigError, GapdataError, MissingDependencyError
from gapdata.executors import Job, Result
from gapdata.executors.local import run_single_threaded

_POLL_S = 0.5
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
        """Results in order of completion. Raises GapdataError when a job's worker is lost again and again.

        Raises MissingDependencyError without Ray, ConfigError when there is no cluster at the address.
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
            ray.init(num_cpus=self.workers, include_dashboard=False, **quiet)
            return
        try:
            ray.init(address=self.address, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"--ray-address {self.address}: no Ray cluster answers there; 'ray status' on its head node shows the address"
            ) from error


def _run(
    ray: Any,
    function: Callable[..., Result],
    jobs: Sequence[Any],
    on_progress: Callable[[int], None],
) -> Iterator[Result]:
    # It lives with the driver: a lost node must not take it along.
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=True
    )
    counter = ray.remote(num_cpus=0)(_Progress).options(scheduling_strategy=here).remote()
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_task)
    waiting = deque(enumerate(jobs))
    running: list[Any] = []
    shown = 0
    try:
        while waiting or running:
            room = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            while waiting and len(running) < room:
                number, job = waiting.popleft()
                running.append(task.remote(function, job, number, counter))
            done, running = ray.wait(running, num_returns=1, timeout=_POLL_S)
            total = ray.get(counter.total.remote())
            if total > shown:
                on_progress(total - shown)
                shown = total
            for reference in done:
                yield _result(ray, reference)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


class _Progress:
    """Counts what each job reports; a job that starts anew counts from 0."""

    def __init__(self) -> None:
        self._done: dict[int, int] = {}

    def start(self, job: int) -> None:
        self._done[job] = 0

    def add(self, job: int, units: int) -> None:
        self._done[job] += units

    def total(self) -> int:
        return sum(self._done.values())


def _task(function: Callable[..., Result], job: Any, number: int, counter: Any) -> Result:
    counter.start.remote(number)
    return run_single_threaded(function, job, lambda units: counter.add.remote(number, units))


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
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise MissingDependencyError(
            "--executor ray needs Ray: pip install 'gapdata[ray]'"
        ) from error
    return ray
