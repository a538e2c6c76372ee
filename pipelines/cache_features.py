"""Computes VGGT's features of all pictures that a training run will show, so that the run reads them from a cache.

python pipelines/cache_features.py --data URL --preset small --weights vggt/model.safetensors --config run.toml
gapmodel train --data URL --preset small --config run.toml --objective answers --objective distillation

run.toml holds what both share, for instance

    features = "features/vggt"        # folder or fsspec URL of the cache
    augment = {}                      # pictures, views and their order as they are
    [geometry]                        # only where the features are an input too
    kind = "vggt"
    source = "cache"

The weights are not part of this package: facebook/VGGT-1B on the hub is CC-BY-NC 4.0 (no commercial use).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from gapmodel.geometry.vggt import VggtAggregator, VggtSettings
from gapmodel.geometry.vggt_weights import load_vggt
from gapmodel.settings import read_settings
from gapmodel.training.defaults import default_config, read_config
from gapmodel.training.feature_filling import fill_features


def main(
    data: Annotated[list[str], typer.Option(help="A dataset of gapdata; again for a mixture.")],
    weights: Annotated[str, typer.Option(help="Checkpoint of VGGT.")],
    config: Annotated[Path, typer.Option(help="TOML with fields of TrainConfig, as for training.")],
    preset: Annotated[str, typer.Option(help="As for training.")] = "small",
    storage: Annotated[str, typer.Option(help="bf16 or int8.")] = "bf16",
) -> None:
    run = default_config(
        preset, data=[(url, 1.0) for url in data], out="out/train", **read_config(config)
    )
    sizes = dict(run.geometry) if run.geometry["kind"] == "vggt" else {}
    sizes = {key: value for key, value in sizes.items() if key not in ("kind", "source")}
    aggregator = VggtAggregator(read_settings(VggtSettings, sizes, "geometry"))
    load_vggt(aggregator, weights)
    if torch.cuda.is_available():
        aggregator = aggregator.to("cuda", torch.bfloat16)
    shown, computed = fill_features(run, aggregator.requires_grad_(False), storage=storage)
    print(f"{shown} pictures shown, {computed} computed, features in {run.features}")


if __name__ == "__main__":
    typer.run(main)
