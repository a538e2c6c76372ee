"""Spatial relations: what the pictures show of two objects against the phrase for how they stand to each other.

Legend: Q relations, F = 2Q facts, O objects, C channels.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int64
from torch import Tensor, nn

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.contrast import Temperature, info_nce, phrase_features, similarities
from gapmodel.objectives.dense import masked_mean
from gapmodel.objectives.objective import Loss, Objective
from gapmodel.objectives.regions import coverage, pool_regions
from gapmodel.objectives.tokens import TokenGrid, mlp, split_tokens


class Relations(Objective):
    """Symmetric InfoNCE between ordered pairs of objects and relation phrases.

    Each relation is two facts: a to b holds the phrase, b to a the inverse. The hard negatives of a fact are the
    inverse phrase for the same pair and the same phrase for the pair turned round; the other facts of the batch are
    negatives too, save those that are known to hold.
    """

    needs = frozenset({"instance", "objects", "relations"})

    def __init__(self, hidden_size: int, levels: int, width: int = 256) -> None:
        super().__init__()
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        self.pair = mlp(2 * width, 2 * width, width)
        self.phrase = nn.Sequential(nn.LayerNorm(hidden_size), mlp(hidden_size, 2 * width, width))
        self.temperature = Temperature()

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over the facts about objects that masks show."""
        cells = split_tokens(self.tokens(features))
        regions, seen = pool_regions(cells, coverage(batch, *cells.shape[2:]))
        pairs, phrases = facts(batch)
        dtype = self.tokens.project.weight.dtype
        of_pair = self.pair(regions[pairs].flatten(1).to(dtype))
        words = phrase_features(features.phrases, phrases, features.views).to(dtype)
        scale = self.temperature()
        logits = similarities(of_pair, self.phrase(words), scale)
        found = info_nce(logits, ~known_true(pairs, phrases), seen[pairs].all(dim=1))

        half = len(pairs) // 2
        inverse = torch.cat([logits.diagonal(half), logits.diagonal(-half)]).detach()
        beats = (logits.diagonal().detach() > inverse).float()
        return Loss(
            value=found.loss,
            count=found.count,
            metrics={
                "pair_to_phrase": found.forward_accuracy,
                "phrase_to_pair": found.backward_accuracy,
                "beats_inverse": masked_mean(beats, seen[pairs].all(dim=1)),
                "temperature": 1.0 / scale.detach()[0],
            },
        )


def facts(batch: Batch) -> tuple[Int64[Tensor, "F 2"], Int64[Tensor, " F"]]:
    """Ordered pairs of objects and the row of the phrase that holds: first as given, then all turned round."""
    assert batch.relation_objects is not None
    assert batch.relation_phrase is not None
    assert batch.relation_inverse is not None
    pairs = torch.cat([batch.relation_objects, batch.relation_objects.flip(1)])
    return pairs, torch.cat([batch.relation_phrase, batch.relation_inverse])


def known_true(pairs: Int64[Tensor, "F 2"], phrases: Int64[Tensor, " F"]) -> Bool[Tensor, "F F"]:
    """Whether some fact says that the pair of row f holds the phrase of column g."""
    same_pair = (pairs[:, None] == pairs[None, :]).all(dim=-1)
    same_phrase = phrases[:, None] == phrases[None, :]
    # Row f meets every fact k on its pair, k meets column g by its phrase.
    return (same_pair.float() @ same_phrase.float()) > 0
