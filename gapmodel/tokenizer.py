"""A byte-level BPE tokenizer for models that start from scratch, with Qwen's special tokens and chat format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from gapdata.errors import ConfigError
from gapdata.shards.reader import open_dataset
from gapdata.shards.records import QUESTIONS, load_json
from gapmodel.data.prompt import CHAT_TEMPLATE

PAD, END = "<|endoftext|>", "<|im_end|>"
SPECIAL_TOKENS = (
    PAD, "<|im_start|>", END, "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
    "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",
    "<|video_pad|>",
)  # fmt: skip
# Where words are cut before merging: words with the space before them, single digits, runs of signs, line ends.
PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What every prompt says, whatever the dataset.
CHAT_WORDS = ("user\n", "assistant\n", "system\n", "Image 1: ")
SMALLEST = len(SPECIAL_TOKENS) + 256


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """A tokenizer with at most `vocab_size` tokens, special ones included. Depends on the texts only.

    Encodes any text: what it has not seen falls back to bytes. Digits stay single, so that numbers are spelt the same way
    everywhere. Raises ConfigError for a vocabulary that has no room for all bytes.
    """
    if vocab_size < SMALLEST:
        raise ConfigError(f"vocabulary of {vocab_size} tokens: expected {SMALLEST} or more")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_with_chat_words(texts), trainer=trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
        model_max_length=1 << 20,
    )


def dataset_texts(url: str, split: str | None = "train") -> Iterator[str]:
    """Every question, option and answer of a dataset, in order."""
    dataset = open_dataset(url, split=split, layers=())
    for sample in range(len(dataset)):
        members = dataset.read_members(sample, [QUESTIONS])
        for row in load_json(members[QUESTIONS], QUESTIONS):
            yield row["question"]
            yield from row["choices"]
            yield row["answer"]


def _with_chat_words(texts: Iterable[str]) -> Iterator[str]:
    yield from CHAT_WORDS
    yield from texts
