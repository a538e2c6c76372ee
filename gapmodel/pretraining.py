"""One forward pass for all objectives: the module that is trained, and the root of sharding."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gapdata.errors import ConfigError
from gapmodel.attention import packed_mask
from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.model import GapModel
from gapmodel.objectives.answers import Answers
from gapmodel.objectives.objective import Loss


class PretrainingModel(nn.Module):
    """A model with everything that is taught to it."""

    def __init__(self, model: GapModel) -> None:
        super().__init__()
        self.model = model
        self.answers = Answers()

    def forward(self, batch: Batch, weights: Mapping[str, float]) -> dict[str, Loss]:
        """The loss, unweighted, of every objective whose weight is not 0. Raises ConfigError for a missing head."""
        enabled = [name for name, weight in weights.items() if weight]
        missing = [name for name in enabled if name != "answers" and name not in self.model.heads]
        if missing:
            raise ConfigError(f"no head for {', '.join(missing)} in this model: see config.heads")
        features = self.features(batch)
        return {
            name: (self.answers if name == "answers" else self.model.heads[name])(features, batch)
            for name in enabled
        }

    def features(self, batch: Batch) -> Features:
        """The features of a batch: each picture is encoded once, the row runs once through the language model."""
        model = self.model
        visual, levels = self._encode(batch)
        mask = packed_mask(
            batch.group_ids, batch.branch_ids, model.config.text_config._attn_implementation
        )
        rows, columns = visual.shape[1:3]
        within = torch.arange(rows * columns, device=visual.device)
        places_N = (batch.block_start[:, None] + within).flatten()
        embedded_LD = model.get_input_embeddings()(batch.input_ids)
        of_block = visual[batch.block_image].flatten(0, 2).to(embedded_LD.dtype)
        hidden_LD: Tensor = model.model.language_model(
            inputs_embeds=embedded_LD.index_copy(0, places_N, of_block)[None],
            position_ids=batch.position_ids[:, None],
            attention_mask=mask,
            visual_pos_masks=places_N,
            deepstack_visual_embeds=[level[batch.block_image].flatten(0, 2) for level in levels],
            use_cache=False,
        ).last_hidden_state[0]
        scene = batch.block_start[batch.scene_block][:, None] + within
        phrase = batch.phrase_token
        return Features(
            views=hidden_LD[scene].unflatten(1, (rows, columns)),
            visual=visual,
            levels=levels,
            phrases=None if phrase is None else hidden_LD[phrase],
            answers=hidden_LD[torch.nonzero(batch.labels >= 0)[:, 0] - 1],
            logits=model.lm_head,
        )

    def _encode(self, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The visual tokens of the batch's pictures.

        Without pictures a blank one of their size is encoded and dropped again: a rank that skips the vision tower
        would leave the others waiting for its share of the parameters.
        """
        if len(batch.images):
            return self.model.encode(batch.images, GeometryInput.from_batch(batch))
        blank = batch.images.new_zeros(1, *batch.images.shape[1:])
        visual, levels = self.model.encode(blank)
        return visual[:0], tuple(level[:0] for level in levels)
