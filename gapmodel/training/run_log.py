"""What a run tells: a JSON line a step, TensorBoard where it is installed, a progress bar on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG = "log.jsonl"


class RunLog:
    """The log of one process; only the one that leads writes. A run that goes on forgets steps it will do again."""

    def __init__(self, out: Path, *, leads: bool, step: int, steps: int) -> None:
        self._leads = leads
        if not leads:
            return
        out.mkdir(parents=True, exist_ok=True)
        _keep_until(out / LOG, step)
        self._file = (out / LOG).open("a", encoding="utf-8")
        self._board = _board(out / "tensorboard", step)
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.fields[stage]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._bar = self._progress.add_task(
            "train", total=steps, completed=step, stage="", losses=""
        )

    def __enter__(self) -> RunLog:
        if self._leads:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._leads:
            self._progress.stop()
            self._file.close()
            if self._board is not None:
                self._board.close()

    def step(self, record: Mapping[str, Any]) -> None:
        """Write what a step was like: its number, and numbers or mappings of numbers."""
        if not self._leads:
            return
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in _flat(record).items():
                self._board.add_scalar(name, value, record["step"])
        losses = "  ".join(f"{name} {value:.3f}" for name, value in record["losses"].items())
        self._progress.update(
            self._bar, completed=record["step"], stage=record["stage"], losses=losses
        )

    def event(self, step: int, text: str) -> None:
        """Write something that happened at a step, also where a user sees it."""
        if self._leads:
            self._file.write(json.dumps({"step": step, "event": text}) + "\n")
            self._file.flush()
            self._console.print(
                f"step {step}: {text}", markup=False, highlight=False, soft_wrap=True
            )


def read_log(out: Path) -> list[dict[str, Any]]:
    """The records of a run's log, steps and events in order."""
    return [json.loads(line) for line in (out / LOG).read_text(encoding="utf-8").splitlines()]


def _keep_until(file: Path, step: int) -> None:
    """Drop the lines of steps after `step`, and a last line that was cut off."""
    if not file.is_file():
        return
    kept = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            break
    beside = file.with_name(f".{file.name}")
    with beside.open("w", encoding="utf-8") as handle:
        handle.writelines(kept)
        handle.flush()
        os.fsync(handle.fileno())
    beside.replace(file)


def _board(folder: Path, step: int) -> Any:
    """TensorBoard's writer, None where it is not installed. Points after `step` are hidden."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and name != "step":
            flat[f"{prefix}{name}"] = float(value)
    return flat
