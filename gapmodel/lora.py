"""Low-rank adapters in the language model, by peft: training a large model without optimiser states for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from gapdata.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from gapmodel.model import GapModel

# Every linear layer of the decoder: attention's and the feed-forward's.
ADAPTED = r"model\.language_model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"


def add_lora(model: GapModel, rank: int) -> None:
    """Put adapters of a rank into the decoder. They add nothing yet, so the model computes what it did.

    What they add is scaled by 2 (alpha = 2 * rank). Nothing is frozen: the caller lets `lora_parameters` learn in
    place of the decoder's own. Raises ConfigError for a rank below 1 and for a model that has adapters,
    MissingDependencyError without peft.
    """
    if rank < 1:
        raise ConfigError(f"lora rank {rank}: expected 1 or more")
    if lora_parameters(model):
        raise ConfigError("the model has adapters already: merge them first")
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingDependencyError("adapters need peft: pip install 'gapdata[train]'") from error
    learning = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=ADAPTED), model)
    # peft freezes everything else.
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(learning.get(name.replace(".base_layer", ""), True))
    model.config.lora = rank


def lora_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of adapters by name, none for a model without."""
    return {
        f"{prefix}.{name}": parameter
        for prefix, layer in _adapted(model)
        for name, parameter in layer.named_parameters()
        if not name.startswith("base_layer.")
    }


def merge_lora(model: GapModel) -> None:
    """Add what adapters have learned to the weights and take them out: the model has the hub's layout again."""
    for name, layer in _adapted(model):
        layer.merge()
        parent, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(parent), attribute, layer.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config
    model.config.lora = 0


def _adapted(model: nn.Module) -> list[tuple[str, Any]]:
    """Layers that peft has wrapped, by name."""
    return [(name, module) for name, module in model.named_modules() if hasattr(module, "lora_A")]
