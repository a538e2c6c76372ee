"""A prediction from files or from a sample of a dataset, written to a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from gapdata.errors import ConfigError
from gapdata.geometry.camera import intrinsics
from gapdata.geometry.transforms import is_rigid
from gapdata.shards.reader import open_dataset
from gapmodel.data.batch import Batch
from gapmodel.evaluation.answering import answer_questions
from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.run import read_example
from gapmodel.evaluation.seeing import head_figures
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.loading import load_trained
from gapmodel.predicted import Predicted
from gapmodel.prediction.ask import Shown, ask, see, shown_batch
from gapmodel.prediction.pictures import (
    colour_depth,
    colour_normal,
    depth_range,
    read_depth,
    read_picture,
    sheet,
    write_picture,
)
from gapmodel.prediction.results import write_predictions

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFiles:
    """What is known of pictures in files. intrinsics: fx, fy, cx, cy, for all pictures or for each.

    depth: 16-bit PNG in millimetres, one a picture. poses: JSON list of 4 x 4 matrices cam2first.
    """

    pictures: tuple[Path, ...]
    intrinsics: tuple[tuple[float, float, float, float], ...] = ()
    depth: tuple[Path, ...] = ()
    poses: Path | None = None

    def read(self) -> Shown:
        """The pictures with their geometry. Raises PictureError and ConfigError for what cannot be used."""
        given = self.intrinsics * (len(self.pictures) if len(self.intrinsics) == 1 else 1)
        if given and any(not (fx > 0 and fy > 0) for fx, fy, _, _ in given):
            raise ConfigError(f"intrinsics {given}: expected positive focal lengths fx, fy")
        return Shown(
            pictures=[read_picture(path) for path in self.pictures],
            K=[intrinsics(*numbers) for numbers in given] or None,
            depth=[read_depth(path) for path in self.depth] or None,
            cam2first=None if self.poses is None else _read_poses(self.poses),
        )


def predict_files(
    checkpoint: Path,
    files: PictureFiles,
    question: str,
    out: Path | None,
    *,
    max_new_tokens: int = 512,
    device: str = "cpu",
    dtype: str = "float32",
) -> dict[str, Any]:
    """The answer ("" without a question) and the names of the files written to `out`."""
    shown = files.read()
    trained = load_trained(checkpoint, device=device, dtype=getattr(torch, dtype))
    batch = shown_batch(trained, shown)
    questions = [question] if question else []
    answers = ask(trained, batch, questions, max_new_tokens)
    result: dict[str, Any] = {
        "pictures": [str(path) for path in files.pictures],
        "answers": [{"question": q, "output": a} for q, a in zip(questions, answers, strict=True)],
    }
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        result["files"] = write_predictions(out, see(trained, batch), shown.pictures, shown.K)
        _write_json(out, result)
    return result


def predict_sample(
    checkpoint: Path,
    data: str,
    key: str,
    question: str,
    out: Path | None,
    *,
    questions: int = 8,
    geometry: bool = False,
    max_new_tokens: int = 512,
    device: str = "cpu",
    dtype: str = "float32",
) -> dict[str, Any]:
    """The same for a stored sample, the first without a key, against its truth: figures of the heads, and comparison.png.

    Without a question, `questions` of the sample's own are answered, with the true answer and the score of each.
    Raises ConfigError for a key that is not there.
    """
    dataset = open_dataset(data, layers=("rgb", "depth", "instance"))
    try:
        place = dataset.index(key) if key else 0
    except KeyError:
        first = ", ".join(dataset.keys.slice(0, 3).to_pylist())
        raise ConfigError(f"{data}: no sample {key!r}; its first are {first}") from None
    config = EvalConfig(
        checkpoint=str(checkpoint), data=data, split="", max_questions=questions, geometry=geometry,
        max_new_tokens=max_new_tokens, device=device, dtype=dtype,
    )  # fmt: skip
    trained = load_trained(checkpoint, device=device, dtype=getattr(torch, dtype))
    sample = dataset[place]
    example, batch = read_example(trained, config, dataset, place, sample)
    if question:
        reply = ask(trained, batch, [question], max_new_tokens)[0]
        answers: list[dict[str, Any]] = [{"question": question, "output": reply}]
    else:
        given = GeometryInput.from_batch(batch) if geometry else None
        records = answer_questions(trained, config, sample, example, given)
        kept = ("id", "task", "question", "answer", "output", "score")
        answers = [{name: record[name] for name in kept} for record in records]
    result: dict[str, Any] = {"data": data, "key": sample.key, "answers": answers}
    if len(trained.model.heads):
        result["heads"], predicted = head_figures(trained, batch)
    else:
        predicted = Predicted()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        pictures = [view.rgb for view in sample.views if view.rgb is not None]
        K = [view.camera.K for view in sample.views]
        result["files"] = write_predictions(out, predicted, pictures, K)
        compared = compare(predicted, batch)
        if compared is not None:
            write_picture(out / "comparison.png", compared)
            result["files"].append("comparison.png")
        _write_json(out, result)
    return result


def compare(predicted: Predicted, batch: Batch) -> UInt8[Array, "h w 3"] | None:
    """A sheet with a row a view: picture, true and predicted depth on one scale, true and predicted normals."""
    images = batch.images.cpu().numpy()
    columns: list[tuple[str, Sequence[UInt8[Array, "H W 3"]]]] = [("picture", list(images))]
    if predicted.depth is not None and batch.depth is not None:
        true = batch.depth.cpu().numpy()
        near, far = depth_range(list(true))
        for name, depths in (("true depth", true), ("predicted depth", predicted.depth)):
            coloured = [colour_depth(depth, near, far) for depth in depths]
            columns.append((f"{name} {near:.1f}-{far:.1f} m", coloured))
    if predicted.normal is not None and batch.normal is not None:
        columns.append(("true normals", [colour_normal(n) for n in batch.normal.cpu().numpy()]))
        columns.append(("predicted normals", [colour_normal(n) for n in predicted.normal]))
    if len(columns) == 1:
        return None
    names = [name for name, _ in columns]
    return sheet(names, list(zip(*(pictures for _, pictures in columns), strict=True)))


def _read_poses(path: Path) -> list[Float[Array, "4 4"]]:
    try:
        poses = np.array(json.loads(path.read_text()), np.float64)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a JSON list of 4 x 4 matrices: {error}") from error
    if poses.ndim != 3 or poses.shape[1:] != (4, 4) or not is_rigid(poses).all():
        raise ConfigError(
            f"{path}: expected a JSON list of rigid 4 x 4 matrices, found shape {poses.shape}"
        )
    return list(poses)


def _write_json(out: Path, result: Mapping[str, Any]) -> None:
    (out / "prediction.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def describe(result: Mapping[str, Any]) -> str:
    """A prediction as text."""
    lines = []
    for answer in result["answers"]:
        if "answer" in answer:
            lines += [f"{answer['task']}: {answer['question']}", f"  true: {answer['answer']}"]
            lines.append(f"  said: {answer['output']}  (score {answer['score']:.2f})")
        else:
            lines.append(answer["output"])
    for head, figures in result.get("heads", {}).items():
        lines.append(
            f"{head}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        )
    if result.get("files"):
        lines.append("written: " + ", ".join(result["files"]))
    return "\n".join(lines)
