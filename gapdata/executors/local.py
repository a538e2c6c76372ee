"""Jobs on this machine: in this process for one worker, else in spawned processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from threadpoolctl import threadpool_limits

from gapdata.errors import GapdataError
from gapdata.executors import Job, Result

_PARENT_CHECK_SECONDS = 2.0
_reports: Any = None  # the worker's end of the progress queue


class LocalExecutor:
    """Runs jobs in up to `workers` processes.

    Processes are spawned, not forked: open3d's threads do not survive a fork. Numeric libraries get one
    thread in each, so that workers do not fight for cores and results do not depend on thread counts.
    """

    def __init__(self, *, workers: int = 1) -> None:
        self.workers = workers

    def run(
        self,
        function: Callable[[Job, Callable[[int], None]], Result],
        jobs: Sequence[Job],
        on_progress: Callable[[int], None],
    ) -> Iterator[Result]:
        """Results in order of completion. Raises GapdataError when a worker is killed from outside."""
        if min(self.workers, len(jobs)) <= 1:
            for job in jobs:
                yield run_single_threaded(function, job, on_progress)
            return
        context = multiprocessing.get_context("spawn")
        reports = context.SimpleQueue()
        drain = threading.Thread(target=_drain, args=(reports, on_progress), daemon=True)
        drain.start()
        pool = ProcessPoolExecutor(
            min(self.workers, len(jobs)),
            mp_context=context,
            initializer=_start_worker,
            initargs=(reports, os.getpid()),
        )
        try:
            futures = [pool.submit(_run_in_worker, function, job) for job in jobs]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise GapdataError(
                "a worker process died (killed, or out of memory); finished shards are kept: "
                "run the same command again to go on, with fewer --workers if memory is short"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            reports.put(None)
            drain.join()


def run_single_threaded(
    function: Callable[..., Result], job: Any, report: Callable[[int], None]
) -> Result:
    """What the job gives with one thread in every numeric library, so that it does not depend on how many there are."""
    import cv2

    cv2.setNumThreads(1)
    with threadpool_limits(1):
        return function(job, report)


def _run_in_worker(function: Callable[..., Result], job: Any) -> Result:
    return run_single_threaded(function, job, _reports.put)


def _start_worker(reports: Any, parent: int) -> None:
    global _reports
    _reports = reports
    threading.Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()


def _exit_with_parent(parent: int) -> None:
    """End this worker when its parent was killed: nothing else would tell it."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(1)


def _drain(reports: Any, on_progress: Callable[[int], None]) -> None:
    while (count := reports.get()) is not None:
        on_progress(count)
