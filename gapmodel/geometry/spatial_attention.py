"""Attention among the pictures of a sample that knows where in space the tokens lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.geometry.inputs import TokenPositions

# The longest and shortest wavelength of the rotations: of a point's coordinates in metres, of a unit ray's.
POINT_WAVELENGTHS = (16.0, 0.5)
RAY_WAVELENGTHS = (4.0, 1.0)  # a ray's coordinates differ by at most 2: half a turn


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Groups:
    """Which pictures attend to each other: S groups of up to M pictures."""

    picture: Int64[Tensor, "S M"]  # a group's pictures, filled up with any picture
    real: Bool[Tensor, "S M"] | None  # None when all groups are full
    place: Int64[Tensor, " I"]  # each picture's place in the flattened groups

    def gather(self, x_INC: Float[Tensor, "I N C"]) -> Float[Tensor, "S T C"]:
        """The tokens of each group's pictures, one after the other."""
        return x_INC[self.picture].flatten(1, 2)

    def scatter(self, x_STC: Float[Tensor, "S T C"], tokens: int) -> Float[Tensor, "I N C"]:
        """The inverse of `gather`."""
        return x_STC.unflatten(1, (-1, tokens)).flatten(0, 1)[self.place]

    def mask(self, tokens: int) -> Bool[Tensor, "S 1 1 T"] | None:
        """Which keys of a group are real, None when all are."""
        if self.real is None:
            return None
        return self.real.repeat_interleave(tokens, dim=1)[:, None, None, :]


def picture_groups(image_sample: Int64[Tensor, " I"], *, across_pictures: bool) -> Groups:
    """Pictures grouped by sample, or each by itself. Reads the samples on the host once."""
    device = image_sample.device
    if not across_pictures:
        each = torch.arange(len(image_sample), device=device)
        return Groups(picture=each[:, None], real=None, place=each)
    members: dict[int, list[int]] = {}
    for picture, sample in enumerate(image_sample.tolist()):
        members.setdefault(sample, []).append(picture)
    longest = max(map(len, members.values()))
    place = [0] * len(image_sample)
    for row, group in enumerate(members.values()):
        for column, picture in enumerate(group):
            place[picture] = row * longest + column
    filled = [group + group[:1] * (longest - len(group)) for group in members.values()]
    real = [[column < len(group) for column in range(longest)] for group in members.values()]
    is_full = all(map(all, real))
    return Groups(
        picture=torch.tensor(filled, device=device),
        real=None if is_full else torch.tensor(real, device=device),
        place=torch.tensor(place, device=device),
    )


def spatial_rotation(
    positions: TokenPositions, head_dim: int
) -> tuple[Float[Tensor, "I N d"], Float[Tensor, "I N d"]]:
    """Cosine and sine that turn a head's channel pairs (i, i + head_dim / 2) by the token's place in space.

    Rotary encoding of continuous 3D points: channel pairs of each axis turn by 2 pi * coordinate / wavelength, so
    that a score depends on the difference of two positions only (RoFormer, Su et al. 2021; for points in 3D
    Lepard, Li and Harada, CVPR 2022, and Act3D, Gervet et al., CoRL 2023). Compared with an additive
    distance bias it needs no tokens x tokens table and runs in every fused attention kernel. Pairs of
    points come first, then pairs of rays, then pairs that never turn. Where a token's point (or ray) is not known,
    cosine and sine are 0: its pairs drop out of the scores rather than pretend to stand at the origin.
    """
    point = _turned(positions.point, POINT_WAVELENGTHS, head_dim // 16)
    ray = _turned(positions.ray, RAY_WAVELENGTHS, max(1, head_dim // 32))
    known = torch.cat(
        [
            positions.point_known[..., None].expand(point.shape),
            positions.ray_known[..., None].expand(ray.shape),
        ],
        dim=-1,
    )
    angle = torch.cat([point, ray], dim=-1)
    still = head_dim // 2 - angle.shape[-1]
    cosine = functional.pad(torch.where(known, angle.cos(), 0.0), (0, still), value=1.0)
    sine = functional.pad(torch.where(known, angle.sin(), 0.0), (0, still))
    cosine, sine = torch.cat([cosine, cosine], dim=-1), torch.cat([sine, sine], dim=-1)
    return cosine.flatten(1, 2), sine.flatten(1, 2)


def _turned(
    xyz: Float[Tensor, "I h w 3"], wavelengths: tuple[float, float], count: int
) -> Float[Tensor, "I h w n"]:
    longest, shortest = wavelengths
    steps = torch.linspace(0, 1, count, device=xyz.device)
    rate = 2 * torch.pi / (longest * (shortest / longest) ** steps)
    return (xyz[..., None] * rate).flatten(-2)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Space:
    """What attention of every level needs: groups, their key mask and their rotation."""

    groups: Groups
    mask: Bool[Tensor, "S 1 1 T"] | None
    rotation: tuple[Float[Tensor, "S 1 T d"], Float[Tensor, "S 1 T d"]] | None


class SpatialAttention(nn.Module):
    """Attention of one kind of token to another within groups of pictures."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.query_norm = nn.LayerNorm(width // heads)
        self.key_norm = nn.LayerNorm(width // heads)
        self.out = nn.Linear(width, width)

    def forward(
        self, x_INC: Float[Tensor, "I N C"], other_INC: Float[Tensor, "I N C"], space: Space
    ) -> Float[Tensor, "I N C"]:
        """What each token of `x` gathers from the other kind's tokens of its group."""

        def split(tokens_INC: Tensor) -> Tensor:
            grouped = space.groups.gather(tokens_INC)
            return grouped.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        key_INC, value_INC = self.key_value(other_INC).chunk(2, dim=-1)
        q, k, v = split(self.query(x_INC)), split(key_INC), split(value_INC)
        q, k = self.query_norm(q), self.key_norm(k)
        if space.rotation is not None:
            q, k = rotate(q, space.rotation), rotate(k, space.rotation)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=space.mask)
        mixed_STC = mixed.transpose(1, 2).flatten(2)
        return self.out(space.groups.scatter(mixed_STC, x_INC.shape[1]))


def rotate(
    x: Float[Tensor, "... d"], rotation: tuple[Float[Tensor, "... d"], Float[Tensor, "... d"]]
) -> Float[Tensor, "... d"]:
    """Queries or keys turned by `spatial_rotation`."""
    cosine, sine = rotation
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return x * cosine.to(x.dtype) + turned * sine.to(x.dtype)
