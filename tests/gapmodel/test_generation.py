"""Answers read from shared prefixes are those of one prompt at a time; losses are those of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gapdata.sample import Sample
from gapdata.shards.reader import Dataset
from gapmodel.data.collate import collate
from gapmodel.data.example import Example, Question
from gapmodel.data.prompt import answer_text, question_text
from gapmodel.generation import Prefixes, Row
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.loading import Trained, load_trained
from tests.gapmodel.checkpoints import SIZE, write_checkpoint

SHOWN = ((0, 1, 2, 3), (1,), (2, 0))
ASKED = (
    ("How far away is the nearest chair?", 0),
    ("Is there a bed?", 1),
    ("Which way did the camera move from image 1 to image 2, and by how much?", 2),
    ("Count the lamps.", 1),
    ("x", 2),
)
NEW = 12


@pytest.fixture(scope="module")
def trained(tiny_url: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return load_trained(write_checkpoint(tiny_url, tmp_path_factory.mktemp("model"), heads=()))


@pytest.fixture(scope="module")
def sample(tiny_dataset: Dataset) -> Sample:
    return tiny_dataset[0]


def _images(sample: Sample) -> torch.Tensor:
    return torch.from_numpy(np.stack([view.rgb for view in sample.views]))


def _geometry(sample: Sample) -> dict[str, np.ndarray]:
    first = np.linalg.inv(sample.views[0].camera.cam2world)
    return {
        "K": np.stack([view.camera.K for view in sample.views]).astype(np.float32),
        "cam2first": np.stack([first @ view.camera.cam2world for view in sample.views]).astype(
            np.float32
        ),
        "depth": np.stack([view.depth for view in sample.views]),
        "normal": np.stack([view.normal for view in sample.views]),
    }


def _rows(trained: Trained) -> list[Row]:
    tokens = trained.prompt(SIZE).tokens([question_text(text) for text, _ in ASKED])
    return [
        Row(prefix=prefix, question=ids) for ids, (_, prefix) in zip(tokens, ASKED, strict=True)
    ]


def _generated(
    trained: Trained,
    sample: Sample,
    text: str,
    views: tuple[int, ...],
    given: dict[str, np.ndarray],
) -> list[int]:
    """The new tokens of transformers' own generation, for one prompt."""
    content = [{"type": "image"}] * len(views) + [{"type": "text", "text": text}]
    message = [{"role": "user", "content": content}]
    processor = trained.processor
    prompt = processor.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    # Poses are in the frame of the sample's first picture in the batch, of the prompt's first here: pass them as they are.
    layers = {name: [layer[view] for view in views] for name, layer in given.items()}
    inputs = processor(images=[sample.views[view].rgb for view in views], text=[prompt], **layers)
    output = trained.model.generate(**inputs, max_new_tokens=NEW, do_sample=False)
    new = output[0, inputs["input_ids"].shape[1] :].tolist()
    end = trained.processor.tokenizer.eos_token_id
    return new[: new.index(end)] if end in new else new


@pytest.mark.parametrize("with_geometry", [False, True])
def test_shared_prefixes_answer_like_one_prompt_at_a_time(
    trained: Trained, sample: Sample, with_geometry: bool
) -> None:
    given = _geometry(sample) if with_geometry else {}
    geometry = None
    if with_geometry:
        tensors = {name: torch.from_numpy(layer) for name, layer in given.items()}
        alone = torch.zeros(4, dtype=torch.int64)
        geometry = GeometryInput(
            image_sample=alone, size=SIZE, given=torch.ones(4, dtype=torch.bool), images=_images(sample), **tensors
        )  # fmt: skip
    # Fusion looks across the pictures of a sample: whatever is compared must show all of them.
    shown = (SHOWN[0],) if with_geometry else SHOWN
    rows = [row for row in _rows(trained) if row.prefix < len(shown)]
    if with_geometry:
        rows = [Row(prefix=0, question=row.question) for row in _rows(trained)]
    prefixes = Prefixes(trained.model, trained.prompt(SIZE), _images(sample), geometry, shown)
    replies = prefixes.answer(rows, NEW)
    assert len({tuple(reply) for reply in replies}) > 1
    for (text, prefix), reply in zip(ASKED, replies, strict=True):
        views = shown[0] if with_geometry else shown[prefix]
        assert reply == _generated(trained, sample, text, views, given)


def test_replies_do_not_depend_on_what_else_is_asked(trained: Trained, sample: Sample) -> None:
    prefixes = Prefixes(trained.model, trained.prompt(SIZE), _images(sample), None, SHOWN)
    rows = _rows(trained)
    together = prefixes.answer(rows, NEW)
    assert prefixes.answer(rows, NEW) == together
    assert [prefixes.answer([row], NEW)[0] for row in rows] == together
    alone = Prefixes(trained.model, trained.prompt(SIZE), _images(sample), None, SHOWN[:1])
    assert alone.answer(rows[:1], NEW)[0] == together[0]


def test_a_reply_ends_where_the_turn_ends(trained: Trained, sample: Sample) -> None:
    prompt = trained.prompt(SIZE)
    prefixes = Prefixes(trained.model, prompt, _images(sample), None, SHOWN)
    rows = _rows(trained)
    replies = prefixes.answer(rows, NEW)
    assert [len(reply) for reply in prefixes.answer(rows, 3)] == [3] * len(rows)
    last = replies[0][-1]
    prompt.pad_token_id = last  # a token that ends a reply, too
    cut = [reply[: reply.index(last)] if last in reply else reply for reply in replies]
    assert prefixes.answer(rows, NEW) == cut


def test_losses_are_those_of_training(trained: Trained, sample: Sample) -> None:
    prompt = trained.prompt(SIZE)
    answers = ["2.35 m", "Yes", "right, 0.40 m", "3", "```json\n[]\n```"]
    questions = tuple(
        Question(
            qa=f"q{i}", task="any", format="text", views=SHOWN[prefix], text=text, answer=answer
        )
        for i, ((text, prefix), answer) in enumerate(zip(ASKED, answers, strict=True))
    )
    given = _geometry(sample)
    example = Example(
        key="one", questions=questions, images=_images(sample).numpy(), K=given["K"], cam2first=given["cam2first"],
        input_depth=given["depth"], input_normal=given["normal"], geometry_given=np.ones(4, bool),
    )  # fmt: skip
    batch = collate([example], prompt)
    with torch.no_grad():
        packed = trained.root(batch, {"answers": 1.0})["answers"]
    geometry = GeometryInput.from_batch(batch)
    prefixes = Prefixes(trained.model, prompt, batch.images, geometry, SHOWN)
    losses = prefixes.losses(_rows(trained), prompt.tokens([answer_text(a) for a in answers]))
    joined = np.concatenate(losses)
    assert len(joined) == int(packed.count)
    assert joined.mean() == pytest.approx(float(packed.value), abs=1e-5)


def test_a_model_is_found_wherever_a_run_left_it(trained: Trained, tmp_path: Path) -> None:
    from gapdata.errors import ConfigError

    run = tmp_path / "run"
    run.mkdir()
    (run / "model").symlink_to(trained.folder)
    found = load_trained(run)
    assert found.weights == trained.weights
    assert found.processor.image_size == SIZE
    with pytest.raises(ConfigError, match="no model there: expected the folder of a run"):
        load_trained(tmp_path / "nowhere")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in trained.folder.iterdir():
        (damaged / file.name).write_bytes(
            file.read_bytes()[: 100 if file.suffix == ".safetensors" else None]
        )
    with pytest.raises(ConfigError, match="not a model that can be loaded"):
        load_trained(damaged)
