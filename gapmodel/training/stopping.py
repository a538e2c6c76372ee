"""Being asked to stop: SIGTERM and SIGINT, noticed between steps."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class StopRequest:
    """Within it, SIGTERM and SIGINT are noted instead of obeyed; a second SIGINT is obeyed at once.

    Outside the main thread signals cannot be caught and nothing is noted.
    """

    def __init__(self) -> None:
        self.signal = 0  # number of the signal, 0 = none

    def __enter__(self) -> StopRequest:
        self._before = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
