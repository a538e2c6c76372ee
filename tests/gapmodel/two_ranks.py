"""What each of two processes does in the tests of several processes: python -m tests.gapmodel.two_ranks OUT PORT CONFIG."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

from gapmodel.data.loader import empty_batch
from gapmodel.data.reading import Showing
from gapmodel.training.parallel import whole, workers
from gapmodel.training.step import take_step
from gapmodel.training.train import train
from gapmodel.training.train_config import TrainConfig
from tests.gapmodel.batches import PAD, example_batch
from tests.gapmodel.runs import example_session

OBJECTIVES = {"answers": 1.0, "depth": 1.0, "reconstruction": 1.0, "relations": 1.0}


def rank_batches(empty: bool) -> list:
    """The row of each rank: two of different length, or the second without any picture."""
    needs = frozenset({"depth", "instance", "points", "objects", "relations"})
    showing = Showing(image_size=(64, 96), needs=needs, input_geometry=True)
    second = empty_batch(showing, PAD) if empty else example_batch(2, samples=1)
    return [example_batch(1), second]


def main(out: Path, port: str, config: str) -> None:
    torch.set_num_threads(1)
    with workers() as team:
        for empty in (False, True):
            session, settings = example_session(OBJECTIVES, geometry="depth_normal", workers=team)
            tally = take_step(session, [rank_batches(empty)[team.rank]], settings, row=0)
            found = {
                name: whole(parameter.grad)
                for name, parameter in session.model.named_parameters()
                if parameter.grad is not None
            }
            if team.leads:
                torch.save((dict(tally.losses), found), out / f"gradients-{empty}.pt")
    os.environ["MASTER_PORT"] = port
    train(TrainConfig.from_dict(json.loads(config)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
