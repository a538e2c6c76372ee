"""Geometry and language: what the pictures show of an object against the phrase for its shape, size and material."""

from __future__ import annotations

from torch import nn

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.contrast import (
    Pairs,
    Temperature,
    first_of_kind,
    phrase_features,
    similarities,
)
from gapmodel.objectives.objective import Loss, Objective
from gapmodel.objectives.regions import coverage, pool_regions
from gapmodel.objectives.tokens import TokenGrid, mlp, split_tokens


class GeometryLanguage(Objective):
    """Symmetric InfoNCE between the pooled cells of each object and its phrase's last hidden state.

    Negatives are the other objects and phrases of the batch; objects with the same words are none of each other.
    """

    needs = frozenset({"instance", "objects"})

    def __init__(self, hidden_size: int, levels: int, width: int = 128) -> None:
        super().__init__()
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        self.region = mlp(width, 2 * width, width)
        self.phrase = nn.Sequential(nn.LayerNorm(hidden_size), mlp(hidden_size, 2 * width, width))
        self.temperature = Temperature()

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over the objects that a mask shows and a phrase describes."""
        pairs = self.compare(features, batch)
        found = pairs.contrast()
        return Loss(
            value=found.loss,
            count=found.count,
            metrics={
                "region_to_phrase": found.forward_accuracy,
                "phrase_to_region": found.backward_accuracy,
                "temperature": pairs.temperature,
            },
        )

    def compare(self, features: Features, batch: Batch) -> Pairs:
        """Objects' regions against their phrases."""
        assert batch.object_phrase is not None
        cells = split_tokens(self.tokens(features))
        pooled, seen = pool_regions(cells, coverage(batch, *cells.shape[2:]))
        valid = seen & (batch.object_phrase >= 0)
        phrases = phrase_features(features.phrases, batch.object_phrase, features.views).to(
            cells.dtype
        )
        scale = self.temperature()
        logits = similarities(self.region(pooled.to(cells.dtype)), self.phrase(phrases), scale)
        # Equal phrases share a row.
        other = batch.object_phrase[:, None] != batch.object_phrase[None, :]
        return Pairs(
            logits=logits,
            forward_negative=other & first_of_kind(batch.object_phrase, valid)[None, :],
            backward_negative=other,
            valid=valid,
            temperature=1.0 / scale.detach()[0],
        )
