"""Objects in 3D: the surface of each object as a set of points, from the tokens that show it.

Legend: O objects, N predicted and M true points of each, K cells that show it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32
from torch import Tensor, nn

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.dense import masked_mean
from gapmodel.objectives.objective import Loss, Objective
from gapmodel.objectives.regions import coverage, gather_regions, object_of
from gapmodel.objectives.tokens import (
    QueryDecoder,
    TokenGrid,
    in_float32,
    position_codes,
    split_tokens,
    start_near_zero,
)

TYPICAL_CENTRE = (0.0, 0.0, 2.5)  # metres, where an untrained head starts
TYPICAL_RADIUS = 0.5  # metres
LEAST_RADIUS = 0.01  # metres
LEAST_DISTANCE = 0.5  # metres; the centres of nearer objects weigh as much as at this distance


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Objects:
    """Objects as points: centre + radius * shape, in metres in the first picture's camera frame.

    centre: of the box. radius: half the diagonal of the box. shape: points around the centre, in units of the
    radius, along the axes of the first camera (those of a box are not told by what one sees of a round table).
    """

    centre: Float32[Tensor, "O 3"]
    log_radius: Float32[Tensor, " O"]
    shape: Float32[Tensor, "O N 3"]

    def points(self) -> Float32[Tensor, "O N 3"]:
        """The points in metres in the first picture's camera frame."""
        return self.centre[:, None] + self.log_radius.exp()[:, None, None] * self.shape


class Reconstruction(Objective):
    """Chamfer distance of the shape + error of the centre over its distance + error of the log radius.

    Learned queries read the cells under the object's mask in all pictures of its sample, a small group of points
    comes out of each. Truth is the batch's points of the object.
    """

    needs = frozenset({"instance", "points", "objects"})

    def __init__(
        self,
        hidden_size: int,
        levels: int,
        width: int = 128,
        heads: int = 8,
        depth: int = 2,
        queries: int = 16,
        points_per_query: int = 8,
        most_cells: int = 64,
        most_points: int = 256,
        least_points: int = 8,
    ) -> None:
        super().__init__()
        self.most_cells, self.most_points, self.least_points = most_cells, most_points, least_points
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        self.decoder = QueryDecoder(queries + 1, width, heads, depth)
        self.shape = nn.Linear(width, 3 * points_per_query)
        self.box = nn.Linear(width, 4)
        start_near_zero(self.box)

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over the objects that a mask shows and enough points describe."""
        assert batch.object_box_first is not None
        predicted, seen = self._read(features, batch)
        truth, there = object_points(batch, self.most_points)
        valid = seen & (there.sum(dim=1) >= self.least_points)
        box = torch.where(valid[:, None], batch.object_box_first, 1.0)
        centre = box[:, :3]
        radius = (torch.linalg.vector_norm(box[:, 3:6], dim=1) / 2).clamp(min=LEAST_RADIUS)

        shape_error = chamfer(
            predicted.shape, (truth - centre[:, None]) / radius[:, None, None], there
        )
        off = torch.linalg.vector_norm(predicted.centre - centre, dim=1)
        away = torch.linalg.vector_norm(centre, dim=1).clamp(min=LEAST_DISTANCE)
        size_error = (predicted.log_radius - radius.log()).abs()
        placed = chamfer(predicted.points().detach(), truth, there)
        return Loss(
            value=masked_mean(shape_error + off / away + size_error, valid),
            count=valid.sum(),
            metrics={
                "chamfer_m": masked_mean(placed, valid),
                "shape_chamfer_m": masked_mean(shape_error.detach() * radius, valid),
                "centre_m": masked_mean(off.detach(), valid),
                "log_radius_error": masked_mean(size_error.detach(), valid),
            },
        )

    def predict(self, features: Features, batch: Batch) -> Float32[Tensor, "O N 3"]:
        """Points of each object in metres in the first picture's camera frame. Needs instance masks and objects."""
        return self._read(features, batch)[0].points()

    def _read(self, features: Features, batch: Batch) -> tuple[Objects, Bool[Tensor, " O"]]:
        cells = split_tokens(self.tokens(features))
        rows, columns = cells.shape[2:]
        positions = position_codes(rows, columns, cells.shape[1], cells.device).to(cells.dtype)
        cells = cells + positions.T.view(1, -1, rows, columns)
        covered = coverage(batch, rows, columns)
        memory, taken = gather_regions(cells, covered, self.most_cells)
        read = self.decoder(memory, taken)
        box = in_float32(self.box, read[:, 0])
        shape = in_float32(self.shape, read[:, 1:]).unflatten(-1, (-1, 3)).flatten(1, 2)
        objects = Objects(
            centre=box[:, :3] + box.new_tensor(TYPICAL_CENTRE),
            log_radius=box[:, 3] + math.log(TYPICAL_RADIUS),
            shape=shape,
        )
        return objects, taken.any(dim=1)


def object_points(batch: Batch, most: int) -> tuple[Float32[Tensor, "O M 3"], Bool[Tensor, "O M"]]:
    """Scene points of each object in the first picture's frame, evenly chosen of more than `most`; and which are there."""
    assert batch.object_sample is not None
    assert batch.point_sample is not None
    assert batch.point_instance is not None
    assert batch.point_first is not None
    objects = len(batch.object_sample)
    owner = object_of(batch, batch.point_sample, batch.point_instance)
    counts = torch.zeros(objects + 1, dtype=torch.long, device=owner.device)
    counts = counts.index_add(0, owner + 1, torch.ones_like(owner))  # first those of no object
    order = owner.argsort(stable=True)
    start = (counts.cumsum(0) - counts)[1:, None]
    counts = counts[1:, None]
    place = torch.arange(most, device=owner.device)[None]
    there = place < counts
    # All of few points, every so many-th of many.
    chosen = start + torch.where(counts > most, place * counts // most, place)
    if not len(owner):
        return batch.point_first.new_zeros(objects, most, 3), there
    return batch.point_first[order[chosen.clamp(max=len(owner) - 1)]], there


def chamfer(
    predicted: Float32[Tensor, "O N 3"],
    truth: Float32[Tensor, "O M 3"],
    there: Bool[Tensor, "O M"],
) -> Float32[Tensor, " O"]:
    """Mean of: distance from each predicted point to the nearest true one, and from each true one to the nearest predicted.

    Distances, not their squares (Fan et al. 2017 square them), each direction a mean and then half their sum:
    Chamfer-L1 of Mescheder et al., "Occupancy Networks" (2019). 0 for an object without true points.
    """
    with torch.autocast(device_type=predicted.device.type, enabled=False):
        away = torch.cdist(predicted, truth, compute_mode="donot_use_mm_for_euclid_dist")
    any_there = there.any(dim=1)
    nearest_true = torch.where(there[:, None], away, torch.inf).amin(dim=2)
    nearest_true = torch.where(any_there[:, None], nearest_true, 0.0).mean(dim=1)
    nearest_predicted = torch.where(there, away.amin(dim=1), 0.0).sum(dim=1)
    return 0.5 * (nearest_true + nearest_predicted / there.sum(dim=1).clamp(min=1))
