"""Batches whose samples differ from each other, random features of them, and small heads."""

from __future__ import annotations

from dataclasses import fields, replace

import torch

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives import objective_class
from tests.gapmodel.batches import example_batch

D, LEVELS = 32, 2
SIZES = {
    "depth": {"width": 16, "heads": 2},
    "normal": {"width": 16, "heads": 2},
    "pointmap": {"width": 16, "heads": 2},
    "pose": {"width": 32, "heads": 2},
    "reconstruction": {"width": 32, "heads": 2, "queries": 4, "least_points": 4},
    "point_image": {"width": 32},
    "geometry_language": {"width": 32},
    "relations": {"width": 32},
}
NAMES = tuple(SIZES)

# For heads that say what they are told to.
NO_FEATURES = Features(
    views=torch.zeros(0, 1, 1, D),
    visual=torch.zeros(0, 1, 1, D),
    levels=(),
    phrases=None,
    answers=torch.zeros(0, D),
    logits=torch.nn.Identity(),
)


def head(name, seed=0, **settings):
    torch.manual_seed(seed)
    return objective_class(name)(hidden_size=D, levels=LEVELS, **{**SIZES[name], **settings})


def varied_batch(samples=2, pictures=2, points=24) -> Batch:
    """Sample s is the example scaled by 1 + s / 2, its surfaces turned and its lenses longer by as much.

    With fewer points than a token has room for, so that points can be told apart.
    """
    batch = example_batch(samples=samples, pictures=pictures, points=points)
    scale = 1.0 + 0.5 * torch.arange(samples)
    of_image = scale[batch.image_sample]
    cam2first = batch.cam2first.clone()
    cam2first[:, :3, 3] *= of_image[:, None]
    # Look to the right by 0.2 rad in every picture but the first of a sample.
    moved = cam2first[:, 0, 3] > 0
    angle = torch.tensor(0.2)
    turn = torch.tensor([[angle.cos(), 0, angle.sin()], [0, 1, 0], [-angle.sin(), 0, angle.cos()]])
    cam2first[moved, :3, :3] = turn
    K = batch.K.clone()
    K[:, :2, :2] *= of_image[:, None, None]
    box = batch.object_box_first.clone()
    box[:, :6] *= scale[batch.object_sample][:, None]
    normal = batch.normal.float()
    normal = torch.where((batch.image_sample == 0)[:, None, None, None], normal, normal.roll(1, -1))
    return replace(
        batch,
        depth=batch.depth * of_image[:, None, None],
        normal=normal,
        K=K,
        cam2first=cam2first,
        point_first=batch.point_first * scale[batch.point_sample][:, None],
        object_box_first=box,
    )


def with_objects(batch: Batch, sample, instance) -> Batch:
    """The batch with these objects, of which nothing is known but their masks."""
    return replace(
        batch,
        object_sample=torch.tensor(sample, dtype=torch.int64),
        object_instance=torch.tensor(instance, dtype=torch.int32),
        object_box_first=torch.zeros(len(sample), 15),
        object_phrase=torch.full((len(sample),), -1),
    )


def random_features(batch: Batch, seed=0, dtype=torch.float32, grad=False) -> Features:
    generator = torch.Generator().manual_seed(seed)

    def grid(*shape):
        return torch.randn(*shape, D, generator=generator).to(dtype).requires_grad_(grad)

    height, width = (side // 32 for side in batch.images.shape[1:3])
    count = len(batch.images)
    return Features(
        views=grid(count, height, width),
        visual=grid(count, height, width),
        levels=tuple(grid(count, height, width) for _ in range(LEVELS)),
        phrases=None if batch.phrase_token is None else grid(len(batch.phrase_token)),
        answers=torch.zeros(0, D),
        logits=torch.nn.Identity(),
    )


def mapped(features: Features, change) -> Features:
    """The features with `change` made to every grid of the pictures."""
    return replace(
        features,
        views=change(features.views),
        visual=change(features.visual),
        levels=tuple(map(change, features.levels)),
    )


def mismatched(features: Features) -> Features:
    """The same features in other pictures, other places and at other phrases."""
    turned = mapped(features, lambda grid: grid.flip(0, 1, 2))
    return replace(turned, phrases=features.phrases.flip(0))


def without_supervision(batch: Batch) -> Batch:
    """The same pictures with nothing known about them but their cameras."""
    empty = {
        name: getattr(batch, name)[:0]
        for name in (field.name for field in fields(batch))
        if name.startswith(("point_", "seen_", "object_", "relation_"))
    }
    return replace(
        batch,
        depth=torch.zeros_like(batch.depth),
        normal=torch.zeros_like(batch.normal),
        instance=torch.zeros_like(batch.instance),
        phrase_token=None,
        **empty,
    )


def without_pictures(batch: Batch) -> Batch:
    """A micro-batch of words only."""
    batch = without_supervision(batch)
    cut = {
        name: getattr(batch, name)[:0]
        for name in (
            "scene_block", "image_sample", "images", "K", "cam2first", "input_depth", "input_normal",
            "geometry_given", "depth", "normal", "instance",
        )
    }  # fmt: skip
    return replace(batch, sample_keys=(), **cut)


def train(objective, features, batch, steps, rate=1e-2):
    """Losses of a few steps of Adam on one batch."""
    optimizer = torch.optim.Adam(objective.parameters(), rate)
    losses = []
    for _ in range(steps):
        loss = objective(features, batch).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
