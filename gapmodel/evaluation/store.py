"""Results on disk, sample by sample, so that an evaluation that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gapdata.errors import ConfigError, GapdataError
from gapmodel.evaluation.config import HOW

CONFIG, QUESTIONS, SAMPLES, SUMMARY = (
    "eval.json",
    "questions.jsonl",
    "samples.jsonl",
    "summary.json",
)


class ResultError(GapdataError):
    """Results that cannot be written or read."""


class Store:
    """The records of an evaluation: in memory, and in the lines of two files when there is a folder.

    A sample's questions are written before its own line: what stands behind the last finished sample is dropped when the
    evaluation goes on. identity: all that makes it this evaluation, see `run.identity`. Raises ConfigError for a folder with
    another one's results.
    """

    def __init__(
        self, identity: Mapping[str, Any], folder: Path | None, *, fresh: bool = False
    ) -> None:
        self.folder = folder
        self.questions: list[dict[str, Any]] = []
        self.samples: list[dict[str, Any]] = []
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / CONFIG).is_file() and not fresh:
                self._resume(folder, identity)
            else:
                for name in (QUESTIONS, SAMPLES, SUMMARY):
                    (folder / name).unlink(missing_ok=True)
            _write(folder / CONFIG, json.dumps(identity, indent=1) + "\n")
        except OSError as error:
            raise ResultError(f"{folder}: cannot be written: {error.strerror}") from error

    @property
    def finished(self) -> frozenset[str]:
        """Keys of the samples that are done."""
        return frozenset(sample["key"] for sample in self.samples)

    def add(self, sample: dict[str, Any], questions: list[dict[str, Any]]) -> None:
        """Keep the results of one more sample."""
        self.samples.append(sample)
        self.questions += questions
        if self.folder is None:
            return
        try:
            _append(self.folder / QUESTIONS, questions)
            _append(self.folder / SAMPLES, [sample])
        except OSError as error:
            raise ResultError(
                f"{self.folder}: cannot be written: {error.strerror}; make room there and run the same command again"
            ) from error

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the summary."""
        if self.folder is not None:
            _write(self.folder / SUMMARY, json.dumps(summary, indent=1) + "\n")

    def _resume(self, folder: Path, identity: Mapping[str, Any]) -> None:
        try:
            there = json.loads((folder / CONFIG).read_text())
            if differences := _differences(there, identity):
                raise ConfigError(
                    f"{folder} holds another evaluation ({'; '.join(differences)}): "
                    "give another --out, or --fresh to start over"
                )
            self.samples = _lines(folder / SAMPLES)
            done = self.finished
            self.questions = [line for line in _lines(folder / QUESTIONS) if line["key"] in done]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultError(
                f"{folder}: not an evaluation's results ({error}); start over with --fresh"
            ) from error
        _write(folder / SAMPLES, _text(self.samples))
        _write(folder / QUESTIONS, _text(self.questions))


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {there.get(name)} there, {here[name]} here"
        for name in here
        if name not in HOW and here[name] != there.get(name)
    ]


def _lines(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a file; one that was cut off at the end is left out."""
    if not path.is_file():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _text(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _append(path: Path, records: list[dict[str, Any]]) -> None:
    with path.open("a") as file:
        file.write(_text(records))


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.unfinished")
    beside.write_text(text)
    beside.replace(path)
