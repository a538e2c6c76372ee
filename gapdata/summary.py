"""What the command line shows: progress bars, and tables of datasets, sources, tasks and check reports."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from gapdata.audit import AuditReport, Blind, TaskAudit
    from gapdata.check import CheckReport
    from gapdata.shards.manifest import Manifest
    from gapdata.verify import VerifyReport


class _SpeedColumn(TextColumn):
    """Things a second, measured by rich over the last minute."""

    def __init__(self, noun: str) -> None:
        super().__init__("")
        self.noun = noun

    def render(self, task: Any) -> Any:
        from rich.text import Text

        speed = task.finished_speed or task.speed
        return Text(f"{speed:.2f} {self.noun}/s" if speed else f"- {self.noun}/s")


@contextmanager
def progress_bar(noun: str) -> Iterator[Callable[[int, int], None]]:
    """A callback `(done, total)` that draws a bar with speed and time left on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        _SpeedColumn(noun),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task(noun, total=None)

    def show(done: int, total: int) -> None:
        if bar.tasks[task].total is None:
            bar.start()  # only now: a mistake found before any work shows no bar
            bar.reset(task, completed=done, total=total)  # what was done before is not speed
        else:
            bar.update(task, completed=done)

    try:
        yield show
    finally:
        bar.stop()


def describe(url: str, manifest: Manifest) -> str:
    """A dataset in words: counts, splits, questions by task, what was left out."""
    counts = manifest.counts
    head = (
        f"{url}: {manifest.source}, {counts['scenes']} scenes, {counts['samples']} samples, "
        f"{counts['views']} views, {counts['qa']} questions, schema {manifest.schema_version}"
    )
    shards = [
        (
            split,
            len(infos),
            sum(i.samples for i in infos),
            f"{sum(i.bytes for i in infos) / 1e6:.1f} MB",
        )
        for split, infos in manifest.splits.items()
    ]
    parts = [
        head,
        _table(("split", "shards", "samples", "size"), shards),
        _table(("task", "questions"), sorted(counts["tasks"].items())),
        _table(("format", "questions"), sorted(counts["formats"].items())),
    ]
    if manifest.drops:
        parts.append(_table(("left out", "count"), sorted(manifest.drops.items())))
    parts += [f"failed: {failure.scene}: {failure.reason}" for failure in manifest.failures]
    parts.append(f"licence: {manifest.licence}")
    return "\n".join(parts)


def check_dict(report: CheckReport) -> dict[str, Any]:
    """A check report as JSON types."""
    faults = [
        {"code": fault.code, "where": fault.where, "message": fault.message}
        for fault in report.faults
    ]
    counts = {"samples": report.samples, "views": report.views, "qa": report.qa}
    return {"ok": report.ok, **counts, "fault_counts": dict(report.counts), "faults": faults}


def describe_check(url: str, report: CheckReport) -> str:
    """A check report in words: one line a fault, then the verdict."""
    lines = [str(fault) for fault in report.faults]
    checked = f"{report.samples} samples, {report.views} views, {report.qa} questions"
    verdict = "no faults" if report.ok else f"{sum(report.counts.values())} faults"
    if not report.ok:
        verdict += f" ({', '.join(f'{code}: {n}' for code, n in sorted(report.counts.items()))})"
    return "\n".join([*lines, f"{url}: checked {checked}: {verdict}"])


def verify_dict(report: VerifyReport) -> dict[str, Any]:
    """A verification report as JSON types."""
    found = [
        {"key": c.key, "question": c.question, "task": c.task, "detail": c.detail}
        for c in report.contradictions
    ]
    return {
        "ok": report.ok,
        "samples": report.samples,
        "qa": report.asked,
        "tasks": {task: dict(kinds) for task, kinds in report.tasks.items()},
        "unverifiable": dict(report.reasons),
        "contradictions": found,
    }


def describe_verify(url: str, report: VerifyReport) -> str:
    """A verification report in words: questions by task and verdict, each contradiction, the verdict on all."""
    kinds = ("agree", "bounded", "unverifiable", "contradict")
    rows = [
        (task, sum(found.values()), *(found[kind] for kind in kinds))
        for task, found in report.tasks.items()
    ]
    parts = [_table(("task", "asked", *kinds), rows)]
    if report.reasons:
        parts.append(_table(("unverifiable", "count"), sorted(report.reasons.items())))
    parts += [str(contradiction) for contradiction in report.contradictions]
    verdict = f"{len(report.contradictions)} contradicted" if not report.ok else "none contradicted"
    verified = f"{report.samples} samples, {report.asked} questions"
    return "\n".join([*parts, f"{url}: verified {verified}: {verdict}"])


def audit_dict(report: AuditReport, max_gap: float) -> dict[str, Any]:
    """An audit report as JSON types."""
    tasks = []
    for task in report.tasks:
        derived = {"majority": task.majority, "gap": task.gap, "exceeds": task.exceeds(max_gap)}
        tasks.append({**asdict(task), **derived})
    return {"ok": not report.exceeding(max_gap), "max_gap": max_gap, "tasks": tasks}


def describe_audit(url: str, report: AuditReport, max_gap: float) -> str:
    """An audit report in words: the blind figures by task and format, what tells the answers, the verdict."""
    header = (
        "task",
        "format",
        "asked",
        "chance",
        "majority",
        "rule",
        "text model",
        "gap",
        "place p",
    )
    rows = [
        (
            task.task,
            task.format,
            task.questions,
            f"{100 * task.chance:.0f}",
            f"{100 * task.majority:.0f}",
            _blind(task.guess),
            _blind(task.learned),
            f"{task.gap:+.0f}",
            f"{task.position_p:.3f}" if task.positions else "-",
        )
        for task in report.tasks
    ]
    exceeding = report.exceeding(max_gap)
    lines = [_exceeding(task) for task in exceeding]
    units = "percent; of numbers mean relative accuracy; in brackets 99 % intervals"
    verdict = f"{len(exceeding)} of {len(rows)} answerable blind more than {max_gap:g} points above chance"
    return "\n".join([_table(header, rows), units, *lines, f"{url}: audited: {verdict}"])


def _blind(blind: Blind | None) -> str:
    if blind is None:
        return "-"
    return f"{100 * blind.score:.0f} [{100 * blind.low:.0f}, {100 * blind.high:.0f}]"


def _exceeding(task: TaskAudit) -> str:
    rule = max(task.rules, key=lambda name: task.rules[name])
    told = f"best rule: {rule} ({100 * task.rules[rule]:.0f})"
    common = ", ".join(f"{answer!r} {count}" for answer, count in list(task.answers.items())[:3])
    return (
        f"{task.task}, {task.format}: {task.gap:.0f} points above chance; {told}; answers: {common}"
    )


def source_dicts() -> list[dict[str, str]]:
    """All sources as JSON types."""
    from gapdata.sources import SOURCES, source_info

    infos = {name: source_info(name) for name in sorted(SOURCES)}
    return [
        {
            "name": name,
            "summary": i.summary,
            "root": i.layout,
            "renderer": i.renderer,
            "licence": i.licence,
            "worlds": ", ".join(i.worlds),
        }
        for name, i in infos.items()
    ]


def describe_sources() -> str:
    """All sources in words."""
    blocks = []
    for row in source_dicts():
        layout = row["root"].replace("\n", "\n             ") or "not needed"
        blocks.append(
            f"{row['name']}: {row['summary']}\n"
            f"    --root   {layout}\n    renderer {row['renderer']}\n    licence  {row['licence']}"
            + (f"\n    --world  {row['worlds']}" if row["worlds"] else "")
        )
    return "\n".join(blocks)


def task_dicts() -> list[dict[str, Any]]:
    """All tasks as JSON types."""
    from gapdata.tasks import TASKS, open_task

    tasks = [open_task(name) for name in sorted(TASKS)]
    keys = ("name", "views", "frame", "summary", "counterparts")
    return [
        {**{key: getattr(task, key) for key in keys}, "formats": list(task.formats)}
        for task in tasks
    ]


def describe_tasks() -> str:
    """All tasks in words."""
    rows = [
        (
            t["name"],
            ", ".join(t["formats"]),
            t["views"],
            t["frame"] or "-",
            t["summary"],
            t["counterparts"],
        )
        for t in task_dicts()
    ]
    return _table(("task", "formats", "views", "frame", "asks", "published counterparts"), rows)


def _table(
    header: Sequence[str], rows: Sequence[Sequence[Any]] | Sequence[Mapping[str, Any]]
) -> str:
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(file=io.StringIO(), width=160)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())
