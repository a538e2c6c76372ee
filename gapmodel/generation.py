"""Answers to many questions on the same pictures: each picture is encoded once, each prefix read once.

Legend: G prefixes, N rows (a question each), P tokens of the longest prefix, Q of the longest question, L new tokens.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache

from gapmodel.data.packing import prefix_positions
from gapmodel.data.prompt import END, Prompt
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.model import GapModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A question in tokens, up to where the answer begins. prefix: position of its pictures in `Prefixes.shown`."""

    prefix: int
    question: Sequence[int]


class Prefixes:
    """The keys and values of the beginnings of some prompts on the pictures of one sample, read for any questions.

    shown: for each prefix the pictures that it shows, in order. Gives what `GapModel.generate` gives, greedily, for every
    question by itself.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: GapModel,
        prompt: Prompt,
        images: UInt8[Tensor, "I H W 3"],
        geometry: GeometryInput | None,
        shown: Sequence[tuple[int, ...]],
    ) -> None:
        self.model, self.prompt, self.shown = model, prompt, tuple(shown)
        self.device = images.device
        visual, levels = model.encode(images, geometry)
        prefixes = [prompt.prefix(len(pictures)) for pictures in self.shown]
        placed = [prefix_positions(ids == prompt.image_token_id, prompt.grid) for ids in prefixes]
        self.after = torch.tensor([after for _, after in placed], device=self.device)
        ids_GP, self.read_GP = self._padded(prefixes)
        positions = torch.zeros(3, *ids_GP.shape, dtype=torch.int64, device=self.device)
        for row, (position, _) in enumerate(placed):
            positions[:, row, ids_GP.shape[1] - position.shape[1] :] = torch.from_numpy(position)
        blocks = torch.tensor(
            [place for pictures in self.shown for place in pictures],
            dtype=torch.int64,
            device=self.device,
        )
        outputs = model.encoder_outputs(visual[blocks], tuple(level[blocks] for level in levels))
        self.cache = DynamicCache(config=model.config.text_config)
        model.model(
            input_ids=ids_GP,
            position_ids=positions,
            attention_mask=self.read_GP.long(),
            mm_encoder_outputs=outputs if len(blocks) else None,
            past_key_values=self.cache,
            use_cache=True,
        )

    @torch.no_grad()
    def answer(self, rows: Sequence[Row], max_new_tokens: int) -> list[list[int]]:
        """The most probable next tokens of each row, one after the other, up to the end of the turn (left out).

        A reply of `max_new_tokens` tokens was cut.
        """
        ids_NL, own_NL = self._padded([row.question for row in rows])
        cache, read, after = self._rows(rows)
        position = after[:, None] + (own_NL.cumsum(1) - 1).clamp(min=0)
        read = torch.cat([read, own_NL], dim=1)
        stop = torch.tensor(
            [self.prompt.tokenizer.convert_tokens_to_ids(END), self.prompt.pad_token_id],
            device=self.device,
        )
        done = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
        replies: list[Tensor] = []
        for _ in range(max_new_tokens):
            hidden = self._step(ids_NL, position, read, cache)
            token = self.model.lm_head(hidden[:, -1]).argmax(-1)
            done = done | torch.isin(token, stop)
            replies.append(torch.where(done, -1, token))
            if bool(done.all()):
                break
            ids_NL, position = token[:, None], position[:, -1:] + 1
            read = torch.cat([read, torch.ones_like(read[:, :1])], dim=1)
        table = torch.stack(replies, dim=1).tolist()
        return [[token for token in reply if token >= 0] for reply in table]

    @torch.no_grad()
    def losses(
        self, rows: Sequence[Row], answers: Sequence[Sequence[int]]
    ) -> list[Float[np.ndarray, " _"]]:
        """-log probability of each token of each row's given answer, in nats."""
        texts = [[*row.question, *answer] for row, answer in zip(rows, answers, strict=True)]
        ids_NL, own_NL = self._padded(texts)
        cache, read, after = self._rows(rows)
        position = after[:, None] + (own_NL.cumsum(1) - 1).clamp(min=0)
        hidden = self._step(ids_NL, position, torch.cat([read, own_NL], dim=1), cache)
        found = []
        for row, answer in enumerate(answers):
            count = len(answer)
            logits = self.model.lm_head(hidden[row, -count - 1 : -1]).float()
            loss = cross_entropy(logits, ids_NL[row, -count:], reduction="none")
            found.append(loss.cpu().numpy())
        return found

    def _rows(self, rows: Sequence[Row]) -> tuple[DynamicCache, Bool[Tensor, "N P"], Tensor]:
        """The cache, what may be read of it and the next position, for each row's prefix."""
        prefix = torch.tensor([row.prefix for row in rows], device=self.device)
        cache = copy.deepcopy(self.cache)
        cache.batch_select_indices(prefix)
        return cache, self.read_GP[prefix], self.after[prefix]

    def _step(
        self,
        ids: Int64[Tensor, "N L"],
        position: Int64[Tensor, "N L"],
        read: Bool[Tensor, "N K"],
        cache: DynamicCache,
    ) -> Float[Tensor, "N L D"]:
        output = self.model.model(
            input_ids=ids,
            position_ids=position.expand(3, *position.shape),
            attention_mask=read.long(),
            past_key_values=cache,
            use_cache=True,
        )
        return output.last_hidden_state

    def _padded(
        self, texts: Sequence[Sequence[int] | Int64[np.ndarray, " _"]]
    ) -> tuple[Int64[Tensor, "N L"], Bool[Tensor, "N L"]]:
        """Token ids padded on the left, and where they are text."""
        longest = max(map(len, texts))
        ids = torch.full((len(texts), longest), self.prompt.pad_token_id, dtype=torch.int64)
        own = torch.zeros(len(texts), longest, dtype=torch.bool)
        for row, text in enumerate(texts):
            ids[row, longest - len(text) :] = torch.as_tensor(text)
            own[row, longest - len(text) :] = True
        return ids.to(self.device), own.to(self.device)
