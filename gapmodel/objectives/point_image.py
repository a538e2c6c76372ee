"""Points and pictures: the feature of a 3D point against the image feature at its projections.

Legend: P points, R rows (a point in a picture that shows it), N rows taken, S points of support, C channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor, nn

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.contrast import Pairs, Temperature, similarities
from gapmodel.objectives.objective import Loss, Objective
from gapmodel.objectives.tokens import TokenGrid, mlp, split_tokens
from gapmodel.settings import require

LONGEST_WAVE, OCTAVES = 16.0, 8  # metres: from the length of a large room to 12.5 cm
NEIGHBOURHOOD = 0.5  # metres that one unit of an offset to a neighbour stands for


class PointImage(Objective):
    """Symmetric InfoNCE over the rows: each visible projection of a point against the points of all other rows.

    The point's side sees geometry only: where the point lies in the first picture's frame and how its neighbours
    lie around it. So the picture's side has to tell position and local shape. Points of one scene closer than
    `radius` (metres) are no negatives of each other; those of other scenes are negatives at any distance.
    """

    needs = frozenset({"points"})

    def __init__(
        self,
        hidden_size: int,
        levels: int,
        width: int = 128,
        radius: float = 0.1,
        neighbours: int = 16,
        most_rows: int = 1024,
    ) -> None:
        super().__init__()
        require(
            radius > 0, "config.heads: point_image", f"expected a radius above 0, found {radius}"
        )
        self.radius, self.most_rows = radius, most_rows
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        self.pixel = mlp(width, 2 * width, width)
        self.points = PointEncoder(width, neighbours, most_rows)
        self.temperature = Temperature()

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over the rows, evenly chosen of more than `most_rows`."""
        pairs = self.compare(features, batch)
        found = pairs.contrast()
        return Loss(
            value=found.loss,
            count=found.count,
            metrics={
                "pixel_to_point": found.forward_accuracy,
                "point_to_pixel": found.backward_accuracy,
                "temperature": pairs.temperature,
            },
        )

    def compare(self, features: Features, batch: Batch) -> Pairs:
        """Rows' pixels against their points."""
        assert batch.point_sample is not None
        assert batch.point_first is not None
        assert batch.seen_point is not None
        assert batch.seen_image is not None
        assert batch.seen_pixel is not None
        taken = spread(len(batch.seen_point), self.most_rows, batch.seen_point.device)
        point, image = batch.seen_point[taken], batch.seen_image[taken]
        height, width = batch.images.shape[1:3]
        cells = split_tokens(self.tokens(features))
        size = cells.new_tensor((width, height), dtype=torch.float32)
        of_pixel = self.pixel(sample_bilinear(cells, image, batch.seen_pixel[taken], size))
        # With more rows than points each point is encoded once, with fewer only those that a row shows.
        every = torch.arange(len(batch.point_first), device=point.device)
        asked, of_row = (every, point) if len(every) < len(point) else (point, every[: len(point)])
        of_point = self.points(batch.point_first, batch.point_sample, asked, cells.dtype)[of_row]
        scale = self.temperature()
        logits = similarities(of_pixel, of_point, scale)

        place, sample = batch.point_first[point], batch.point_sample[point]
        apart = (distances(place, place) >= self.radius) | (sample[:, None] != sample)
        return Pairs(
            logits=logits,
            forward_negative=apart,
            backward_negative=apart,
            valid=torch.ones_like(point, dtype=torch.bool),
            temperature=1.0 / scale.detach()[0],
        )


class PointEncoder(nn.Module):
    """The feature of points from their coordinates and the way their nearest neighbours lie around them."""

    def __init__(self, width: int, neighbours: int, most_support: int) -> None:
        super().__init__()
        self.neighbours, self.most_support = neighbours, most_support
        self.place = mlp(3 + 6 * OCTAVES, 2 * width, width)
        self.around = mlp(3, width, width)
        self.out = mlp(2 * width, 2 * width, width)

    def forward(
        self,
        xyz: Float32[Tensor, "P 3"],
        sample: Int64[Tensor, " P"],
        asked: Int64[Tensor, " N"],
        dtype: torch.dtype,
    ) -> Float[Tensor, "N C"]:
        """Features of the points `asked` (rows of xyz) from them and their neighbours in the same sample, in `dtype`."""
        centre = xyz[asked]
        offsets, there = self._neighbours(xyz, sample, asked)
        around = self.around((offsets / NEIGHBOURHOOD).to(dtype))
        shape = torch.where(there[..., None], around, 0.0).sum(dim=1)
        shape = shape / there.sum(dim=1, keepdim=True).clamp(min=1).to(dtype)
        return self.out(torch.cat([self.place(waves(centre).to(dtype)), shape], dim=-1))

    def _neighbours(
        self, xyz: Tensor, sample: Tensor, asked: Tensor
    ) -> tuple[Float32[Tensor, "N k 3"], Bool[Tensor, "N k"]]:
        """Offsets in metres to the nearest points of an even choice of all points, and which of them are there."""
        support = spread(len(xyz), self.most_support, xyz.device)
        far = distances(xyz[asked], xyz[support])
        far = torch.where(sample[asked][:, None] == sample[support], far, torch.inf)
        distance, nearest = far.topk(min(self.neighbours, len(support)), dim=1, largest=False)
        return xyz[support][nearest] - xyz[asked][:, None], distance.isfinite()


def waves(xyz: Float32[Tensor, "*n 3"]) -> Float32[Tensor, "*n F"]:
    """Coordinates and their sines and cosines at wavelengths of `LONGEST_WAVE` metres, half of it, ..."""
    frequency = 2.0 ** torch.arange(OCTAVES, device=xyz.device) * (2.0 * torch.pi / LONGEST_WAVE)
    phase = (xyz[..., None] * frequency).flatten(-2)
    return torch.cat([xyz / (LONGEST_WAVE / 4), phase.sin(), phase.cos()], dim=-1)


def distances(a: Float32[Tensor, "N 3"], b: Float32[Tensor, "M 3"]) -> Float32[Tensor, "N M"]:
    """Distances in metres without the rounding of matrix products, which is centimetres in bfloat16."""
    with torch.autocast(device_type=a.device.type, enabled=False):
        return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def spread(count: int, most: int, device: torch.device) -> Int64[Tensor, " n"]:
    """At most `most` of `count` positions, evenly spread over them."""
    taken = min(count, most)
    return torch.arange(taken, device=device) * count // max(taken, 1)


def sample_bilinear(
    cells: Float[Tensor, "I C p q"],
    image: Int64[Tensor, " N"],
    pixel: Float32[Tensor, "N 2"],
    size: Float32[Tensor, " 2"],
) -> Float[Tensor, "N C"]:
    """Cells' values at pixels (u, v) of pictures of `size` (W, H), bilinear; beyond the outer centres the outer cell's."""
    rows, columns = cells.shape[2:]
    grid = pixel.new_tensor((columns, rows))
    at = ((pixel + 0.5) * grid / size - 0.5).clamp(min=0)
    at = torch.minimum(at, grid - 1)
    low = at.floor().long()
    high = torch.minimum(low + 1, low.new_tensor((columns - 1, rows - 1)))
    x, y = (at - low).to(cells.dtype).unbind(dim=1)
    flat = cells.permute(0, 2, 3, 1).flatten(0, 2)

    def corner(v: Tensor, u: Tensor, weight: Tensor) -> Tensor:
        return flat[(image * rows + v) * columns + u] * weight[:, None]

    return (
        corner(low[:, 1], low[:, 0], (1 - x) * (1 - y))
        + corner(low[:, 1], high[:, 0], x * (1 - y))
        + corner(high[:, 1], low[:, 0], (1 - x) * y)
        + corner(high[:, 1], high[:, 0], x * y)
    )
