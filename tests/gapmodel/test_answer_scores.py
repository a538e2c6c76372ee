"""Scores of replies: the truth earns everything, each kind of mistake what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gapdata.sample import QA, Sample
from gapdata.shards.reader import Dataset
from gapmodel.metrics.answers import Score, score_answer, word_f1
from gapmodel.metrics.free_space import stands_free


@pytest.fixture(scope="module")
def samples(tiny_dataset: Dataset) -> list[Sample]:
    return list(tiny_dataset)


def _qa(answer_format: str, value: Any, task: str = "any", **more: Any) -> QA:
    return QA(
        id="q", task=task, format=answer_format, views=(0,), frame="", question="?", answer="", value=value, **more
    )  # fmt: skip


def _score(samples: list[Sample], qa: QA, reply: str) -> Score:
    return score_answer(samples[0], qa, reply)


def test_every_stored_answer_earns_everything(samples: list[Sample]) -> None:
    asked = [(sample, qa) for sample in samples for qa in sample.qa]
    assert {qa.format for _, qa in asked} == {
        *("number", "choice", "yesno", "text", "point", "box", "pixel", "list")
    }
    wrong = [qa.task for sample, qa in asked if score_answer(sample, qa, qa.answer).score != 1.0]
    assert wrong == []


def test_what_is_no_answer_earns_nothing(samples: list[Sample]) -> None:
    for sample in samples:
        for qa in sample.qa:
            found = score_answer(sample, qa, "\n\n!!")
            assert found.score == 0.0
            assert found.parsed is None or qa.format == "text"


def test_replies_are_never_evaluated(samples: list[Sample]) -> None:
    for reply in ("__import__('os').getcwd()", "1+1", "{'view': 0, 'bbox_3d': [0]*9}"):
        for value, answer_format in ((2.0, "number"), ({"view": 0, "bbox_3d": [1.0] * 9}, "box")):
            assert _score(samples, _qa(answer_format, value), reply).parsed is None


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("2.00 m", 1.0),
        ("about 2.2 m", 0.9),
        ("200 cm", 1.0),
        ("3.0", 0.1),
        ("2 feet", 0.0),
        ("", 0.0),
    ],
)
def test_numbers_earn_their_relative_accuracy(
    samples: list[Sample], reply: str, score: float
) -> None:
    assert _score(samples, _qa("number", 2.0, unit="m"), reply).score == pytest.approx(score)


def test_the_truth_of_a_number_is_what_its_text_states(samples: list[Sample]) -> None:
    # 0.046 m is written 0.05 m, which is 9 % off.
    assert _score(samples, _qa("number", 0.046, unit="m"), "0.05 m").score == 1.0


def test_hours_are_right_or_wrong(samples: list[Sample]) -> None:
    found = _score(samples, _qa("number", 12.0, "object_direction_clock"), "1")
    assert (found.score, found.figures["error_hours"]) == (0.0, 1.0)
    assert _score(samples, _qa("number", 12.0, "object_direction_clock"), "twelve").score == 1.0


def test_options_are_known_by_letter_and_by_words(samples: list[Sample]) -> None:
    qa = _qa("choice", "bed", choices=("sofa", "bed"))
    replies = ("B", "(b)", "B. bed", "bed", "A", "sofa", "B. sofa", "C")
    assert [_score(samples, qa, reply).score for reply in replies] == [1, 1, 1, 1, 0, 0, 0, 0]


def test_points_earn_by_their_distance(samples: list[Sample]) -> None:
    found = _score(samples, _qa("point", [3.0, 0.0, 4.0]), "[3.0, 0.5, 4.0]")
    assert (found.score, found.figures["error_m"]) == (pytest.approx(0.9), 0.5)


def test_boxes_need_a_quarter_of_overlap(samples: list[Sample]) -> None:
    def reply(x: float, view: int = 0) -> str:
        return json.dumps({"view": view, "bbox_3d": [x, 0, 0, 1, 1, 1, 0, 0, 0]})

    qa = _qa("box", {"view": 0, "bbox_3d": [0.0, 0, 0, 1, 1, 1, 0, 0, 0]})
    near = _score(samples, qa, reply(0.5, view=1))
    assert (near.score, near.figures["view"], near.figures["iou_50"]) == (1.0, 0.0, 0.0)
    assert near.figures["iou"] == pytest.approx(1 / 3)
    assert _score(samples, qa, reply(0.7)).score == 0.0


def test_lists_earn_their_f1(samples: list[Sample]) -> None:
    rows = [
        {"label": name, "bbox_3d": [x, 0, 0, 1, 1, 1, 0, 0, 0]}
        for name, x in (("a", 0.0), ("b", 5.0))
    ]
    qa = _qa("list", rows)
    found = _score(samples, qa, json.dumps([*rows[:1], {**rows[1], "label": "c"}]))
    assert found.score == pytest.approx(0.5)
    assert found.figures == {"matched": 1.0, "predicted": 2.0, "true": 2.0}
    assert _score(samples, qa, "[]").score == 0.0


def test_pixels_hit_near_or_on_the_object(samples: list[Sample]) -> None:
    near = _qa("pixel", [50.0, 50.0], unit="px")
    assert [_score(samples, near, f"[{u}, 50]").score for u in (56, 57, -1)] == [1, 0, 0]
    sample = samples[0]
    ids = sample.views[0].instance
    assert ids is not None
    target = int(np.bincount(ids[ids > 0]).argmax())
    qa = _qa(
        "pixel", [0.0, 0.0], objects=(target,), evidence={"any_pixel_of_the_object_is_right": True}
    )
    for v, u in ((5, 5), (40, 100), (90, 60)):
        hit = float(ids[v, u] == target)
        assert score_answer(sample, qa, f"[{u}, {v}]").score == hit
    assert score_answer(sample, qa, "[128, 5]").score == 0.0
    bare = replace(sample, views=tuple(replace(view, instance=None) for view in sample.views))
    with pytest.raises(ValueError, match="instance"):
        score_answer(bare, qa, "[5, 5]")


def test_any_spot_where_the_thing_stands_free_is_right(samples: list[Sample]) -> None:
    asked = [
        (sample, qa) for sample in samples for qa in sample.qa if qa.task == "free_space_point"
    ]
    claims = [(sample, qa) for sample, qa in asked if qa.format == "yesno"]
    spots = [(sample, qa) for sample, qa in asked if qa.format == "pixel"]
    assert claims
    assert spots
    blocked = []
    for sample, qa in claims:
        u, v = map(int, qa.markers[0]["pixel"])
        free = stands_free(sample, qa.views[0], (u, v), qa.evidence["radius_m"])
        if qa.value:
            assert free
        else:
            blocked.append(not free)
    assert np.mean(blocked) > 0.6  # what is in the way need not be in a picture
    rng = np.random.default_rng(0)
    for sample, qa in spots:
        u, v = qa.value
        tight = replace(qa, evidence={**qa.evidence, "radius_m": 20.0})
        assert score_answer(sample, tight, qa.answer).score == 0.0  # no room is that large
        ids = sample.views[qa.views[0]].instance
        labels = {instance.id: instance.label for instance in sample.instances}
        for u, v in zip(rng.integers(0, 128, 5), rng.integers(0, 96, 5), strict=True):
            on_floor = labels.get(int(ids[v, u])) == "floor"
            assert score_answer(sample, qa, f"[{u}, {v}]").score <= on_floor


@pytest.mark.parametrize(
    ("task", "truth", "reply", "score"),
    [
        ("object_frame_locate", [1, 2, 3], [1, 2], 0.8),
        ("object_frame_locate", [1], [1, 1, 1], 0.5),
        ("object_frame_locate", [1], {"1": 1}, 0.0),
        ("position_matching", {"bbox_2d": [0, 0, 9, 9]}, {"bbox_2d": [0, 0, 9, 4]}, 0.5),
        ("position_matching", {"bbox_2d": [0, 0, 9, 9]}, {"bbox_2d": [9, 9, 0, 0]}, 0.0),
        ("position_matching", {"bbox_2d": [0, 0, 9, 9]}, {"bbox_2d": "none"}, 0.0),
        ("relative_pose", {"translation": [1, 0, 0], "rotation_zxy": [0, 0, 0]},
         {"translation": [1, 0, 0], "rotation_zxy": [0, 0, 0.21]}, 0.5 + 0.5 * 3 / 5),  # 12 degrees off
        ("relative_pose", {"translation": [1, 0, 0], "rotation_zxy": [0, 0, 0]},
         {"translation": [1, 0.1, 0]}, 0.45),
        ("view_change", {"move_right": 1.0, "turn_left": 20, "tilt_up": 0},
         {"move_right": 1.1, "turn_left": 20, "tilt_up": 1}, 1.9 / 3),
        ("view_change", {"move_right": 1.0, "tilt_up": 0}, {"move_right": True}, 0.0),
        ("scene_map", [{"label": "a", "cell": [1, 2]}, {"label": "b", "cell": [3, 4]}],
         [{"label": "A", "cell": [1, 2]}, {"label": "b", "cell": [4, 3]}], 0.5),
        ("scene_map", [{"label": "a", "cell": [1, 2]}], ["a", None, {"cell": [1, 2]}], 0.0),
        ("pointmap_list", [{"label": "a", "point_3d": [0, 0, 2]}, {"label": "a", "point_3d": [0, 0, 4]}],
         [{"label": "a", "point_3d": [0, 0, 4.4]}, {"label": "a", "point_3d": [0, 0, 2]}], 0.95),
    ],
)  # fmt: skip
def test_records_earn_what_agrees(
    samples: list[Sample], task: str, truth: Any, reply: Any, score: float
) -> None:
    qa = _qa("text", f"```json\n{json.dumps(truth)}\n```", task)
    assert _score(samples, qa, json.dumps(reply)).score == pytest.approx(score)
    assert _score(samples, qa, json.dumps(truth)).score == 1.0
    assert _score(samples, qa, "it is there").parsed is None


@pytest.mark.parametrize("hostile", ["1e999", "NaN", "[" * 5000, '{"bbox_2d": [1e400, 0, 0, 0]}'])
def test_hostile_numbers_earn_nothing(samples: list[Sample], hostile: str) -> None:
    truths = {"position_matching": {"bbox_2d": [0, 0, 1, 1]}, "object_frame_locate": [1]}
    for task, truth in truths.items():
        assert _score(samples, _qa("text", json.dumps(truth), task), hostile).score == 0.0


def test_words_in_common() -> None:
    assert word_f1("A gray chair, 0.50 m tall", "a chair 0.50 m tall") == pytest.approx(10 / 11)
    assert word_f1("a a a", "a b") == pytest.approx(2 / 5)
    assert word_f1("", "") == 1.0
