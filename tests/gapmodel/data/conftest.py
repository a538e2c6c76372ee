"""Shared by the tests of the data path: a tokenizer of the tiny dataset's words, and loaders of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gapdata.shards.reader import Dataset
from gapmodel.data.loader import Loader, LoaderConfig
from gapmodel.data.prompt import Prompt
from gapmodel.tokenizer import train_tokenizer

SIZE = (96, 128)
GRID = (3, 4)
ALL_NEEDS = frozenset({"depth", "normal", "instance", "points", "objects", "relations"})


@pytest.fixture(scope="session")
def prompt(tiny_dataset: Dataset) -> Prompt:
    """A small tokenizer with the token grid of 128 x 96 pictures."""
    texts = (
        text for sample in tiny_dataset for qa in sample.qa for text in (qa.question, qa.answer)
    )
    return Prompt(train_tokenizer(texts, 800), GRID)


@pytest.fixture(scope="session")
def open_loader(
    tiny_url: str, prompt: Prompt, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Loader]:
    """Opens a loader of the tiny dataset; keyword arguments change LoaderConfig's fields or go to Loader."""
    cache = str(tmp_path_factory.mktemp("tokens"))

    def opened(**changes: Any) -> Loader:
        ours = {
            name: changes.pop(name) for name in ("rank", "world_size", "state") if name in changes
        }
        settings: dict[str, Any] = {
            "data": ((tiny_url, 1.0),),
            "image_size": SIZE,
            "row_tokens": 1200,
            "cache": cache,
        }
        return Loader(LoaderConfig(**(settings | changes)), prompt, **ours)

    return opened
