"""Spatial relations: what the pictures show of two objects against the phrase for how they stand to each other.

Legend: Q relations, F = 2Q facts, O objects, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor, nn

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Facts:
    """What is known: `pairs` (rows of objects, ordered) hold `phrase` (its row) and do not hold `inverse`."""

    pairs: Int64[Tensor, "F 2"]
    phrase: Int64[Tensor, " F"]
    inverse: Int64[Tensor, " F"]

    @classmethod
    def of(cls, batch: Batch) -> Facts:
        """Each relation as it is given, then each turned round: b to a holds the inverse phrase."""
        assert batch.relation_objects is not None
        assert batch.relation_phrase is not None
        assert batch.relation_inverse is not None
        return cls(
            pairs=torch.cat([batch.relation_objects, batch.relation_objects.flip(1)]),
            phrase=torch.cat([batch.relation_phrase, batch.relation_inverse]),
            inverse=torch.cat([batch.relation_inverse, batch.relation_phrase]),
        )

    def refuted(self) -> Bool[Tensor, "F F"]:
        """Whether the pair of row f is known not to hold the phrase of column g: some fact on it has that as inverse."""
        same_pair = (self.pairs[:, None] == self.pairs[None, :]).all(dim=-1)
        denied = self.inverse[:, None] == self.phrase[None, :]
        return (same_pair.float() @ denied.float()) > 0


class Relations(Objective):
    """Symmetric InfoNCE between ordered pairs of objects and relation phrases, against what is known to be false.

    Each relation is two facts: a to b holds the phrase, b to a the inverse. Negatives of a pair are the inverses of
    all phrases it is known to hold; negatives of a phrase are the pairs of the batch known to hold its inverse, the
    same pair turned round among them. Phrases that may hold as well ("above" for a pair given as "left of") are
    neither.
    """

    needs = frozenset({"instance", "objects", "relations"})

    def __init__(self, hidden_size: int, levels: int, width: int = 128) -> None:
        super().__init__()
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        self.pair = mlp(2 * width, 2 * width, width)
        self.phrase = nn.Sequential(nn.LayerNorm(hidden_size), mlp(hidden_size, 2 * width, width))
        self.temperature = Temperature()

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over the facts about objects that masks show."""
        pairs = self.compare(features, batch)
        found = pairs.contrast()
        return Loss(
            value=found.loss,
            count=found.count,
            metrics={
                "pair_to_phrase": found.forward_accuracy,
                "phrase_to_pair": found.backward_accuracy,
                "temperature": pairs.temperature,
            },
        )

    def compare(self, features: Features, batch: Batch) -> Pairs:
        """Pairs of objects against their relation phrases."""
        cells = split_tokens(self.tokens(features))
        regions, seen = pool_regions(cells, coverage(batch, *cells.shape[2:]))
        facts = Facts.of(batch)
        valid = seen[facts.pairs].all(dim=1)
        of_pair = self.pair(regions[facts.pairs].flatten(1).to(cells.dtype))
        words = phrase_features(features.phrases, facts.phrase, features.views).to(cells.dtype)
        scale = self.temperature()
        false = facts.refuted()
        pair_number = facts.pairs[:, 0] * len(seen) + facts.pairs[:, 1]
        return Pairs(
            logits=similarities(of_pair, self.phrase(words), scale),
            forward_negative=false & first_of_kind(facts.phrase, valid)[None, :],
            backward_negative=false & first_of_kind(pair_number, valid)[:, None],
            valid=valid,
            temperature=1.0 / scale.detach()[0],
        )
