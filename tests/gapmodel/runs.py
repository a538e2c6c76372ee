"""Small training runs for tests."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from gapmodel.data.batch import Batch
from gapmodel.presets import build_model
from gapmodel.training.defaults import default_config
from gapmodel.training.parallel import Workers
from gapmodel.training.session import Session, open_session
from gapmodel.training.stages import make_stages
from gapmodel.training.train_config import TrainConfig
from tests.gapmodel.batches import example_config


def run_config(url: str, out: Path, *, steps: int = 4, **changes) -> TrainConfig:
    """A run of the tiny preset that learns answers and depth on short rows."""
    values = {
        "objectives": {"answers": None, "depth": None},
        "row_tokens": 512,
        "rows": 2,
        "max_questions": 3,
        "seed": 5,
    }
    return default_config(
        "tiny", data=[(url, 1.0)], out=str(out), steps=steps, **(values | changes)
    )


def example_session(
    objectives: dict[str, float], *, stage: str = "scratch", geometry: str = "none", workers: Workers | None = None
) -> tuple[Session, TrainConfig]:  # fmt: skip
    """A session of the tiny preset for `example_batch`es, the same weights each time."""
    torch.manual_seed(0)
    heads = [name for name in objectives if name != "answers"]
    model = build_model(example_config(geometry={"kind": geometry}, heads=heads))
    stages = make_stages([stage], steps=10, objectives=objectives)
    config = TrainConfig(data=(("none", 1.0),), stages=stages, out="none", clip=1e9)
    return open_session(model, stages[0], config, workers or Workers(), None), config


def gradients(session: Session) -> dict[str, torch.Tensor]:
    """The gradients in a session's model by name."""
    return {
        name: parameter.grad.clone()
        for name, parameter in session.model.named_parameters()
        if parameter.grad is not None
    }


def poisoned(batch: Batch) -> Batch:
    """The batch with a camera that no picture can have."""
    K = batch.K.clone()
    K[0, 0, 0] = float("nan")
    from dataclasses import replace

    return replace(batch, K=K)


def weights_of(out: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's finished model."""
    from safetensors.torch import load_file

    return load_file(out / "model" / "model.safetensors")


def steps_of(out: Path) -> list[dict]:
    """The steps in a run's log."""
    lines = (out / "log.jsonl").read_text().splitlines()
    return [record for line in lines if "losses" in (record := json.loads(line))]
