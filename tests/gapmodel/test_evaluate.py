"""Evaluation of a tiny model: every figure follows from its records, stopping changes nothing, mistakes are named."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.shards.reader import Dataset
from gapmodel.cli import app
from gapmodel.evaluation import EvalConfig, evaluate
from gapmodel.evaluation.families import FAMILIES, OTHER, family_of
from gapmodel.evaluation.report import summarise, table
from gapmodel.evaluation.run import read_example, spread
from gapmodel.evaluation.seeing import COMPARING, head_figures, pointmap_of_depth
from gapmodel.evaluation.store import ResultError, Store
from gapmodel.loading import load_trained
from gapmodel.metrics.answers import score_answer
from gapmodel.metrics.depth import depth_metrics
from tests.gapmodel.checkpoints import HEADS, write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tiny_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tiny_url, tmp_path_factory.mktemp("model"))


def _config(checkpoint: Path, url: str, **changes: Any) -> EvalConfig:
    settings = {
        "max_samples": 2,
        "max_questions": 8,
        "max_new_tokens": 6,
        "split": "train",
        "options": True,
    }
    return EvalConfig(checkpoint=str(checkpoint), data=url, **(settings | changes))


@pytest.fixture(scope="module")
def done(
    checkpoint: Path, tiny_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A finished evaluation: its folder and its summary."""
    out = tmp_path_factory.mktemp("evaluation")
    return out, evaluate(_config(checkpoint, tiny_url), out=out)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_records_hold_what_was_asked_and_what_it_earned(
    done: tuple[Path, dict[str, Any]], tiny_dataset: Dataset
) -> None:
    records = _lines(done[0] / "questions.jsonl")
    assert len(records) == 16
    for record in records:
        sample = tiny_dataset[tiny_dataset.index(record["key"])]
        (qa,) = (qa for qa in sample.qa if qa.id == record["id"])
        assert (record["task"], record["answer"]) == (qa.task, qa.answer)
        assert record["question"].startswith(qa.question)
        assert record["score"] == score_answer(sample, qa, record["output"]).score
        assert 0 < record["loss"] < 50
        if qa.format == "choice":
            assert record["option"] in qa.choices
            assert record["option_score"] == float(record["option"] == qa.answer)
        assert ("option" in record) == (qa.format in ("choice", "yesno"))


def test_the_summary_follows_from_the_records(done: tuple[Path, dict[str, Any]]) -> None:
    out, summary = done
    records = _lines(out / "questions.jsonl")
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (summary["questions"], summary["samples"], summary["scenes"]) == (16, 2, 2)
    for row in summary["tasks"]:
        own = [r for r in records if (r["task"], r["format"]) == (row["task"], row["format"])]
        assert row["questions"] == len(own)
        assert row["score"] == pytest.approx(np.mean([r["score"] for r in own]))
        tokens = sum(r["tokens"] for r in own)
        assert row["loss"] == pytest.approx(sum(r["loss"] * r["tokens"] for r in own) / tokens)
    assert sum(row["questions"] for row in summary["families"]) == 16
    assert summary["overall"]["score"] == pytest.approx(
        np.mean([r["score"] for r in summary["tasks"]])
    )
    compared = {side for sides in COMPARING.values() for side in sides}
    assert set(summary["heads"]) == set(HEADS) - set(COMPARING) | compared
    assert all(
        math.isfinite(f["mean"]) for head in summary["heads"].values() for f in head.values()
    )
    text = table(summary)
    assert all(row["task"] in text for row in summary["tasks"])


def test_an_evaluation_that_was_stopped_goes_on(
    done: tuple[Path, dict[str, Any]], checkpoint: Path, tiny_url: str, tmp_path: Path
) -> None:
    def stop(finished: int, total: int) -> None:
        raise KeyboardInterrupt

    config = _config(checkpoint, tiny_url)
    with pytest.raises(KeyboardInterrupt):
        evaluate(config, out=tmp_path, progress=stop)
    # Killed while it wrote: questions of a sample without its own line, the last one cut.
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write('{"key": "another", "id": "q", "score": 1.0}\n{"key": "another", "i')
    progress: list[tuple[int, int]] = []
    summary = evaluate(config, out=tmp_path, progress=lambda *at: progress.append(at))
    assert progress == [(1, 2), (2, 2)]
    for name in ("questions", "tasks", "families", "formats", "overall", "heads"):
        assert summary[name] == done[1][name]
    assert _lines(tmp_path / "questions.jsonl") == _lines(done[0] / "questions.jsonl")


def test_results_of_another_evaluation_are_not_mixed(
    done: tuple[Path, dict[str, Any]], checkpoint: Path, tiny_url: str
) -> None:
    before = (done[0] / "questions.jsonl").read_text()
    with pytest.raises(ConfigError, match="max_new_tokens: 6 there, 7 here"):
        evaluate(_config(checkpoint, tiny_url, max_new_tokens=7), out=done[0])
    assert (done[0] / "questions.jsonl").read_text() == before


def test_other_weights_are_another_evaluation(tmp_path: Path) -> None:
    Store({"seed": 0, "weights": "a", "batch": 1}, tmp_path)
    Store({"seed": 0, "weights": "a", "batch": 2}, tmp_path)
    with pytest.raises(ConfigError, match="weights: a there, b here"):
        Store({"seed": 0, "weights": "b", "batch": 1}, tmp_path)
    assert Store({"seed": 0, "weights": "b"}, tmp_path, fresh=True).samples == []
    (tmp_path / "samples.jsonl").write_text("[1]\n")
    with pytest.raises(ResultError, match="start over with --fresh"):
        Store({"seed": 0, "weights": "b"}, tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ResultError, match="cannot be written"):
        Store({}, file / "below")


def test_a_blind_model_sees_the_same_whatever_there_is(
    checkpoint: Path, tiny_url: str, tiny_dataset: Dataset
) -> None:
    trained = load_trained(checkpoint)
    config = _config(checkpoint, tiny_url, blind=True, options=False)
    seen = []
    for place in (0, 3):
        sample = tiny_dataset[place]
        example, batch = read_example(trained, config, tiny_dataset, place, sample)
        assert (example.images == 128).all()
        assert batch.input_depth is None
        figures, predicted = head_figures(trained, batch)
        seen.append(predicted)
        # The truth that it is measured against stays what it is.
        true = batch.depth.numpy()
        expected = np.mean(
            [depth_metrics(p, t)["abs_rel"] for p, t in zip(predicted.depth, true, strict=True)]
        )
        assert figures["depth"]["abs_rel"] == pytest.approx(expected)
        assert len(example.questions) == 8
    assert np.array_equal(seen[0].depth, seen[1].depth)
    assert np.array_equal(seen[0].pointmap, seen[1].pointmap)
    plain, _ = read_example(
        trained, _config(checkpoint, tiny_url), tiny_dataset, 0, tiny_dataset[0]
    )
    assert plain.images.std() > 10


def test_given_geometry_reaches_the_model(
    checkpoint: Path, tiny_url: str, tiny_dataset: Dataset
) -> None:
    trained = load_trained(checkpoint)
    sample = tiny_dataset[0]
    seen = []
    for geometry in (False, True):
        config = _config(checkpoint, tiny_url, geometry=geometry)
        _, batch = read_example(trained, config, tiny_dataset, 0, sample)
        assert (batch.input_depth is not None) == geometry
        seen.append(head_figures(trained, batch)[1].depth)
    assert not np.array_equal(*seen)


def test_retrieval_is_what_the_heads_count_themselves(
    checkpoint: Path, tiny_url: str, tiny_dataset: Dataset
) -> None:
    trained = load_trained(checkpoint)
    config = _config(checkpoint, tiny_url)
    _, batch = read_example(trained, config, tiny_dataset, 1, tiny_dataset[1])
    figures, _ = head_figures(trained, batch)
    with torch.no_grad():
        features = trained.root.features(batch)
        for head, (forward, backward) in COMPARING.items():
            metrics = list(trained.model.heads[head](features, batch).metrics.values())
            found = [figures[side]["recall_1"] for side in (forward, backward)]
            assert found == pytest.approx([float(metrics[0]), float(metrics[1])], abs=1e-6)


def test_points_of_depth_lie_where_the_stored_points_lie(tiny_dataset: Dataset) -> None:
    sample = tiny_dataset[0]
    first = np.linalg.inv(sample.views[0].camera.cam2world)
    depth = np.stack([view.depth for view in sample.views])
    K = np.stack([view.camera.K for view in sample.views])
    poses = np.stack([first @ view.camera.cam2world for view in sample.views])
    points = pointmap_of_depth(depth, K, poses)
    stored = sample.points.xyz_world.astype(np.float64) @ first[:3, :3].T + first[:3, 3]
    checked = 0
    for view, place in enumerate(points):
        seen = np.flatnonzero(sample.points.visible[view] == 1)
        u, v = np.rint(sample.points.pixel[view, seen]).astype(int).T
        apart = np.linalg.norm(place[v, u] - stored[seen], axis=1)
        assert np.median(apart) < 0.05
        checked += len(seen)
    assert checked > 100


def _record(task: str, form: str, scene: str, score: float, **more: Any) -> dict[str, Any]:
    base = {
        "key": scene,
        "scene": scene,
        "task": task,
        "format": form,
        "parsed": 1,
        "cut": False,
        "figures": {},
    }
    return {**base, "score": score, "choices": 4, "loss": 1.0, "tokens": 1, **more}


def test_summaries_by_hand() -> None:
    boxes = {"matched": 1.0, "predicted": 2.0, "true": 1.0}
    records = [
        _record("closest_object", "choice", "a", 1.0, loss=1.0, tokens=3, option_score=0.0),
        _record(
            "closest_object", "choice", "b", 0.0, loss=5.0, tokens=1, parsed=None, option_score=1.0
        ),
        _record("detect_objects", "list", "a", 0.5, figures=boxes),
        _record(
            "detect_objects",
            "list",
            "a",
            0.0,
            figures={"matched": 0.0, "predicted": 0.0, "true": 3.0},
        ),
        _record("new_task", "number", "a", 0.3, figures={"exact": 1.0}, cut=True),
    ]
    samples = [
        {"key": scene, "scene": scene, "heads": {"depth": {"abs_rel": value}}, "seconds": 1.0}
        for scene, value in (("a", 0.2), ("b", 0.4))
    ]
    summary = summarise(records, samples, EvalConfig(checkpoint="c", data="d"))
    closest, detect, new = summary["tasks"]
    assert (closest["score"], closest["low"], closest["high"], closest["chance"]) == (
        0.5,
        0.0,
        1.0,
        0.25,
    )
    assert (closest["loss"], closest["parsed"], closest["option_score"]) == (2.0, 0.5, 0.5)
    assert (detect["precision"], detect["recall"], detect["f1"]) == (
        0.5,
        0.25,
        pytest.approx(1 / 3),
    )
    assert (detect["low"], new["exact"], new["cut"], new["family"]) == (None, 1.0, 1.0, OTHER)
    assert summary["overall"]["score"] == pytest.approx((0.5 + 0.25 + 0.3) / 3)
    assert summary["overall"]["score_of_questions"] == pytest.approx(1.8 / 5)
    depth = summary["heads"]["depth"]["abs_rel"]
    assert (depth["mean"], depth["low"], depth["high"]) == pytest.approx((0.3, 0.2, 0.4))


def test_every_task_has_a_family_and_one_only() -> None:
    from gapdata.tasks import TASKS

    assert {family_of(task) for task in TASKS} == set(FAMILIES)
    named = [task for tasks in FAMILIES.values() for task in tasks]
    assert len(named) == len(set(named))


def test_samples_are_spread_evenly() -> None:
    assert spread(10, 3) == [0, 3, 6]
    assert spread(3, 10) == spread(3, None) == [0, 1, 2]


def test_a_model_without_heads_answers_only(tiny_url: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tiny_url, tmp_path / "bare", heads=())
    summary = evaluate(_config(folder, tiny_url, max_samples=1, max_questions=2, options=False))
    assert (summary["heads"], summary["questions"]) == ({}, 2)
    assert "option_score" not in summary["tasks"][0]


def test_the_command_prints_json_and_one_line_for_mistakes(
    checkpoint: Path, tiny_url: str, tmp_path: Path
) -> None:
    arguments = ["eval", "--checkpoint", str(checkpoint), "--data", tiny_url, "--device", "cpu"]
    few = [
        "--split",
        "train",
        "--max-samples",
        "1",
        "--max-questions",
        "2",
        "--max-new-tokens",
        "2",
    ]
    result = CliRunner().invoke(app, [*arguments, *few, "--no-heads", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["questions"] == 2
    mistakes = {
        "unknown split 'val'": [],
        "tasks golf are not asked": ["--split", "train", "--tasks", "golf"],
        "a blind model is given nothing": ["--split", "train", "--blind", "--geometry"],
        "nothing is left": ["--no-heads", "--no-answers"],
        "expected multiples of 32": [*few, "--size", "100x100"],
    }
    for message, options in mistakes.items():
        failed = CliRunner().invoke(app, [*arguments, *options])
        assert isinstance(failed.exception, ConfigError), (message, failed.exception)
        assert message in str(failed.exception)
        assert "\n" not in str(failed.exception)


def test_cameras_agree_with_gapdata(tiny_dataset: Dataset) -> None:
    """The first picture's points are its own depth along its own rays."""
    view = tiny_dataset[0].views[0]
    points = pointmap_of_depth(view.depth[None], view.camera.K[None], np.eye(4)[None])[0]
    camera = Camera(K=view.camera.K, cam2world=np.eye(4), height=96, width=128)
    pixel, z = camera.project(points[40:50, 30:40])
    assert z == pytest.approx(view.depth[40:50, 30:40], abs=1e-6)
    u, v = np.meshgrid(np.arange(30, 40), np.arange(40, 50))
    assert pixel == pytest.approx(np.stack([u, v], axis=-1), abs=1e-4)
