from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gapdata.errors import ConfigError, DatasetError
from gapmodel.geometry.feature_cache import FeatureCache
from gapmodel.geometry.vggt import VggtAggregator, VggtSettings, vggt_features
from gapmodel.geometry.vggt_weights import vggt_identity
from gapmodel.training.feature_filling import fill_features
from gapmodel.training.train import train
from gapmodel.training.train_config import Stage, TrainConfig

SIZES = {
    "width": 16, "heads": 2, "depth": 2, "backbone_depth": 1, "registers": 1, "taps": [0, 1],
    "trained_grid": 2, "picture_width": 28,
}  # fmt: skip


def aggregator() -> VggtAggregator:
    torch.manual_seed(0)
    return VggtAggregator(VggtSettings(**(SIZES | {"taps": (0, 1)}))).requires_grad_(False)


def run_config(url: str, folder: Path, **changes: object) -> TrainConfig:
    stage = Stage(
        name="features",
        steps=2,
        rates={"heads": 1e-3, "fusion": 1e-3, "geometry": 1e-3},
        weights={"distillation": 1.0},
    )
    values = {
        "data": ((url, 1.0),),
        "stages": (stage,),
        "out": str(folder / "run"),
        "rows": 1,
        "image_size": (32, 64),
        "row_tokens": 512,
        "max_views": 2,
        "features": str(folder / "cache"),
        "geometry": {"kind": "vggt", "source": "cache", **SIZES},
        "heads": {"distillation": {"teacher_levels": 2, "teacher_width": 32, "hidden": 16}},
    }
    return TrainConfig(**(values | changes))


def test_a_run_finds_what_was_filled(tiny_url: str, tmp_path: Path) -> None:
    config = run_config(tiny_url, tmp_path)
    shown, computed = fill_features(config, aggregator(), storage="int8")
    assert 0 < computed <= shown
    assert fill_features(config, aggregator()) == (shown, 0)
    outcome = train(config)
    assert outcome.step == 2


def test_what_is_stored_is_what_the_network_says(tiny_url: str, tmp_path: Path) -> None:
    config = run_config(tiny_url, tmp_path)
    seen: list[torch.Tensor] = []
    network = aggregator()
    network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    fill_features(config, network)
    assert seen
    assert all(images.shape[-2:] == (14, 28) for images in seen)
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == len(seen)
    cache = FeatureCache.existing(config.features)
    images = torch.randint(0, 256, (2, 32, 64, 3), dtype=torch.uint8)
    expected = vggt_features(aggregator(), images, torch.zeros(2, dtype=torch.int64))
    found = cache.fill(images.numpy(), lambda x: vggt_features(network, x, torch.zeros(2)))
    assert torch.allclose(torch.from_numpy(found), expected, rtol=2**-8)


def test_a_run_that_was_not_filled_stops_with_the_samples_name(
    tiny_url: str, tmp_path: Path
) -> None:
    config = run_config(tiny_url, tmp_path)
    FeatureCache(config.features, replace(vggt_identity(aggregator()), weights="0" * 64))
    with pytest.raises(DatasetError, match="no teacher's features for views"):
        train(config)
    with pytest.raises(ConfigError, match="another encoder"):
        fill_features(config, aggregator())


def test_configs_that_no_cache_can_serve_are_refused(tiny_url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="features: expected a folder"):
        fill_features(run_config(tiny_url, tmp_path, features=""), aggregator())
    with pytest.raises(ConfigError, match="augment recolour: expected 0"):
        fill_features(run_config(tiny_url, tmp_path, augment={"recolour": 0.5}), aggregator())
    with pytest.raises(ConfigError, match=r"fill one with pipelines/cache_features\.py"):
        train(run_config(tiny_url, tmp_path, features=""))
