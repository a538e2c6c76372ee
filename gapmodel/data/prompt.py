"""Words -> tokens: pictures, question and answer in Qwen's chat format. Training, evaluation and prediction all use this."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64
from transformers import PreTrainedTokenizerBase

from gapmodel.data.example import Example
from gapmodel.data.packing import BranchTokens, GroupTokens, SampleTokens

Array = np.ndarray

START, END = "<|im_start|>", "<|im_end|>"
VISION_START, IMAGE, VISION_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"
USER = f"{START}user\n"
ASK = f"{END}\n{START}assistant\n"  # ends the question, after it the answer begins

# What a conversation in transformers' message format is as text; the same text as `prefix`, `question` and `answer`.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- set count = namespace(images=0) -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}
{%- set count.images = count.images + 1 -%}
{{- 'Image ' ~ count.images ~ ': <|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif part.type == 'text' -%}{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def prefix_text(pictures: int, tokens: int = 1) -> str:
    """The beginning of a prompt on some pictures of `tokens` visual tokens each.

    They are named "Image 1", "Image 2", ... in the order shown, as questions call them.
    """
    blocks = (
        f"Image {number}: {VISION_START}{IMAGE * tokens}{VISION_END}"
        for number in range(1, pictures + 1)
    )
    return USER + "".join(blocks)


def question_text(question: str) -> str:
    """What follows the pictures, up to where the answer begins."""
    return question + ASK


def answer_text(answer: str) -> str:
    """What the model is to write: the answer and the end of its turn."""
    return answer + END


class Prompt:
    """A tokenizer and the number of visual tokens of a picture: all that turns an example into tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, grid: tuple[int, int]) -> None:
        self.tokenizer, self.grid = tokenizer, grid
        self.image_token_id = int(tokenizer.convert_tokens_to_ids(IMAGE))
        self.pad_token_id = int(tokenizer.pad_token_id)
        self._prefixes: dict[int, Int64[Array, " n"]] = {}

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text."""
        if not texts:
            return []
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]

    def prefix(self, pictures: int) -> Int64[Array, " n"]:
        """The token ids of the beginning of a prompt on some pictures."""
        if pictures not in self._prefixes:
            text = prefix_text(pictures, self.grid[0] * self.grid[1])
            self._prefixes[pictures] = np.array(self.tokens([text])[0], np.int64)
        return self._prefixes[pictures]

    def lengths(self, questions: Sequence[str], answers: Sequence[str]) -> Int64[Array, " n"]:
        """Tokens of the branch of each question with its answer, without its prefix."""
        asked = self.tokens([question_text(question) for question in questions])
        told = self.tokens([answer_text(answer) for answer in answers])
        return np.array([len(a) + len(b) for a, b in zip(asked, told, strict=True)], np.int64)

    def encode(self, example: Example) -> SampleTokens:
        """An example as tokens: a scene group, then a group for every other choice or order of views, in order asked."""
        questions = example.questions
        asked = self.tokens([question_text(question.text) for question in questions])
        told = self.tokens([answer_text(question.answer) for question in questions])
        scene = tuple(range(len(example.images)))
        groups: dict[tuple[int, ...], list[BranchTokens]] = {scene: []}
        for question, before, after in zip(questions, asked, told, strict=True):
            branch = BranchTokens(
                ids=np.array(before + after, np.int64),
                answer_start=len(before),
                qa=question.qa,
                task=question.task,
                format=question.format,
            )
            groups.setdefault(question.views, []).append(branch)
        return SampleTokens(
            key=example.key,
            num_pictures=len(scene),
            groups=tuple(
                GroupTokens(
                    pictures=views, prefix=self.prefix(len(views)), branches=tuple(branches)
                )
                for views, branches in groups.items()
            ),
            phrases=tuple(tuple(ids) for ids in self.tokens(example.phrases)),
        )
