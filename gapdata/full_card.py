"""`gapdata card`: the dataset card with what takes a while to find out: a picture, and what can be answered blind."""

from __future__ import annotations

from collections.abc import Callable

from gapdata.audit import AuditReport, audit_dataset
from gapdata.audit.report import Blind
from gapdata.card import CARD_NAME, PICTURE_NAME, dataset_card
from gapdata.preview import draw_preview
from gapdata.shards.codec import encode_rgb
from gapdata.shards.manifest import read_whole_manifest
from gapdata.shards.storage import open_storage


def write_full_card(url: str, *, progress: Callable[[int, int], None] | None = None) -> None:
    """Writes README.md anew, and the picture that it shows. `progress` is called with (tasks done, tasks in total).

    Raises DatasetError for a recipe or an unfinished dataset, MissingDependencyError without scikit-learn.
    """
    manifest, storage = read_whole_manifest(url), open_storage(url)
    report = audit_dataset(url, progress=progress)
    storage.write(PICTURE_NAME, encode_rgb(draw_preview(url, samples=1)))
    storage.write(CARD_NAME, dataset_card(manifest, findings=_findings(report)).encode())


def _findings(report: AuditReport) -> str:
    """Markdown of the picture and the audit's table."""
    rows = "\n".join(
        f"| {task.task} | {task.format} | {task.questions} | {task.chance:.0%} | {_blind(task.guess)} | {_blind(task.learned)} "
        f"| {task.gap:+.0f} |"
        for task in report.tasks
    )
    return f"""![One sample: views, depth, normals, instances, questions]({PICTURE_NAME})

## What can be answered without looking

Of each task: what guessing earns, the best rule of thumb and a model that only reads the questions, each tried on scenes it
has not seen, with 99 % intervals; and by how many points the better of them lies above chance.

| task | format | questions | chance | rule | text model | gap |
|---|---|---|---|---|---|---|
{rows}

"""


def _blind(blind: Blind | None) -> str:
    return "-" if blind is None else f"{blind.score:.0%} ({blind.low:.0%} to {blind.high:.0%})"
