"""Configs, stages and rates of training."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from pathlib import Path

import pytest

from gapdata.errors import ConfigError
from gapmodel.presets import PRESETS
from gapmodel.training.defaults import SCALES, default_config, read_config
from gapmodel.training.stages import RECIPES, WEIGHTS, make_stages, rate_factor, stage_at
from gapmodel.training.train_config import Stage, TrainConfig


def config(**changes) -> TrainConfig:
    return default_config("tiny", data=[("a", 1.0)], out="out", **changes)


def test_a_config_survives_json():
    run = config(stage_names=["heads=3", "mix"], steps=5)
    assert TrainConfig.from_dict(run.to_dict()) == run
    assert run.differences(run) == []


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(TrainConfig)])
def test_every_field_is_compared_or_says_how_only(name):
    """What changes the result makes another run; where and how it is computed does not."""
    run = config()
    other = {
        "data": (("b", 1.0),), "stages": (Stage(name="x", steps=1, rates={}, weights={"answers": 1.0}),),
        "image_size": (64, 64), "geometry": {"kind": "none"}, "fusion": {"width": 1}, "heads": {"depth": {}},
        "task_weights": {"x": 1.0}, "augment": {},
    }.get(name)  # fmt: skip
    value = getattr(run, name)
    if other is None:
        other = (
            f"{value}x"
            if isinstance(value, str)
            else not value
            if isinstance(value, bool)
            else value + 1
        )
    found = run.differences(dataclasses.replace(run, **{name: other}))
    how = {
        "out", "workers", "cache", "shard_cache", "shard_cache_gb", "save_minutes", "keep", "max_bad_samples",
        "checkpointing", "compile",
    }  # fmt: skip
    assert bool(found) == (name not in how)
    assert all(text.startswith(f"{name}: ") for text in found)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rows": 0}, "rows 0: expected 1 or more"),
        ({"no_such": 1}, "unknown ['no_such']"),
        ({"stages": [{"name": "x", "steps": 1, "rates": {"vison": 1.0}, "weights": {"answers": 1.0}}]}, "vison"),
        ({"stages": [{"name": "x", "steps": 1, "rates": {}, "weights": {}}]}, "no objective"),
        ({"stages": [{"name": "x", "steps": 1}]}, "expected name, steps, rates, weights"),
        ({"stages": [{"name": "x", "steps": 0, "rates": {}, "weights": {"answers": 1.0}}]}, "steps 0"),
    ],
)  # fmt: skip
def test_a_wrong_config_is_one_clear_line(changes, says):
    values = config().to_dict() | changes
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict(values)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_toml_brings_stages(tmp_path: Path):
    file = tmp_path / "run.toml"
    file.write_text(
        'rows = 6\n[[stages]]\nname = "own"\nsteps = 7\nrates = { heads = 1e-3 }\nweights = { depth = 2.0 }\n'
    )
    run = config(**read_config(file))
    assert run.rows == 6
    assert run.stages == (
        Stage(name="own", steps=7, rates={"heads": 1e-3}, weights={"depth": 2.0}),
    )
    file.write_text("rows = ")
    with pytest.raises(ConfigError, match="not TOML"):
        read_config(file)


def test_every_preset_has_a_scale_and_its_pictures_are_whole_tokens():
    assert SCALES.keys() == PRESETS.keys()
    for scale in SCALES.values():
        assert [side % 32 for side in scale.image_size] == [0, 0]


@pytest.mark.parametrize("steps", [3, 4, 7, 100, 1001])
def test_stages_share_out_all_steps(steps):
    stages = make_stages(["heads", "language", "mix"], steps=steps, objectives={"answers": None})
    assert sum(stage.steps for stage in stages) == steps
    for stage in stages:
        assert abs(stage.steps - steps * RECIPES[stage.name].share) < 2


def test_a_stage_may_bring_its_own_length_and_objectives_their_weights():
    own, rest = make_stages(["heads=5", "mix"], steps=9, objectives={"depth": 0.25, "normal": None})
    assert (own.steps, rest.steps) == (5, 9)
    assert own.weights == {"depth": 0.25, "normal": WEIGHTS["normal"]}
    assert rest.weights["normal"] < own.weights["normal"]


@pytest.mark.parametrize(
    ("names", "steps"),
    [(["nothing"], 5), (["heads=x"], 5), (["heads=0"], 5), (["heads", "mix"], 1)],
)
def test_wrong_stages_are_refused(names, steps):
    with pytest.raises(ConfigError):
        make_stages(names, steps=steps, objectives={"answers": None})


def test_every_step_belongs_to_one_stage():
    stages = make_stages(["heads=2", "language=3"], steps=1, objectives={"answers": None})
    assert [stage_at(stages, step) for step in range(5)] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    with pytest.raises(IndexError):
        stage_at(stages, 5)


def test_the_rate_rises_to_its_peak_once_and_falls_to_its_end():
    factors = [rate_factor(step, 200, warmup=0.1, final=0.1) for step in range(200)]
    assert factors.index(max(factors)) == 19
    assert max(factors) == 1.0
    assert all(a < b for a, b in pairwise(factors[:20]))
    assert all(a > b for a, b in pairwise(factors[20:]))
    assert math.isclose(factors[-1], 0.1, abs_tol=1e-3)
    assert math.isclose(factors[20 + 90], 0.55)  # half of the cosine
