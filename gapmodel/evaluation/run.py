"""The loop of an evaluation: sample by sample, questions first, then what the heads see."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gapdata.errors import ConfigError
from gapdata.sample import Sample
from gapdata.shards.reader import Dataset, open_dataset
from gapmodel.data.batch import Batch
from gapmodel.data.collate import collate
from gapmodel.data.example import Example
from gapmodel.data.reading import ExampleReader, Showing, Visit
from gapmodel.evaluation.answering import answer_questions
from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.report import summarise
from gapmodel.evaluation.seeing import head_figures
from gapmodel.evaluation.store import Store
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.loading import Trained, load_trained
from gapmodel.objectives import objective_class

_PHRASE_TOKENS = 1024  # of a sample's phrases, for heads that compare pictures with phrases


def evaluate(
    config: EvalConfig,
    *,
    out: Path | None = None,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The summary of an evaluation, as `summarise` gives it; with `out` every record is kept there too.

    An evaluation that was stopped goes on from what `out` holds. `progress` is called with (samples done, in total).
    Raises ConfigError for what cannot be evaluated, DatasetError for a bad sample.
    """
    dataset = open_dataset(config.data, split=config.split or None, layers=("depth", "instance"))
    _require_tasks(dataset, config)
    trained = load_trained(
        Path(config.checkpoint), device=config.device, dtype=getattr(torch, config.dtype)
    )
    store = Store(identity(config, trained, dataset), out, fresh=fresh)
    chosen = spread(len(dataset), config.max_samples)
    if not len(chosen):
        raise ConfigError(f"{config.data}: split {config.split!r} has no samples")
    finished = store.finished
    for number, place in enumerate(chosen):
        if str(dataset.keys[place].as_py()) not in finished:
            store.add(*_one_sample(trained, config, dataset, place))
        if progress is not None:
            progress(number + 1, len(chosen))
    summary = summarise(store.questions, store.samples, config)
    store.finish(summary)
    return summary


def identity(config: EvalConfig, trained: Trained, dataset: Dataset) -> dict[str, Any]:
    """The config with hashes of the weights and of the dataset's manifest, wherever the two lie."""
    manifest = hashlib.sha256(dataset.manifest.to_json().encode()).hexdigest()[:16]
    return {**config.to_dict(), "weights": trained.weights, "dataset": manifest}


def spread(count: int, most: int | None) -> list[int]:
    """At most `most` of `count` positions, evenly spread over them."""
    if most is None or most >= count:
        return list(range(count))
    return [number * count // most for number in range(most)]


def reader_of(
    trained: Trained, config: EvalConfig, dataset: Dataset, size: tuple[int, int]
) -> ExampleReader:
    """What reads samples as this model's heads and the config want them."""
    needs: frozenset[str] = frozenset()
    if config.heads:
        needs = frozenset().union(
            *(objective_class(name).needs for name in trained.model.heads)
        ) - {"teacher"}
        # What depth is compared with is there whichever heads the model has.
        needs |= {"depth"} if "pose" in trained.model.heads else frozenset()
    prompt = trained.prompt(size)
    showing = Showing(
        image_size=size,
        needs=needs,
        input_geometry=config.geometry,
        seed=config.seed,
        phrase_tokens=_PHRASE_TOKENS if "objects" in needs else 0,
        blind=config.blind,
    )
    return ExampleReader([dataset], showing, lambda phrase: len(prompt.tokens([phrase])[0]))


def read_example(
    trained: Trained, config: EvalConfig, dataset: Dataset, place: int, sample: Sample
) -> tuple[Example, Batch]:
    """A sample with the questions to ask, and without them as a batch for the heads, on the model's device."""
    stored = (sample.views[0].camera.height, sample.views[0].camera.width)
    size = config.image_size or trained.processor.shown_size(stored)
    asked = [
        number for number, qa in enumerate(sample.qa) if not config.tasks or qa.task in config.tasks
    ]
    asked = [asked[i] for i in spread(len(asked), config.max_questions)]
    visit = Visit(
        dataset=0,
        sample=place,
        number=0,
        views=tuple(range(len(sample.views))),
        questions=tuple(asked) if config.answers else (),
    )
    example = reader_of(trained, config, dataset, size).read(visit)
    batch = collate([replace(example, questions=())], trained.prompt(size))
    return example, batch.to(trained.device)


def _one_sample(
    trained: Trained, config: EvalConfig, dataset: Dataset, place: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record of a sample and those of its questions."""
    started = time.perf_counter()
    sample = dataset[place]
    example, batch = read_example(trained, config, dataset, place, sample)
    geometry = GeometryInput.from_batch(batch) if config.geometry else None
    questions = answer_questions(trained, config, sample, example, geometry)
    heads = head_figures(trained, batch)[0] if config.heads and len(trained.model.heads) else {}
    record = {
        "key": sample.key,
        "scene": sample.scene_id,
        "questions": len(questions),
        "heads": heads,
        "seconds": time.perf_counter() - started,
    }
    return record, questions


def _require_tasks(dataset: Dataset, config: EvalConfig) -> None:
    known = sorted(set(dataset.qa["task"].to_pylist())) if config.tasks else []
    if unknown := sorted(set(config.tasks) - set(known)):
        raise ConfigError(
            f"{config.data}: tasks {', '.join(unknown)} are not asked in split {config.split!r}: "
            f"expected some of {', '.join(known)}"
        )
