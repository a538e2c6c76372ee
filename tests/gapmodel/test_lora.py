from __future__ import annotations

import pytest
import torch

from gapdata.errors import ConfigError
from gapmodel.loading import load_trained
from gapmodel.lora import add_lora, lora_parameters, merge_lora
from gapmodel.model import GapModel
from gapmodel.presets import build_model
from gapmodel.pretraining import PretrainingModel
from gapmodel.training.checkpoint import latest_checkpoint
from gapmodel.training.optimizer import freeze
from gapmodel.training.train import train
from gapmodel.training.train_config import Stage
from tests.gapmodel.batches import example_batch, example_config, example_model
from tests.gapmodel.runs import run_config

ANSWERS = {"answers": 1.0}


def loss_of(model: GapModel) -> float:
    with torch.no_grad():
        return float(PretrainingModel(model)(example_batch(), ANSWERS)["answers"].value)


def test_adapters_start_as_nothing_and_sit_in_every_decoder_layer():
    model = example_model(heads=["depth"])
    before = loss_of(model)
    add_lora(model, 4)
    assert loss_of(model) == before
    layers = len(model.model.language_model.layers)
    found = lora_parameters(model)
    assert len(found) == layers * 7 * 2
    assert all("language_model.layers" in name for name in found)
    assert {min(parameter.shape) for parameter in found.values()} == {4}
    # What learned before still may.
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_learning_only_adapters_lowers_the_loss_and_leaves_the_weights():
    model = example_model()
    add_lora(model, 4)
    adapters = lora_parameters(model)
    model.requires_grad_(False)
    for parameter in adapters.values():
        parameter.requires_grad_(True)
    kept = {
        name: parameter.clone()
        for name, parameter in model.named_parameters()
        if name not in adapters
    }
    root, batch = PretrainingModel(model), example_batch()
    optimizer = torch.optim.AdamW(adapters.values(), lr=1e-2)
    before = loss_of(model)
    for _ in range(10):
        optimizer.zero_grad()
        root(batch, ANSWERS)["answers"].value.backward()
        optimizer.step()
    assert loss_of(model) < before - 0.5
    now = dict(model.named_parameters())
    assert all(torch.equal(now[name], parameter) for name, parameter in kept.items())


def test_merged_adapters_are_a_plain_model(tmp_path):
    model = example_model()
    names = set(model.state_dict())
    add_lora(model, 4)
    torch.manual_seed(3)
    for parameter in lora_parameters(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    expected = loss_of(model)
    merge_lora(model)
    assert set(model.state_dict()) == names
    assert not lora_parameters(model)
    assert loss_of(model) == pytest.approx(expected, abs=1e-4)
    model.save_pretrained(tmp_path)
    again = GapModel.from_pretrained(tmp_path).eval()
    assert loss_of(again) == pytest.approx(expected, abs=1e-4)
    add_lora(again, 2)


def test_a_model_built_from_a_source_gets_adapters_and_keeps_them(tmp_path):
    plain = example_model()
    plain.save_pretrained(tmp_path / "hub")
    config = example_config()
    config.lora = 4
    model = build_model(config, source=str(tmp_path / "hub")).eval()
    assert loss_of(model) == loss_of(plain)
    torch.manual_seed(4)
    for parameter in lora_parameters(model).values():
        torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path / "adapted")
    again = GapModel.from_pretrained(tmp_path / "adapted").eval()
    assert loss_of(again) == loss_of(model) != loss_of(plain)
    assert build_model(config).state_dict().keys() == model.state_dict().keys()


def test_adapters_learn_in_place_of_the_language_model():
    model = example_model(heads=["depth"])
    add_lora(model, 4)
    stage = Stage(
        name="mix", steps=1, rates={"language": 1e-3, "heads": 1e-3}, weights={"depth": 1.0}
    )
    freeze(model, stage)
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    heads = {name for name in learning if name.startswith("heads.")}
    assert learning - heads == set(lora_parameters(model))
    assert heads
    model.requires_grad_(True)
    freeze(model, Stage(name="heads", steps=1, rates={"heads": 1e-3}, weights={"depth": 1.0}))
    assert {n for n, p in model.named_parameters() if p.requires_grad} == heads


def test_a_run_with_adapters_ends_as_a_plain_model(tiny_url, tmp_path):
    run = run_config(tiny_url, tmp_path / "run", steps=2, lora=2)
    folder = train(run).model
    assert folder is not None
    plain = GapModel.from_pretrained(folder).eval()
    assert (plain.config.lora, lora_parameters(plain)) == (0, {})
    checkpoint = latest_checkpoint(tmp_path / "run")
    assert checkpoint is not None
    adapted = load_trained(checkpoint).model
    assert adapted.config.lora == 2
    learned = [p for name, p in lora_parameters(adapted).items() if "lora_B" in name]
    assert all(bool(parameter.any()) for parameter in learned)
    merge_lora(adapted)
    for (name, mine), theirs in zip(adapted.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-6, msg=name)


def test_adapters_that_cannot_be_are_refused():
    model = example_model()
    with pytest.raises(ConfigError, match="lora rank 0: expected 1 or more"):
        add_lora(model, 0)
    add_lora(model, 2)
    with pytest.raises(ConfigError, match="has adapters already"):
        add_lora(model, 2)
