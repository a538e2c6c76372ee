"""AdamW with a learning rate for each part of the model. Parts and weight decay go by the class of modules, never by names."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from transformers import Qwen3VLForConditionalGeneration, Qwen3VLTextModel, Qwen3VLVisionModel

from gapmodel.geometry.encoder import DepthNormalEncoder
from gapmodel.geometry.fusion import GeometryFusion
from gapmodel.geometry.vggt import VggtAggregator
from gapmodel.geometry.vggt_encoder import VggtEncoder
from gapmodel.lora import lora_parameters
from gapmodel.model import GapModel
from gapmodel.objectives.objective import Objective
from gapmodel.training.stages import rate_factor
from gapmodel.training.train_config import Stage, TrainConfig

# Weights of these are matrices that decay; norms, biases, embeddings, gates and queries do not.
_DECAYING = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


_CLASSES: tuple[tuple[type[nn.Module], str], ...] = (
    (Qwen3VLVisionModel, "vision"),
    (DepthNormalEncoder, "geometry"),
    (VggtAggregator, "frozen"),  # somebody else's network, never trained
    (VggtEncoder, "geometry"),
    (GeometryFusion, "fusion"),
    (Objective, "heads"),
    (Qwen3VLTextModel, "language"),
    (Qwen3VLForConditionalGeneration, "language"),  # the output layer
)


def parts_of(model: nn.Module) -> dict[str, str]:
    """Part (one of PARTS, or `frozen`) of every parameter by name: that of the nearest module around it that is one."""
    parts: dict[str, str] = {}

    def walk(module: nn.Module, prefix: str, part: str) -> None:
        part = next((name for kind, name in _CLASSES if isinstance(module, kind)), part)
        for name, _ in module.named_parameters(prefix, recurse=False):
            parts[name] = part
        for name, child in module.named_children():
            walk(child, f"{prefix}.{name}" if prefix else name, part)

    walk(model, "", "language")
    return parts


def freeze(model: GapModel, stage: Stage) -> None:
    """Let the parts of a stage learn, and of the heads only those whose objective counts; freeze the rest.

    Where the language model has adapters, they learn in its place.
    """
    parts = parts_of(model)
    idle = {
        id(parameter)
        for name, head in model.heads.items()
        if not stage.weights.get(name, 0.0) > 0
        for parameter in head.parameters()
    }
    if adapters := lora_parameters(model):
        idle |= {
            id(parameter)
            for name, parameter in model.named_parameters()
            if parts[name] == "language" and name not in adapters
        }
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parts[name] in stage.rates and id(parameter) not in idle)


def make_optimizer(model: nn.Module, stage: Stage, config: TrainConfig) -> torch.optim.AdamW:
    """Fused AdamW over what `freeze` lets learn, a group for each part with and without decay."""
    parts, decaying = parts_of(model), _decaying(model)
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parts[name], id(parameter) in decaying), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "part": part,
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (part, decays), parameters in groups.items()
        ],
        lr=0.0,
        betas=(config.beta1, config.beta2),
        fused=True,
    )


def set_rates(
    optimizer: torch.optim.Optimizer, stage: Stage, step: int, config: TrainConfig
) -> Mapping[str, float]:
    """Learning rate of each part at a step (from 0) of the stage, now set in the optimiser."""
    factor = rate_factor(step, stage.steps, warmup=config.warmup, final=config.final_rate)
    rates = {part: peak * factor for part, peak in stage.rates.items()}
    for group in optimizer.param_groups:
        group["lr"] = rates[group["part"]]
    return rates


def _decaying(model: nn.Module) -> set[int]:
    embedded = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    return {
        id(module.weight) for module in model.modules() if isinstance(module, _DECAYING)
    } - embedded  # an output layer may be tied to the embedding
