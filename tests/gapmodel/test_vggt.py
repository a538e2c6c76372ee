from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gapdata.errors import ConfigError
from gapmodel.geometry.encoder import build_geometry_encoder
from gapmodel.geometry.fusion import build_fusion
from gapmodel.geometry.grids import resample
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.geometry.vggt import VggtAggregator, VggtSettings, network_size, vggt_features
from gapmodel.geometry.vggt_encoder import VggtEncoder
from gapmodel.geometry.vggt_weights import load_vggt, vggt_identity
from gapmodel.geometry.vit import Attention, Block, axial_rotation, grid_positions, rotate_axially
from gapmodel.model import GapModel
from gapmodel.presets import build_model
from tests.gapmodel.batches import example_config

TINY = {
    "width": 32, "heads": 2, "depth": 4, "backbone_depth": 1, "registers": 2, "taps": [1, 2, 3],
    "trained_grid": 4, "picture_width": 56,
}  # fmt: skip
SAMPLES = torch.tensor([0, 1, 0, 1, 1])
SIZE = (64, 96)

# The published checkpoint's aggregator: name with N for each of 24 layers -> shape.
BLOCK = {
    "norm1.weight": (1024,), "norm1.bias": (1024,), "norm2.weight": (1024,), "norm2.bias": (1024,),
    "attn.qkv.weight": (3072, 1024), "attn.qkv.bias": (3072,),
    "attn.proj.weight": (1024, 1024), "attn.proj.bias": (1024,),
    "ls1.gamma": (1024,), "ls2.gamma": (1024,),
    "mlp.fc1.weight": (4096, 1024), "mlp.fc1.bias": (4096,),
    "mlp.fc2.weight": (1024, 4096), "mlp.fc2.bias": (1024,),
}  # fmt: skip
HEAD_NORMS = {f"attn.{name}_norm.{kind}": (64,) for name in "qk" for kind in ("weight", "bias")}
SINGLE = {
    "camera_token": (1, 2, 1, 1024), "register_token": (1, 2, 4, 1024),
    "patch_embed.cls_token": (1, 1, 1024), "patch_embed.pos_embed": (1, 1370, 1024),
    "patch_embed.register_tokens": (1, 4, 1024), "patch_embed.mask_token": (1, 1024),
    "patch_embed.patch_embed.proj.weight": (1024, 3, 14, 14),
    "patch_embed.patch_embed.proj.bias": (1024,),
    "patch_embed.norm.weight": (1024,), "patch_embed.norm.bias": (1024,),
}  # fmt: skip


def published_layout() -> dict[str, tuple[int, ...]]:
    layout = dict(SINGLE)
    for number in range(24):
        layout |= {f"patch_embed.blocks.{number}.{name}": shape for name, shape in BLOCK.items()}
        for kind in ("frame", "global"):
            layout |= {
                f"{kind}_blocks.{number}.{name}": shape
                for name, shape in (BLOCK | HEAD_NORMS).items()
            }
    return layout


def network(seed: int = 0) -> VggtAggregator:
    """A tiny network in which everything matters: large layer scales and special tokens."""
    torch.manual_seed(seed)
    aggregator = VggtAggregator(VggtSettings(**(TINY | {"taps": (1, 2, 3)})))
    for name, parameter in aggregator.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.constant_(parameter, 0.5)
        if "token" in name:
            torch.nn.init.normal_(parameter)
    return aggregator.requires_grad_(False)


def pictures(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (len(SAMPLES), *SIZE, 3), generator=generator, dtype=torch.uint8)


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        state = VggtAggregator(VggtSettings()).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == published_layout()
    assert sum(tensor.numel() for tensor in state.values()) == 909_112_320


def test_norms_have_the_published_epsilons() -> None:
    aggregator = network()
    for blocks, epsilon in (
        (aggregator.patch_embed.blocks, 1e-6),
        (aggregator.global_blocks, 1e-5),
    ):
        assert {blocks[0].norm1.eps, blocks[0].norm2.eps} == {epsilon}
    assert aggregator.patch_embed.norm.eps == 1e-6


def test_pictures_are_resized_to_whole_patches() -> None:
    assert network_size(VggtSettings(), (336, 448)) == (392, 518)  # 388.5 -> 28 patches
    assert network_size(VggtSettings(), (480, 640)) == (392, 518)
    assert network_size(VggtSettings(), (518, 518)) == (518, 518)


def test_axial_rotation_is_a_turn_of_complex_numbers() -> None:
    positions = torch.tensor([[0, 0], [3, 5], [7, 2]])
    x = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    turned = rotate_axially(x, axial_rotation(positions, 16))
    for token in range(3):
        for axis in range(2):
            part = x[token, 8 * axis : 8 * axis + 8]
            angle = positions[token, axis] * 100.0 ** -(torch.arange(4) / 4)
            expected = torch.complex(part[:4], part[4:]) * torch.exp(1j * angle)
            found = turned[token, 8 * axis : 8 * axis + 8]
            assert torch.allclose(torch.complex(found[:4], found[4:]), expected, atol=1e-5)


def test_attention_depends_on_relative_rows_and_columns_only() -> None:
    torch.manual_seed(0)
    attention = Attention(32, 2, normalise=True)
    attention.q_norm.weight.data.mul_(4)  # sharp, so that positions show
    x = torch.randn(2, 12, 32)
    grid = grid_positions(3, 4, x.device)
    here = attention(x, axial_rotation(grid, 16))
    moved = attention(x, axial_rotation(grid + torch.tensor([5, 2]), 16))
    flipped = attention(x, axial_rotation(grid.flip(-1), 16))
    assert torch.allclose(here, moved, atol=1e-4)
    assert not torch.allclose(here, flipped, atol=1e-3)


def test_block_equals_its_formula() -> None:
    torch.manual_seed(0)
    block = Block(16, 2, layer_scale=0.3, normalise=False)
    x = torch.randn(1, 5, 16)
    y = block.norm1(x)
    q, k, v = (
        part.unflatten(-1, (2, 8)).transpose(1, 2) for part in block.attn.qkv(y).chunk(3, -1)
    )
    mixed = ((q @ k.transpose(-1, -2)) / 8**0.5).softmax(-1) @ v
    expected = x + 0.3 * block.attn.proj(mixed.transpose(1, 2).flatten(2))
    hidden = torch.nn.functional.gelu(block.mlp.fc1(block.norm2(expected)))
    expected = expected + 0.3 * block.mlp.fc2(hidden)
    assert torch.allclose(block(x), expected, atol=1e-5)


def test_levels_are_frame_and_global_features_of_the_tapped_layers() -> None:
    aggregator, images = network(), torch.rand(1, 2, 3, 28, 56)
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: seen.__setitem__(name, output)

    for kind, blocks in (("frame", aggregator.frame_blocks), ("global", aggregator.global_blocks)):
        blocks[2].register_forward_hook(keep(kind))
    features = aggregator(images)
    assert features.shape == (1, 2, 3, 2, 4, 64)
    special = 1 + 2
    frame = seen["frame"].view(1, 2, special + 8, 32)[:, :, special:].view(1, 2, 2, 4, 32)
    across = seen["global"].view(1, 2, special + 8, 32)[:, :, special:].view(1, 2, 2, 4, 32)
    assert torch.equal(features[:, :, 1], torch.cat([frame, across], dim=-1))


def test_patches_and_special_tokens_stand_where_they_should() -> None:
    aggregator, images = network(), torch.rand(1, 2, 3, 28, 56)
    given_: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _module, inputs: given_.__setitem__(name, inputs)

    aggregator.patch_embed.register_forward_pre_hook(keep("pictures"))
    aggregator.frame_blocks[0].register_forward_pre_hook(keep("frame"))
    aggregator.global_blocks[0].register_forward_pre_hook(keep("global"))
    aggregator(images)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (images[0].movedim(1, -1) - mean) / std
    assert torch.allclose(given_["pictures"][0].movedim(1, -1), expected, atol=1e-6)
    # A camera and two register tokens at (0, 0), then patches from (1, 1) on, row by row.
    places = [(0, 0)] * 3 + [(row, column) for row in (1, 2) for column in (1, 2, 3, 4)]
    cosine, sine = axial_rotation(torch.tensor(places), 16)
    x, (found_cosine, found_sine) = given_["frame"]
    assert torch.equal(found_cosine, cosine)
    assert torch.equal(found_sine, sine)
    tokens = torch.cat([aggregator.camera_token, aggregator.register_token], dim=2)[0]
    assert torch.equal(x[:, :3], tokens)  # the first picture's, then the others'
    x, (found_cosine, found_sine) = given_["global"]
    assert x.shape[:2] == (1, 22)
    assert torch.equal(found_cosine, cosine.repeat(2, 1))
    assert torch.equal(found_sine, sine.repeat(2, 1))


def test_layers_behind_the_last_tap_do_not_run() -> None:
    aggregator = network()
    short = VggtAggregator(VggtSettings(**(TINY | {"taps": (1,)})))
    short.load_state_dict(aggregator.state_dict())
    for block in (*short.frame_blocks[2:], *short.global_blocks[2:]):
        for parameter in block.parameters():
            parameter.data.fill_(float("nan"))
    images = torch.rand(1, 2, 3, 28, 56)
    assert torch.equal(short(images)[:, :, 0], aggregator(images)[:, :, 0])


def test_samples_do_not_see_each_other() -> None:
    aggregator, images = network(), pictures()
    together = vggt_features(aggregator, images, SAMPLES)
    for sample in (0, 1):
        rows = (sample == SAMPLES).nonzero()[:, 0]
        alone = vggt_features(aggregator, images[rows], SAMPLES[rows])
        assert torch.allclose(alone, together[rows], atol=1e-5)


def test_only_the_first_picture_is_special() -> None:
    aggregator, images = network(), pictures()
    rows, one = [1, 3, 4], torch.zeros(3, dtype=torch.int64)
    base = vggt_features(aggregator, images[rows], one)
    later_swapped = vggt_features(aggregator, images[[1, 4, 3]], one)
    assert torch.allclose(base[[0, 2, 1]], later_swapped, atol=1e-4)
    first_swapped = vggt_features(aggregator, images[[3, 1, 4]], one)
    assert not torch.allclose(base[[1, 0, 2]], first_swapped, atol=1e-2)
    other_company = vggt_features(aggregator, images[[1, 3, 2]], one)
    assert not torch.allclose(base[0], other_company[0], atol=1e-3)


def encoder(levels: int = 3, **settings: Any) -> VggtEncoder:
    built = build_geometry_encoder(
        {"kind": "vggt", **TINY, **settings}, levels=levels, patch_size=32
    )
    assert isinstance(built, VggtEncoder)
    if settings.get("source") != "cache":
        built.aggregator.load_state_dict(network().state_dict())
    return built


def given(images: Tensor | None, **fields: Any) -> GeometryInput:
    return replace(GeometryInput.rgb_only(SAMPLES, SIZE, images=images), **fields)


def test_cached_features_equal_the_online_ones() -> None:
    images = pictures()
    online = encoder()
    cached = encoder(source="cache")
    cached.absent.data.copy_(online.absent)
    features = vggt_features(network(), images, SAMPLES)
    found = cached(given(None, features=features))
    assert all(torch.equal(a, b) for a, b in zip(online(given(images)), found, strict=True))
    assert [tuple(level.shape) for level in found] == [(5, 2, 3, 64)] * 3
    assert torch.equal(found[2], resample(features[:, 2], (2, 3)))


def test_absent_pictures_have_their_levels_token_and_the_network_is_frozen() -> None:
    network_, present = encoder(), torch.tensor([True, False, True, True, False])
    network_.train()
    levels = network_(given(pictures(), given=present))
    for level, absent in zip(levels, network_.absent, strict=True):
        assert torch.equal(level[~present], absent.expand(2, 2, 3, 64))
        assert not torch.isclose(level[present], absent).all()
    sum(level.sum() for level in levels).backward()
    uncached = encoder(source="cache")
    for level, absent in zip(uncached(given(None)), uncached.absent, strict=True):
        assert torch.equal(level, absent.expand(5, 2, 3, 64))
    with_gradient = {name for name, p in network_.named_parameters() if p.grad is not None}
    assert with_gradient == {"absent"}
    assert {name for name, p in network_.named_parameters() if p.requires_grad} == {"absent"}


def test_features_reach_the_visual_tokens_through_the_fusion() -> None:
    torch.manual_seed(0)
    source = encoder()
    fusion = build_fusion(
        {"width": 32, "heads": 2},
        hidden_size=24,
        levels=3,
        geometry_width=source.width,
        patch_size=32,
    )
    for level in fusion.levels:
        torch.nn.init.normal_(level.out.weight)
    visual = torch.randn(5, 2, 3, 24)
    levels = (visual, visual)
    here, there = given(pictures(0)), given(pictures(1))
    first, _ = fusion(visual, levels, source(here), here)
    second, _ = fusion(visual, levels, source(there), there)
    assert not torch.allclose(first, second, atol=1e-3)


def test_flops_are_those_that_torch_counts() -> None:
    source = encoder()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        source(given(pictures()))
    assert source.forward_flops([2, 3], SIZE) == counter.get_total_flops()
    assert encoder(source="cache").forward_flops([2, 3], SIZE) == 0


@pytest.mark.parametrize("form", ["whole model", "aggregator", "safetensors", "wrapped"])
def test_checkpoints_load_by_name(form: str, tmp_path: Path) -> None:
    source, target = network(1), network(2)
    state = source.state_dict()
    if form != "aggregator":
        state = {f"aggregator.{name}": tensor for name, tensor in state.items()}
        state["camera_head.trunk.0.norm1.weight"] = torch.zeros(3)
    path = tmp_path / ("model.safetensors" if form == "safetensors" else "model.pt")
    if form == "safetensors":
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    else:
        torch.save({"model": state} if form == "wrapped" else state, path)
    load_vggt(target, str(path))
    assert all(
        torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: s.pop("camera_token"), "aggregator.camera_token is missing"),
        (
            lambda s: s.update(camera_token=torch.zeros(2)),
            r"camera_token: expected shape \(1, 2, 1, 32\)",
        ),
        (lambda s: s.update(extra=torch.zeros(2)), "aggregator.extra: no such parameter"),
    ],
)
def test_other_checkpoints_are_refused(damage: Any, message: str, tmp_path: Path) -> None:
    target = network(2)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    state = dict(network(1).state_dict())
    damage(state)
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match=message):
        load_vggt(target, str(tmp_path / "model.pt"))
    assert all(torch.equal(before[name], t) for name, t in target.state_dict().items())


@pytest.mark.parametrize("content", [None, b"not a checkpoint"])
@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_unreadable_checkpoints_are_refused(
    content: bytes | None, name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read as a checkpoint"):
        load_vggt(network(), str(path))


def test_named_weights_must_be_loaded_first(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(network(7).state_dict(), path)
    source = encoder(weights=str(path))
    with pytest.raises(ConfigError, match="were not loaded"):
        source(given(pictures()))
    source.load_weights()
    expected = vggt_features(network(7), pictures(), SAMPLES)
    assert torch.equal(source(given(pictures()))[0], resample(expected[:, 0], (2, 3)))


def test_weights_of_others_are_not_saved_with_a_model(tmp_path: Path) -> None:
    path = tmp_path / "vggt.pt"
    torch.save(network(7).state_dict(), path)
    geometry = {"kind": "vggt", **TINY, "weights": str(path)}
    model = build_model(example_config(geometry=geometry, fusion={"width": 32, "heads": 2}))
    model.geometry_encoder.load_weights()
    model.save_pretrained(tmp_path / "model")
    saved = load_file(tmp_path / "model" / "model.safetensors")
    assert "geometry_encoder.absent" in saved
    assert not [name for name in saved if "aggregator" in name]
    again = GapModel.from_pretrained(tmp_path / "model")
    with pytest.raises(ConfigError, match="were not loaded"):
        again.encode(pictures())
    again.geometry_encoder.load_weights()
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_missing_inputs_are_named() -> None:
    with pytest.raises(ConfigError, match="needs the pictures"):
        encoder()(given(None))
    with pytest.raises(ConfigError, match=r"expected cached features of \(3, 64\)"):
        encoder(source="cache")(given(pictures(), features=torch.zeros(5, 3, 2, 2, 32)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "web"}, "source is online or cache"),
        ({"taps": [1, 4]}, "taps must be rising layer numbers below 4"),
        ({"width": 36}, "multiple of 4 \\* heads"),
        ({"picture_width": 50}, "multiple of the patch"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder(**settings)


def test_identity_follows_the_weights_and_the_taps() -> None:
    one, same, other = (
        vggt_identity(network(1)),
        vggt_identity(network(1)),
        vggt_identity(network(2)),
    )
    assert one.digest() == same.digest() != other.digest()
    tapped = VggtAggregator(VggtSettings(**(TINY | {"taps": (3,)})))
    tapped.load_state_dict(network(1).state_dict())
    assert vggt_identity(tapped).weights == one.weights
    assert vggt_identity(tapped).digest() != one.digest()
