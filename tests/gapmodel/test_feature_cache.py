from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gapdata.errors import ConfigError, DatasetError
from gapmodel.geometry.feature_cache import CARD, EncoderIdentity, FeatureCache, weights_digest

IDENTITY = EncoderIdentity(
    name="vggt", weights="ab" * 32, preprocessing={"width": 518, "taps": [4, 11]}
)


def pictures(seed: int = 0, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 4, 6, 3), generator=generator, dtype=torch.uint8)


def features(seed: int = 0, count: int = 2, spread: float = 3.0) -> Tensor:
    """Features whose channels differ in size by powers of ten, as in large encoders."""
    generator = torch.Generator().manual_seed(seed)
    size = 10 ** (spread * torch.rand(8, generator=generator))
    return size * torch.randn(count, 3, 2, 3, 8, generator=generator)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != CARD)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31), count=st.integers(1, 4), storage=st.sampled_from(["bf16", "int8"])
)
def test_round_trip_is_within_the_storages_step(seed: int, count: int, storage: str) -> None:
    cache = FeatureCache(f"memory://{uuid4().hex}", IDENTITY, storage=storage)
    truth = features(seed, count)
    cache.write(pictures(seed, count), truth)
    found = cache.read(pictures(seed, count))
    assert found is not None
    assert found.dtype == torch.float32
    if storage == "bf16":
        bound = truth.abs() * 2**-8
    else:
        bound = truth.abs().amax(dim=(2, 3), keepdim=True) / 127 * 0.5001
    assert ((found - truth).abs() <= bound).all()


def test_int8_is_exact_for_what_it_can_hold_and_keeps_zeros() -> None:
    cache = FeatureCache(f"memory://{uuid4().hex}", IDENTITY, storage="int8")
    truth = torch.randint(-127, 128, (2, 3, 2, 3, 8)).float()
    truth[:, :, 0, 0] = 127
    truth[1, :, :, :, 5] = 0
    cache.write(pictures(), truth)
    assert torch.equal(cache.read(pictures()), truth)


def test_int8_files_are_half_the_size(tmp_path: Path) -> None:
    large = torch.randn(2, 4, 28, 37, 64)
    sizes = {}
    for storage in ("bf16", "int8"):
        cache = FeatureCache(str(tmp_path / storage), IDENTITY, storage=storage)
        cache.write(pictures(), large)
        sizes[storage] = files(tmp_path / storage)[0].stat().st_size
    assert sizes["int8"] < 0.51 * sizes["bf16"]
    # What one storage wrote, a cache that writes the other reads.
    assert FeatureCache(str(tmp_path / "int8"), IDENTITY).read(pictures()) is not None


def test_found_by_content_and_order_only(tmp_path: Path) -> None:
    cache = FeatureCache(str(tmp_path), IDENTITY)
    images = pictures(count=3)
    cache.write(images, features(count=3))
    assert cache.read(images.clone()) is not None
    assert cache.read(images[[0, 2, 1]]) is None
    assert cache.read(images[:2]) is None
    other = images.clone()
    other[2, 3, 5, 1] ^= 1
    assert cache.read(other) is None
    # The same bytes as pictures of another shape are other pictures.
    assert cache.read(images.view(3, 6, 4, 3)) is None


def test_a_second_opening_finds_the_first_ones_features(tmp_path: Path) -> None:
    FeatureCache(str(tmp_path / "a" / "b"), IDENTITY).write(pictures(), features())
    again = FeatureCache(str(tmp_path / "a" / "b"), replace(IDENTITY))
    assert again.read(pictures()) is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weights": "cd" * 32}, "weights"),
        ({"name": "da3"}, "name"),
        ({"preprocessing": {"width": 518, "taps": [4, 17]}}, "preprocessing"),
    ],
)
def test_another_encoder_is_refused(change: dict[str, object], field: str, tmp_path: Path) -> None:
    FeatureCache(str(tmp_path), IDENTITY).write(pictures(), features())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(
        ConfigError, match=f"{CARD}: {field}: expected .* found .* another encoder"
    ) as error:
        FeatureCache(str(tmp_path), replace(IDENTITY, **change))
    assert "\n" not in str(error.value)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_file_of_another_cache_or_other_pictures_is_refused(tmp_path: Path) -> None:
    here = FeatureCache(str(tmp_path / "here"), IDENTITY)
    there = FeatureCache(str(tmp_path / "there"), replace(IDENTITY, weights="cd" * 32))
    here.write(pictures(0), features())
    there.write(pictures(0), features())
    mine = files(tmp_path / "here")[0]
    mine.write_bytes(files(tmp_path / "there")[0].read_bytes())
    with pytest.raises(DatasetError, match="another encoder or other pictures; delete the file"):
        here.read(pictures(0))
    here.write(pictures(1), features())
    stranger = next(path for path in files(tmp_path / "here") if path != mine)
    mine.write_bytes(stranger.read_bytes())
    with pytest.raises(DatasetError, match="another encoder or other pictures"):
        here.read(pictures(0))
    here.write(pictures(0), features())  # writing again repairs it
    assert here.read(pictures(0)) is not None


@pytest.mark.parametrize("keep", [0, 5, 60, 200, -1])
def test_a_cut_file_is_refused(keep: int, tmp_path: Path) -> None:
    cache = FeatureCache(str(tmp_path), IDENTITY)
    cache.write(pictures(), features())
    path = files(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=f"{path.name}: damaged"):
        cache.read(pictures())


def test_a_damaged_card_is_refused(tmp_path: Path) -> None:
    FeatureCache(str(tmp_path), IDENTITY)
    assert json.loads((tmp_path / CARD).read_text())["weights"] == IDENTITY.weights
    (tmp_path / CARD).write_text("{")
    with pytest.raises(DatasetError, match=f"{CARD}: damaged"):
        FeatureCache(str(tmp_path), IDENTITY)
    for damaged in ("{", '{"name": "vggt"}', "[]"):
        (tmp_path / CARD).write_text(damaged)
        with pytest.raises(DatasetError, match=f"{CARD}: damaged"):
            FeatureCache.existing(str(tmp_path))


def test_features_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    cache, bad = FeatureCache(str(tmp_path), IDENTITY), features()
    bad[1, 2, 0, 0, 3] = float("nan")
    with pytest.raises(DatasetError, match="not finite"):
        cache.write(pictures(), bad)
    assert files(tmp_path) == []


def test_features_of_a_wrong_number_of_pictures_are_refused(tmp_path: Path) -> None:
    cache = FeatureCache(str(tmp_path), IDENTITY)
    with pytest.raises(DatasetError, match="expected 2 pictures, found 3"):
        cache.write(pictures(count=2), features(count=3))
    assert files(tmp_path) == []


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = FeatureCache(str(tmp_path), IDENTITY)
    (tmp_path / cache.key(pictures())[:2]).write_bytes(b"")  # where the folder should be
    with pytest.raises(ConfigError, match="cannot be written"):
        cache.write(pictures(), features())
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".part"] == []


def test_bad_storage_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="storage is bf16 or int8, found 'fp4'"):
        FeatureCache(str(tmp_path), IDENTITY, storage="fp4")
    assert list(tmp_path.iterdir()) == []


def test_digest_of_weights_follows_values_names_and_types() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    digest = weights_digest(network)
    assert digest == weights_digest(network)
    assert digest != weights_digest(nn.ModuleList(network[::-1]))
    assert digest != weights_digest(network.bfloat16())
    network = network.float()
    network[0].bias.data[2] += 1e-6
    assert digest != weights_digest(network)


def test_an_existing_cache_is_found_without_the_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{CARD}: not found"):
        FeatureCache.existing(str(tmp_path))
    FeatureCache(str(tmp_path), IDENTITY).write(pictures(), features())
    cache = FeatureCache.existing(str(tmp_path))
    assert cache.identity == IDENTITY
    found = cache.lookup(pictures().numpy())
    assert found is not None
    assert np.array_equal(found, features().bfloat16().float().numpy())
    assert cache.lookup(pictures(1).numpy()) is None


def test_filling_computes_what_is_missing_once(tmp_path: Path) -> None:
    cache, asked = FeatureCache(str(tmp_path), IDENTITY, storage="int8"), []

    def encode(images: Tensor) -> Tensor:
        asked.append(images)
        return features(len(asked))

    first = cache.fill(pictures().numpy(), encode)
    again = cache.fill(pictures().numpy(), encode)
    other = cache.fill(pictures(1).numpy(), encode)
    assert len(asked) == 2
    assert torch.equal(asked[0], pictures())
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
