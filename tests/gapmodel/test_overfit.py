"""The tiny model learns eight real samples by heart, on each of the four tasks: everything from shard to loss fits together."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from gapmodel.data.batch import Batch
from gapmodel.data.loader import Loader, LoaderConfig
from gapmodel.data.prompt import Prompt
from gapmodel.objectives import objective_class
from gapmodel.patches import token_grid
from gapmodel.presets import build_model, preset_config
from gapmodel.pretraining import PretrainingModel
from gapmodel.tokenizer import dataset_texts, train_tokenizer

SAMPLES = 8


@pytest.fixture(scope="module")
def tokenizer(tiny_url):
    return train_tokenizer(dataset_texts(tiny_url, None), 1536)


def batches(url: str, tokenizer, config, objective: str) -> list[Batch]:
    """Rows of eight visits to the dataset's samples, two pictures each."""
    settings = LoaderConfig(
        data=((url, 1.0),), split=None, image_size=(96, 128), row_tokens=768, max_views=2, max_questions=2,
        needs=objective_class(objective).needs,
    )  # fmt: skip
    loader = Loader(settings, Prompt(tokenizer, token_grid(config, 96, 128)))
    rows, seen = [], 0
    for row in islice(loader, 20):
        rows.append(row)
        seen += len(row.sample_keys)
        if seen >= SAMPLES:
            return rows
    raise AssertionError(f"{seen} samples in 20 rows")


# What learning by heart must reach from where an untrained model stands.
@pytest.mark.parametrize(
    ("objective", "metric", "steps", "reached"),
    [
        ("answers", "token_accuracy", 90, lambda first, last: last > 0.9),
        ("depth", "abs_rel", 90, lambda first, last: last < 0.15 < 0.3 < first),
        ("pose", "rotation_deg", 130, lambda first, last: last < 0.6 * first),
        ("reconstruction", "chamfer_m", 60, lambda first, last: last < 0.7 * first),
    ],
)
def test_tiny_learns_eight_samples_by_heart(tiny_url, tokenizer, objective, metric, steps, reached):
    torch.manual_seed(0)
    heads = [] if objective == "answers" else [objective]
    config = preset_config("tiny", tokenizer=tokenizer, heads=heads)
    model = PretrainingModel(build_model(config)).train()
    rows = batches(tiny_url, tokenizer, config, objective)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    history = []
    for _ in range(steps):
        optimizer.zero_grad()
        found = []
        for row in rows:
            loss = model(row, {objective: 1.0})[objective]
            (loss.value / len(rows)).backward()
            found.append(float(loss.metrics[metric]))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        history.append(sum(found) / len(found))
    assert reached(history[0], history[-1]), (history[0], history[-1])
