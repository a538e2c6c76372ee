"""A bar on stderr while samples are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (done, in total) that draws a bar on stderr while the context lasts."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True))

    def update(done: int, total: int) -> None:
        if not progress.task_ids:
            # Not before there is something to show: an error would stand under an empty bar.
            progress.add_task(what)
            progress.start()
        progress.update(progress.task_ids[0], completed=done, total=total)

    try:
        yield update
    finally:
        progress.stop()
