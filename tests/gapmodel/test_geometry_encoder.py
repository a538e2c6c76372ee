from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gapdata.errors import ConfigError
from gapmodel.geometry.encoder import (
    DepthNormalEncoder,
    build_geometry_encoder,
    geometry_maps,
    spread_taps,
)
from gapmodel.geometry.inputs import GeometryInput
from tests.gapmodel.test_geometry_input import PATCH, random_input

SIZES: dict[str, Any] = {"kind": "depth_normal", "width": 48, "depth": 4, "heads": 2}


def encoder(levels: int = 3, **settings: Any) -> DepthNormalEncoder:
    torch.manual_seed(0)
    built = build_geometry_encoder({**SIZES, **settings}, levels=levels, patch_size=PATCH)
    assert isinstance(built, DepthNormalEncoder)
    return built


def test_one_grid_a_level() -> None:
    features = encoder()(random_input(0))
    assert [tuple(level.shape) for level in features] == [(3, 2, 3, 48)] * 3


def test_what_is_not_given_is_not_looked_at() -> None:
    pictures, network = random_input(0), encoder()
    poisoned = replace(
        pictures,
        K=pictures.K.clone(),
        cam2first=pictures.cam2first.clone(),
        depth=pictures.depth.clone(),
        normal=pictures.normal.clone(),
    )
    for layer in (poisoned.K, poisoned.cam2first, poisoned.depth, poisoned.normal):
        layer[2] = float("nan")
    for clean, same in zip(network(pictures), network(poisoned), strict=True):
        assert torch.equal(clean, same)


def test_a_picture_without_a_valid_pixel_equals_an_absent_one() -> None:
    pictures, network = random_input(0), encoder()
    pictures.depth[0], pictures.normal[0] = 0, 0
    absent = replace(pictures, given=torch.tensor([False, True, False]))
    rgb_only = GeometryInput.rgb_only(pictures.image_sample, pictures.size)
    for a, b, c in zip(network(pictures), network(absent), network(rgb_only), strict=True):
        assert torch.equal(a[0], b[0])
        assert torch.equal(a[0], c[0])
        assert torch.equal(a[0], a[2])
        assert not torch.allclose(a[0], a[1])


def test_an_absent_picture_is_the_same_token_everywhere() -> None:
    pictures = GeometryInput.rgb_only(torch.zeros(1, dtype=torch.int64), (64, 96))
    last = encoder()(pictures)[-1][0].flatten(0, 1)
    assert torch.allclose(last, last[:1].expand_as(last), atol=1e-5)


def test_metric_scale_is_seen_in_depth_alone() -> None:
    pictures, network = random_input(0), encoder()
    doubled = replace(pictures, depth=2 * pictures.depth)
    before, after = geometry_maps(pictures), geometry_maps(doubled)
    known = pictures.depth_known
    assert torch.allclose(
        (after - before)[..., 0][known],
        torch.tensor(2.0).log().expand(int(known.sum())),
        atol=1e-5,
    )
    assert torch.equal(before[..., 1:], after[..., 1:])
    assert not torch.allclose(network(pictures)[-1][0], network(doubled)[-1][0], atol=1e-3)


def test_maps_are_zero_where_unknown_and_unit_where_known() -> None:
    pictures = random_input(4)
    pictures.normal[0, :10] = 0
    maps = geometry_maps(pictures)
    assert not maps[2].any()
    assert not maps[0, :10, :, 2:6].any()
    assert not maps[..., :2][~pictures.depth_known].any()
    norms = maps[:2, ..., 6:].norm(dim=-1)
    assert torch.allclose(norms, torch.ones_like(norms), atol=1e-6)


def test_intrinsics_are_seen() -> None:
    pictures, network = random_input(0), encoder()
    zoomed = replace(pictures, K=pictures.K * torch.tensor([1.5, 1.5, 1.0])[:, None])
    assert not torch.allclose(network(pictures)[0][0], network(zoomed)[0][0], atol=1e-3)


def test_pictures_do_not_see_each_other() -> None:
    pictures, network = random_input(0), encoder()
    other = replace(pictures, depth=pictures.depth.clone())
    other.depth[1] *= 1.7
    for before, after in zip(network(pictures), network(other), strict=True):
        assert torch.equal(before[0], after[0])
        assert not torch.allclose(before[1], after[1], atol=1e-3)


@pytest.mark.parametrize("given", [True, False])
def test_every_parameter_takes_part_whatever_is_given(given: bool) -> None:
    # Ranks of a sharded model must all reduce the same gradients.
    pictures = replace(random_input(0), given=torch.full((3,), given))
    network = encoder()
    # The squares' sum of a layer norm's output is constant, its cubes' is not.
    sum(level.pow(3).sum() for level in network(pictures)).backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    assert all(gradient is not None for gradient in gradients.values())
    assert bool(gradients["embed.weight"].any()) == given
    assert bool(gradients["absent"].any()) == (not given)
    assert gradients["blocks.3.mlp.fc2.weight"].any()


def test_flops_are_those_that_torch_counts() -> None:
    pictures, network = random_input(0), encoder()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(pictures)
    assert network.forward_flops([2, 1], pictures.size) == counter.get_total_flops()


@pytest.mark.parametrize(
    ("depth", "levels", "taps"), [(4, 4, (0, 1, 2, 3)), (6, 4, (0, 2, 3, 5)), (6, 1, (5,))]
)
def test_taps_spread_to_the_last_block(depth: int, levels: int, taps: tuple[int, ...]) -> None:
    assert spread_taps(depth, levels) == taps


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "stereo"}, "kind is none, depth_normal or vggt, found 'stereo'"),
        ({"wdith": 3}, "unknown setting 'wdith'"),
        ({"width": 50, "heads": 4}, "multiple of heads"),
        ({"depth": 2}, "taps must be 3 rising block numbers"),
        ({"taps": [0, 1, 2]}, "the last block last"),
        ({"taps": [0, 3]}, "taps must be 3"),
        ({"depth": 0}, "depth must be positive"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_geometry_encoder({**SIZES, **settings}, levels=3, patch_size=PATCH)


def test_kind_none_is_no_encoder() -> None:
    assert build_geometry_encoder({"kind": "none"}, levels=3, patch_size=PATCH) is None
