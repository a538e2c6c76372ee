"""From records to figures, and from figures to a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.families import FAMILIES, OTHER, family_of
from gapmodel.evaluation.seeing import COMPARING
from gapmodel.metrics.answers import SCORE_NAMES
from gapmodel.metrics.bootstrap import scene_interval
from gapmodel.metrics.detection import Counts

Array = np.ndarray
Record = Mapping[str, Any]

# Figures of questions that are numbers of boxes, of which sums are taken, not means.
_COUNTED = ("matched", "predicted", "true")
# The figure by which a head is shown in the table.
HEADLINES: Mapping[str, Sequence[str]] = {
    "depth": ("abs_rel", "delta1", "si_log"),
    "normal": ("mean_angle_deg", "within_11.25", "within_30"),
    "pose": ("rra_15", "rta_15", "auc_30"),
    "pointmap": ("error_m", "accuracy_m", "completion_m"),
    **{side: ("recall_1", "recall_5", "items") for sides in COMPARING.values() for side in sides},
}


def summarise(
    questions: Sequence[Record], samples: Sequence[Record], config: EvalConfig
) -> dict[str, Any]:
    """All figures of an evaluation as JSON holds them.

    `tasks`, `formats` and `families` have a row a group: questions, scenes, `score` from 0 to 1 (its meaning is in
    `metrics.answers`) with the ends `low` and `high` of its 95 % interval over scenes, the shares `parsed` and `cut`, `loss`
    in nats a token of the true answers, and means of what else was measured. `overall` is the mean over tasks and formats;
    `heads` holds, by head and figure, mean, low and high over samples. An interval of a single scene is null.
    """
    by_task = _grouped(questions, lambda record: (record["task"], record["format"]))
    tasks = [
        {"family": family_of(task), "task": task, "format": form, **_row(records, config.seed)}
        for (task, form), records in sorted(by_task.items())
    ]
    formats = _grouped(questions, lambda record: record["format"])
    families = _grouped(questions, lambda record: family_of(record["task"]))
    order = [*FAMILIES, OTHER]
    return {
        "config": config.to_dict(),
        "samples": len(samples),
        "scenes": len({sample["scene"] for sample in samples}),
        "questions": len(questions),
        "seconds": sum(sample["seconds"] for sample in samples),
        "overall": _overall(questions, tasks, config.seed),
        "families": [
            {"family": family, **_row(families[family], config.seed)}
            for family in sorted(families, key=order.index)
        ],
        "formats": [
            {"format": form, "measure": SCORE_NAMES[form], **_row(records, config.seed)}
            for form, records in sorted(formats.items())
        ],
        "tasks": tasks,
        "heads": _heads(samples, config.seed),
    }


def _grouped(records: Sequence[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    groups: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return groups


def _row(records: Sequence[Record], seed: int) -> dict[str, Any]:
    tokens = np.array([record["tokens"] for record in records])
    losses = np.array([record["loss"] for record in records])
    row = {
        "questions": len(records),
        "scenes": len({record["scene"] for record in records}),
        **_interval("score", [record["score"] for record in records], records, seed),
        "parsed": _mean([record["parsed"] is not None for record in records]),
        "cut": _mean([record["cut"] for record in records]),
        "loss": float((tokens * losses).sum() / tokens.sum()),
    }
    chances = [_chance(record) for record in records]
    if all(chance is not None for chance in chances):
        row["chance"] = float(np.mean([chance for chance in chances if chance is not None]))
    closed = [record for record in records if "option_score" in record]
    if closed:
        row |= _interval(
            "option_score", [record["option_score"] for record in closed], closed, seed
        )
    return row | _figures(records)


def _figures(records: Sequence[Record]) -> dict[str, Any]:
    """Means of figures over the questions that have them; of counted boxes precision, recall and F1 of all together."""
    values: dict[str, list[float]] = defaultdict(list)
    for record in records:
        for name, value in record["figures"].items():
            values[name].append(value)
    found: dict[str, Any] = {
        name: _mean(values[name]) for name in sorted(values) if name not in _COUNTED
    }
    if "true" in values:
        counts = Counts(**{name: round(sum(values[name])) for name in _COUNTED})
        found |= {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return found


def _overall(
    questions: Sequence[Record], tasks: Sequence[Mapping[str, Any]], seed: int
) -> dict[str, Any]:
    if not questions:
        return {}
    row = _row(questions, seed)
    kept = {name: row[name] for name in ("parsed", "cut", "loss")}
    return {
        "score": _mean([task["score"] for task in tasks]),
        "score_of_questions": row["score"],
        **kept,
    }


def _chance(record: Record) -> float | None:
    if record["format"] == "choice":
        return 1.0 / max(record["choices"], 1)
    return 0.5 if record["format"] == "yesno" else None


def _heads(samples: Sequence[Record], seed: int) -> dict[str, dict[str, Any]]:
    values: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for sample in samples:
        for head, figures in sample["heads"].items():
            for name, value in figures.items():
                values[head, name].append((value, sample["scene"]))
    heads: dict[str, dict[str, Any]] = defaultdict(dict)
    for (head, name), found in values.items():
        records = [{"scene": scene} for _, scene in found]
        interval = _interval("mean", [value for value, _ in found], records, seed)
        heads[head][name] = {**interval, "samples": len(found)}
    return dict(heads)


def _interval(
    name: str, values: Sequence[float], records: Sequence[Record], seed: int
) -> dict[str, float | None]:
    scenes = [record["scene"] for record in records]
    ends = scene_interval(np.array(values, np.float64), scenes, np.random.default_rng(seed))
    low, high = (None if np.isnan(end) else end for end in ends)
    prefix = "" if name in ("score", "mean") else f"{name}_"
    return {name: _mean(values), f"{prefix}low": low, f"{prefix}high": high}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def table(summary: Mapping[str, Any]) -> str:
    """The figures as text: a block a family with a line a task and format, then formats, overall and heads."""
    config = summary["config"]
    sight = "blind" if config["blind"] else "geometry given" if config["geometry"] else "pictures"
    lines = [
        f"{config['checkpoint']} on {config['data']} ({config['split']}), {sight}: "
        f"{summary['questions']} questions, {summary['samples']} samples, {summary['scenes']} scenes",
    ]
    if summary["questions"]:
        lines += ["", _line("", "", "n", "score", "95 %", "chance", "parsed", "loss")]
        for family in summary["families"]:
            lines.append(_numbers(family["family"], "", family))
            lines += [
                _numbers(f"  {task['task']}", task["format"], task)
                for task in summary["tasks"]
                if task["family"] == family["family"]
            ]
        lines += ["", *(_numbers(row["measure"], row["format"], row) for row in summary["formats"])]
        overall = summary["overall"]
        lines.append(
            f"overall: {overall['score']:.3f} a task, {overall['score_of_questions']:.3f} a question, "
            f"loss {overall['loss']:.3f} nats a token"
        )
    for head, figures in summary["heads"].items():
        names = [name for name in HEADLINES.get(head, figures) if name in figures]
        shown = ", ".join(f"{name} {_with_ends(figures[name])}" for name in names)
        lines.append(f"{head}: {shown}")
    return "\n".join(lines)


def _numbers(name: str, form: str, row: Mapping[str, Any]) -> str:
    ends = "" if row["low"] is None else f"{row['low']:.2f}-{row['high']:.2f}"
    chance = f"{row['chance']:.2f}" if "chance" in row else ""
    return _line(
        name, form, str(row["questions"]), f"{row['score']:.3f}", ends, chance,
        f"{row['parsed']:.2f}", f"{row['loss']:.3f}",
    )  # fmt: skip


def _line(name: str, form: str, *cells: str) -> str:
    widths = (6, 7, 11, 7, 7, 7)
    return f"{name:<26} {form:<7}" + "".join(
        f"{c:>{w}}" for c, w in zip(cells, widths, strict=True)
    )


def _with_ends(figure: Mapping[str, Any]) -> str:
    if figure["low"] is None:
        return f"{figure['mean']:.3f}"
    return f"{figure['mean']:.3f} ({figure['low']:.3f}-{figure['high']:.3f})"
