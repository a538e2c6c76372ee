"""A stage of training, set up: what learns, split over the processes, with its optimiser and where it was left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from gapmodel.model import GapModel
from gapmodel.pretraining import PretrainingModel
from gapmodel.training.checkpoint import load_checkpoint
from gapmodel.training.optimizer import freeze, make_optimizer
from gapmodel.training.parallel import Workers, split_model
from gapmodel.training.step_time import StepTime
from gapmodel.training.train_config import Stage, TrainConfig


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Session:
    """What a stage trains with."""

    stage: Stage
    model: PretrainingModel
    optimizer: torch.optim.AdamW
    clock: StepTime
    workers: Workers

    @property
    def learning(self) -> frozenset[str]:
        """Parts of the model that learn."""
        return frozenset(group["part"] for group in self.optimizer.param_groups)


def open_session(
    model: GapModel, stage: Stage, config: TrainConfig, workers: Workers, checkpoint: Path | None
) -> Session:
    """The stage ready for its next step, from a checkpoint or from the model as it is.

    On a GPU attention of the language model runs in flex_attention, which skips what a packed row may not see.
    """
    if workers.device.type == "cuda":
        model.set_attn_implementation({"text_config": "flex_attention", "vision_config": "sdpa"})
    root = PretrainingModel(model)
    freeze(model, stage)
    root.to(device=workers.device, dtype=torch.float32)
    root.train()
    if config.checkpointing:
        model.activation_checkpointing_enable(every_n_layers=config.checkpointing)
    layers = _layers(model)
    if config.compile:
        for layer in layers:
            layer.compile()
    split_model(root, layers, workers.device)
    optimizer = make_optimizer(root, stage, config)
    if checkpoint is not None:
        load_checkpoint(checkpoint, root, optimizer)
    clock = StepTime(model, workers.device)
    return Session(stage=stage, model=root, optimizer=optimizer, clock=clock, workers=workers)


def _layers(model: GapModel) -> list[nn.Module]:
    """The repeated layers of the language model and the vision tower."""
    return [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
