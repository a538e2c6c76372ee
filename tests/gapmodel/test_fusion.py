from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gapdata.errors import ConfigError
from gapmodel.geometry.encoder import build_geometry_encoder
from gapmodel.geometry.fusion import GeometryFusion, build_fusion
from gapmodel.geometry.inputs import GeometryInput, TokenPositions, token_positions
from gapmodel.geometry.spatial_attention import picture_groups, rotate, spatial_rotation
from tests.gapmodel.test_geometry_input import PATCH, random_input

WIDTH, HIDDEN, LEVELS = 48, 40, 3
SAMPLES = torch.tensor([0, 1, 0, 1, 1, 2])  # of 2, 3 and 1 pictures, mixed
SIZE = (64, 96)


def fusion(*, trained: bool = True, **settings: Any) -> GeometryFusion:
    torch.manual_seed(0)
    built = build_fusion(
        {"width": 64, "heads": 2, **settings},
        hidden_size=HIDDEN,
        levels=LEVELS,
        geometry_width=WIDTH,
        patch_size=PATCH,
    )
    if trained:  # a residual as after some steps, so that what is added can be seen
        for level in built.levels:
            torch.nn.init.normal_(level.out.weight, std=0.3)
            torch.nn.init.normal_(level.gate.weight, std=0.3)
            # Sharp attention: a change of one key must show.
            for attention in (level.to_geometry, level.to_visual):
                attention.query_norm.weight.data.mul_(3)
    return built


def tokens(seed: int, pictures: int = 6) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda width: torch.randn(pictures, 2, 3, width, generator=generator)  # noqa: E731
    return (
        draw(HIDDEN),
        tuple(draw(HIDDEN) for _ in range(LEVELS - 1)),
        tuple(draw(WIDTH) for _ in range(LEVELS)),
    )


def scene(seed: int = 5) -> GeometryInput:
    """Six pictures of three samples, in mixed order, the last one's geometry not given."""
    return replace(random_input(seed, pictures=6, size=SIZE), image_sample=SAMPLES)


def picked(pictures: GeometryInput, rows: list[int]) -> GeometryInput:
    return replace(
        pictures,
        image_sample=pictures.image_sample[rows],
        given=pictures.given[rows],
        K=pictures.K[rows],
        cam2first=pictures.cam2first[rows],
        depth=pictures.depth[rows],
        normal=pictures.normal[rows],
    )


def run(
    network: GeometryFusion, pictures: GeometryInput, seed: int = 1, rows: Any = None
) -> Tensor:
    """All fused levels of some of the pictures, stacked."""
    visual, levels, geometry = tokens(seed)
    rows = list(range(6)) if rows is None else rows
    with torch.no_grad():
        fused, fused_levels = network(
            visual[rows],
            tuple(level[rows] for level in levels),
            tuple(level[rows] for level in geometry),
            picked(pictures, rows),
        )
    return torch.stack([*fused_levels, fused])


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_untrained_fusion_is_the_identity_bit_for_bit(across: bool, dtype: torch.dtype) -> None:
    network = fusion(trained=False, across_pictures=across).to(dtype)
    visual, levels, geometry = tokens(0)
    visual, levels = visual.to(dtype), tuple(level.to(dtype) for level in levels)
    fused, fused_levels = network(visual, levels, geometry, scene())
    assert fused.dtype == dtype
    assert torch.equal(fused, visual)
    assert all(torch.equal(a, b) for a, b in zip(fused_levels, levels, strict=True))


def test_gradient_goes_through_after_one_step() -> None:
    torch.manual_seed(0)
    pictures, network = scene(), fusion(trained=False)
    encoder = build_geometry_encoder(
        {"kind": "depth_normal", "width": WIDTH, "depth": 3, "heads": 2},
        levels=LEVELS,
        patch_size=PATCH,
    )
    assert encoder is not None
    visual, levels, _ = tokens(0)
    goal = torch.randn(visual.shape, generator=torch.Generator().manual_seed(9))
    parameters = {
        **dict(encoder.named_parameters(prefix="encoder")),
        **dict(network.named_parameters(prefix="fusion")),
    }
    optimiser = torch.optim.SGD(parameters.values(), lr=0.1)
    reached = []
    for _ in range(2):
        fused, fused_levels = network(visual, levels, encoder(pictures), pictures)
        loss = sum((grid - goal).square().mean() for grid in (fused, *fused_levels))
        optimiser.zero_grad()
        loss.backward()
        reached.append(
            {name for name, p in parameters.items() if p.grad is not None and p.grad.any()}
        )
        assert all(p.grad is not None for p in parameters.values())
        optimiser.step()
    assert reached[0] == {
        f"fusion.levels.{level}.out.{kind}"
        for level in range(LEVELS)
        for kind in ("weight", "bias")
    }
    # Adding to all keys alike leaves a softmax as it was, so that biases of normalised keys alone may see nothing.
    silent = {name for name in parameters if name not in reached[1]}
    assert all(name.endswith("key_norm.bias") for name in silent)
    fused, fused_levels = network(visual, levels, encoder(pictures), pictures)
    assert not torch.equal(fused, visual)
    assert not any(torch.equal(a, b) for a, b in zip(fused_levels, levels, strict=True))


@pytest.mark.parametrize("across", [True, False])
def test_samples_do_not_see_each_other(across: bool) -> None:
    network, pictures = fusion(across_pictures=across), scene()
    together = run(network, pictures)
    for rows in ([0, 2], [1, 3, 4], [5]):
        alone = run(network, pictures, rows=rows)
        assert torch.allclose(alone, together[:, rows], atol=1e-5)


@pytest.mark.parametrize("across", [True, False])
def test_order_of_pictures_does_not_matter(across: bool) -> None:
    network, pictures = fusion(across_pictures=across), scene()
    order = [5, 3, 2, 0, 4, 1]
    assert torch.allclose(
        run(network, pictures, rows=order), run(network, pictures)[:, order], atol=1e-5
    )


@pytest.mark.parametrize("across", [True, False])
def test_pictures_of_a_sample_see_each_other_when_told_to(across: bool) -> None:
    network, pictures = fusion(across_pictures=across), scene()
    alone, together = run(network, pictures, rows=[0]), run(network, pictures)[:, [0]]
    assert torch.allclose(alone, together, atol=1e-5) == (not across)


def moved(pictures: GeometryInput, seed: int) -> GeometryInput:
    """The same scene with cam2first computed from poses in another world."""
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64)).Q
    world = torch.eye(4, dtype=torch.float64)
    world[:3, :3] = rotation * torch.linalg.det(rotation)
    world[:3, 3] = 10 * torch.randn(3, generator=generator, dtype=torch.float64)
    cam2world = world @ pictures.cam2first.double()
    first = {int(s): int((pictures.image_sample == s).nonzero()[0]) for s in pictures.image_sample}
    reference = cam2world[[first[int(s)] for s in pictures.image_sample]]
    return replace(pictures, cam2first=(reference.inverse() @ cam2world).float())


def test_moving_the_world_changes_nothing() -> None:
    network = fusion(across_pictures=True)
    here, there = moved(scene(), 1), moved(scene(), 2)
    assert torch.allclose(run(network, here), run(network, there), atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "matters"),
    [
        ({"across_pictures": True}, True),
        ({"across_pictures": False}, False),
        ({"across_pictures": True, "position": "none"}, False),
    ],
)
def test_relative_pose_matters_only_where_it_should(
    settings: dict[str, Any], matters: bool
) -> None:
    network, pictures = fusion(**settings), scene()
    shifted = replace(pictures, cam2first=pictures.cam2first.clone())
    shifted.cam2first[2, 0, 3] += 1.0
    shifted.cam2first[2, :3, :3] = shifted.cam2first[2, :3, :3].flip(0, 1)  # another rotation
    before, after = run(network, pictures), run(network, shifted)
    assert (not torch.allclose(before[:, [0, 2]], after[:, [0, 2]], atol=1e-4)) == matters
    assert torch.equal(before[:, [1, 3, 4, 5]], after[:, [1, 3, 4, 5]])


def test_only_differences_of_points_matter() -> None:
    network, pictures = fusion(across_pictures=True), scene()
    shifted = replace(pictures, cam2first=pictures.cam2first.clone())
    shifted.cam2first[:, :3, 3] += torch.tensor([0.7, -1.1, 2.0])
    assert torch.allclose(run(network, pictures), run(network, shifted), atol=1e-4)


def test_nothing_of_a_picture_that_is_not_given_is_used() -> None:
    network, pictures = fusion(across_pictures=True), scene()
    pictures = replace(pictures, given=torch.tensor([True, True, True, False, True, True]))
    poisoned = replace(
        pictures,
        K=pictures.K.clone(),
        cam2first=pictures.cam2first.clone(),
        depth=pictures.depth.clone(),
    )
    for layer in (poisoned.K, poisoned.cam2first, poisoned.depth):
        layer[3] = float("nan")
    assert torch.equal(run(network, pictures), run(network, poisoned))


def test_depth_moves_a_token_even_when_its_features_do_not() -> None:
    network, pictures = fusion(), scene()
    deeper = replace(pictures, depth=pictures.depth.clone())
    deeper.depth[0, :PATCH, :PATCH] += 1.0
    before, after = run(network, pictures), run(network, deeper)
    assert not torch.allclose(before[:, 0], after[:, 0], atol=1e-4)
    assert torch.equal(before[:, 1:], after[:, 1:])


def positions_at(point: Tensor, known: Tensor | None = None) -> TokenPositions:
    ray = torch.nn.functional.normalize(point + 0.1, dim=-1)
    everywhere = torch.ones(point.shape[:-1], dtype=torch.bool)
    return TokenPositions(
        point=point,
        point_known=everywhere if known is None else known,
        ray=ray,
        ray_known=everywhere,
    )


def scores(positions: TokenPositions, q: Tensor, k: Tensor) -> Tensor:
    rotation = spatial_rotation(positions, q.shape[-1])
    return rotate(q, rotation) @ rotate(k, rotation).transpose(-1, -2)


@pytest.mark.parametrize("head_dim", [16, 32, 64])
def test_scores_are_those_of_complex_numbers_at_the_difference_of_positions(head_dim: int) -> None:
    generator = torch.Generator().manual_seed(head_dim)
    point = 3 * torch.randn(1, 1, 5, 3, generator=generator)
    q, k = (torch.randn(1, 5, head_dim, generator=generator) for _ in range(2))
    positions = positions_at(point)
    found = scores(positions, q, k)[0]
    waves = head_dim // 16
    lengths = [16.0] if waves == 1 else [16 * (0.5 / 16) ** (i / (waves - 1)) for i in range(waves)]
    ray_waves = max(1, head_dim // 32)
    ray_lengths = [4.0] if ray_waves == 1 else [4.0, 1.0]
    pairs = torch.complex(q[0, :, : head_dim // 2], q[0, :, head_dim // 2 :])
    keys = torch.complex(k[0, :, : head_dim // 2], k[0, :, head_dim // 2 :])
    for a in range(5):
        for b in range(5):
            angles = []
            for places, wavelengths in (
                (positions.point, lengths),
                (positions.ray, ray_lengths),
            ):
                difference = places[0, 0, a] - places[0, 0, b]
                angles += [
                    2 * math.pi * float(d) / length for d in difference for length in wavelengths
                ]
            angles += [0.0] * (head_dim // 2 - len(angles))
            turned = pairs[a] * keys[b].conj() * torch.exp(1j * torch.tensor(angles))
            assert float(found[a, b]) == pytest.approx(float(turned.real.sum()), abs=2e-3)


def test_shifting_all_points_leaves_the_scores() -> None:
    generator = torch.Generator().manual_seed(0)
    point = torch.randn(1, 1, 6, 3, generator=generator)
    q, k = (torch.randn(1, 6, 64, generator=generator) for _ in range(2))
    here = positions_at(point)
    there = replace(here, point=point + torch.tensor([2.0, -1.0, 0.5]))
    assert torch.allclose(scores(here, q, k), scores(there, q, k), atol=1e-4)
    turned = replace(here, point=point.flip(-1))
    assert not torch.allclose(scores(here, q, k), scores(turned, q, k), atol=1e-1)


def test_unknown_points_drop_out_of_the_scores() -> None:
    generator = torch.Generator().manual_seed(0)
    point = torch.randn(1, 1, 4, 3, generator=generator)
    q, k = (torch.randn(1, 4, 32, generator=generator) for _ in range(2))
    known = torch.tensor([[[True, True, False, True]]])
    found = scores(positions_at(point, known), q, k)
    full = scores(positions_at(point), q, k)
    pair = [channel for channel in range(32) if channel % 16 < 6]  # 2 waves on 3 axes, both halves
    q_rest, k_rest = q.clone(), k.clone()
    q_rest[..., pair], k_rest[..., pair] = 0, 0
    rest = scores(positions_at(point), q_rest, k_rest)
    assert torch.allclose(found[0, 2], rest[0, 2], atol=1e-5)
    assert torch.allclose(found[0, :, 2], rest[0, :, 2], atol=1e-5)
    assert torch.equal(found[0, [0, 1]][:, [0, 1, 3]], full[0, [0, 1]][:, [0, 1, 3]])


def test_gathered_groups_hold_each_picture_once() -> None:
    groups = picture_groups(SAMPLES, across_pictures=True)
    assert groups.picture.shape == (3, 3)
    assert groups.real is not None
    assert sorted(groups.picture[groups.real].tolist()) == list(range(6))
    x = torch.randn(6, 4, 5)
    assert torch.equal(groups.scatter(groups.gather(x), 4), x)
    even = picture_groups(torch.tensor([3, 1, 3, 1]), across_pictures=True)
    assert even.real is None
    assert even.picture.tolist() == [[0, 2], [1, 3]]


def test_flops_are_those_that_torch_counts() -> None:
    network = fusion(across_pictures=True)
    pictures = replace(scene(), image_sample=torch.tensor([0, 0, 0, 1, 1, 1]))
    visual, levels, geometry = tokens(0)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(visual, levels, geometry, pictures)
    turning = token_flops(pictures)
    assert network.forward_flops([3, 3], SIZE) == counter.get_total_flops() - turning


def token_flops(pictures: GeometryInput) -> int:
    with FlopCounterMode(display=False) as counter:
        token_positions(pictures, PATCH, in_first_camera=True)
    return counter.get_total_flops()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 40}, "multiple of 16"),
        ({"heads": 0}, "multiple of 16"),
        ({"position": "alibi"}, "position is points or none"),
        ({"gate": 1}, "unknown setting 'gate'"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fusion(**settings)
