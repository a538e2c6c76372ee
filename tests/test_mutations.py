"""Every kind of planted fault is noticed by check or verify in the samples of a small build."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.sample import Sample
from gapdata.shards.reader import open_dataset
from gapdata.tasks import TASKS
from gapdata.verify import VERIFIERS
from tests.mutation.layers import LAYER_FAULTS
from tests.mutation.questions import ROW_FAULTS
from tests.mutation.table import catch_layers, catch_rows

# What cannot be told from images, cameras and boxes alone: only the answers show it.
ONLY_VERIFY = {"labels of two objects exchanged", "boxes twice as large"}

KEPT = 3  # questions of a task and format


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    out = str(tmp_path_factory.mktemp("mutations") / "rooms")
    config = BuildConfig(
        source="synthetic",
        tasks=tuple(sorted(set(TASKS) & set(VERIFIERS))),
        out=out,
        num_scenes=2,
        seed=4,
        views=3,
        samples_per_scene=1,
        height=192,
        width=256,
    )
    build(config)
    return [thinned(sample) for sample in open_dataset(out)]


def thinned(sample: Sample) -> Sample:
    """The sample with the first questions of every task and format."""
    asked: Counter[tuple[str, str]] = Counter()
    rows = []
    for qa in sample.qa:
        asked[qa.task, qa.format] += 1
        if asked[qa.task, qa.format] <= KEPT:
            rows.append(qa)
    return replace(sample, qa=tuple(rows))


def test_without_a_fault_nothing_is_noticed(samples: list[Sample]) -> None:
    catch = catch_layers("no fault", lambda sample: sample, samples)
    assert not catch.caught, catch


@pytest.mark.parametrize("name", LAYER_FAULTS)
def test_faults_of_images_cameras_and_tables_are_caught(name: str, samples: list[Sample]) -> None:
    catch = catch_layers(name, LAYER_FAULTS[name], samples)
    assert catch.tasks if name in ONLY_VERIFY else catch.codes, catch


@pytest.mark.parametrize("name", ROW_FAULTS)
def test_faults_of_questions_are_caught(name: str, samples: list[Sample]) -> None:
    catch = catch_rows(name, ROW_FAULTS[name], samples)
    assert catch.changed > 0
    assert catch.tasks, catch
