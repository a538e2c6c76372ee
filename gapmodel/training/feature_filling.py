"""Filling a feature cache with what a run will show."""

from __future__ import annotations

import threading
from itertools import islice

import torch
from torch import Tensor

from gapdata.errors import ConfigError
from gapmodel.data.plan import LoaderState
from gapmodel.geometry.feature_cache import FeatureCache
from gapmodel.geometry.vggt import VggtAggregator, vggt_features
from gapmodel.geometry.vggt_weights import vggt_identity
from gapmodel.training.parallel import Workers
from gapmodel.training.start import prepare
from gapmodel.training.train_config import Stage, TrainConfig

# Changes to pictures and views are drawn anew at each visit: what one visit stored, another would not find.
_REDRAWN = ("fewer_views", "shuffled", "crop", "recolour")


def fill_features(
    config: TrainConfig, aggregator: VggtAggregator, *, storage: str = "bf16"
) -> tuple[int, int]:
    """Stores in `config.features` what the network sees in all pictures that a run of this config shows.

    Gives the number of pictures shown and of those that were computed, the others having been there already. Raises
    ConfigError for a config without a cache, or whose augmentation would show pictures that no cache can hold.
    """
    if not config.features:
        raise ConfigError("features: expected a folder or URL for the cache, found none")
    redrawn = [name for name in _REDRAWN if config.augment.get(name, 0) > 0]
    if redrawn:
        raise ConfigError(
            f"augment {', '.join(redrawn)}: expected 0 for a run on cached features; set augment = {{}}"
        )
    cache = FeatureCache(config.features, vggt_identity(aggregator), storage=storage)
    device, computed, one_at_a_time = aggregator.camera_token.device, [0], threading.Lock()

    def encode(pictures: Tensor) -> Tensor:
        sample = torch.zeros(len(pictures), dtype=torch.int64, device=device)
        with one_at_a_time:
            computed[0] += len(pictures)
            return vggt_features(aggregator, pictures.to(device), sample)

    stage = Stage(name="features", steps=config.steps, rates={}, weights={"distillation": 1.0})
    rows = prepare(config, Workers()).open_rows(
        stage, LoaderState(), teacher=lambda images: cache.fill(images, encode)
    )
    try:
        shown = sum(len(batch.images) for batch in islice(rows, config.rows * config.steps))
    finally:
        rows.close()
    return shown, computed[0]
