"""What a run starts from: tokenizer, model and rows of its datasets. And where it ends: the model for others to load."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.data.augment import Augment
from gapmodel.data.loader import Loader, LoaderConfig
from gapmodel.data.plan import LoaderState
from gapmodel.data.prompt import Prompt
from gapmodel.data.reading import Teacher
from gapmodel.geometry.feature_cache import FeatureCache
from gapmodel.geometry.vggt_encoder import VggtEncoder
from gapmodel.lora import merge_lora
from gapmodel.model import GapModel
from gapmodel.objectives import objective_class
from gapmodel.patches import token_grid
from gapmodel.presets import PRESETS, build_model, preset_config
from gapmodel.pretraining import PretrainingModel
from gapmodel.processor import GapProcessor
from gapmodel.settings import read_settings
from gapmodel.tokenizer import dataset_texts, train_tokenizer
from gapmodel.training.checkpoint import CheckpointError, latest_checkpoint, load_checkpoint
from gapmodel.training.parallel import Workers
from gapmodel.training.train_config import Stage, TrainConfig

RANDOM = "random"  # as `init`: random weights and a tokenizer of its own, in any preset's shape


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Start:
    """The fixed parts of a run."""

    config: TrainConfig
    model_config: GapConfig
    processor: GapProcessor
    workers: Workers

    def new_model(self) -> GapModel:
        """The model before its first step: from a folder or the hub, or random weights that follow from the seed.

        Once there is a checkpoint, weights come from it and are not looked for elsewhere.
        """
        torch.manual_seed(self.config.seed)
        checkpoint = latest_checkpoint(Path(self.config.out))
        source = "" if checkpoint else _source(self.config)
        model = build_model(self.model_config, source=source)
        if isinstance(model.geometry_encoder, VggtEncoder):
            model.geometry_encoder.load_weights()
        return model

    def open_rows(
        self, stage: Stage, state: LoaderState, *, teacher: Teacher | None = None
    ) -> Loader:
        """The rows of this process from a place in the plan on, with the layers that the stage learns from.

        Which rows come does not depend on the stage, only what is read of them. teacher: where the features of a frozen
        3D encoder come from, the cache of the run where not given.
        """
        config, device = self.config, self.workers.device
        named = [name for name, weight in stage.weights.items() if weight > 0]
        needs = _needs(named)
        if config.geometry.get("source") == "cache":
            needs |= {"teacher"}
        if "teacher" in needs and teacher is None:
            teacher = _cached_features(config.features)
        phrases = {"objects", "relations"} & _needs(objectives(config))
        # Kernels are compiled for a length; on the host nothing is.
        pad_to = config.row_tokens if config.compile else 128 if device.type == "cuda" else 1
        return Loader(
            LoaderConfig(
                data=config.data,
                split=config.split,
                seed=config.seed,
                image_size=config.image_size,
                row_tokens=config.row_tokens,
                rows=config.rows,
                max_views=config.max_views,
                max_questions=config.max_questions,
                task_weights=dict(config.task_weights),
                augment=read_settings(Augment, config.augment, "augment"),
                phrase_tokens=config.phrase_tokens if phrases else 0,
                blind=config.blind,
                needs=needs,
                input_geometry=config.geometry["kind"] == "depth_normal",
                pad_to=pad_to,
                max_bad_samples=config.max_bad_samples,
                workers=config.workers,
                cache=config.cache,
                shard_cache=config.shard_cache,
                shard_cache_bytes=round(config.shard_cache_gb * 1e9),
            ),
            Prompt(self.processor.tokenizer, token_grid(self.model_config, *config.image_size)),
            rank=self.workers.rank,
            world_size=self.workers.size,
            state=state,
            teacher=teacher,
        )

    def save_assets(self, folder: Path) -> None:
        """Write what a model needs besides its weights."""
        self.model_config.save_pretrained(folder)
        self.processor.save_pretrained(folder)


def objectives(config: TrainConfig) -> tuple[str, ...]:
    """Everything that some stage learns from, in order of the first stage that names it."""
    return tuple(
        dict.fromkeys(
            name for stage in config.stages for name, weight in stage.weights.items() if weight > 0
        )
    )


def prepare(config: TrainConfig, team: Workers) -> Start:
    """What the run starts from. A tokenizer of its own is learned once and then kept with the checkpoints."""
    tokenizer = _tokenizer(config, team)
    model_config = preset_config(
        config.preset,
        tokenizer=tokenizer,
        geometry=config.geometry,
        fusion=config.fusion,
        heads={name: config.heads.get(name, {}) for name in objectives(config)},
        lora=config.lora,
    )
    vision = model_config.vision_config
    processor = GapProcessor(
        tokenizer,
        image_size=config.image_size,
        patch_size=vision.patch_size,
        merge_size=vision.spatial_merge_size,
        temporal_patch_size=vision.temporal_patch_size,
    )
    return Start(config=config, model_config=model_config, processor=processor, workers=team)


def export_model(config: TrainConfig, start: Start, team: Workers) -> Path:
    """Folder `out/model` with the newest checkpoint's model in transformers' layout; replaces what was there."""
    out = Path(config.out)
    folder, beside = out / "model", out / ".unfinished-model"
    if team.leads:
        checkpoint = latest_checkpoint(out)
        assert checkpoint is not None
        root = PretrainingModel(start.new_model())
        load_checkpoint(checkpoint, root, alone=True)
        merge_lora(root.model)
        shutil.rmtree(beside, ignore_errors=True)
        try:
            root.model.save_pretrained(beside)
            start.processor.save_pretrained(beside)
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
        except OSError as error:
            shutil.rmtree(beside, ignore_errors=True)
            raise CheckpointError(
                f"{folder}: cannot be saved: {error}; the checkpoint {checkpoint} has all of it: "
                "make room there and run the same command again"
            ) from error
    team.wait()
    return folder


def _needs(names: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*(objective_class(name).needs for name in names))


def _cached_features(url: str) -> Teacher:
    if not url:
        raise ConfigError(
            "features: distillation and geometry of source cache learn from a feature cache, none is named; "
            "fill one with pipelines/cache_features.py"
        )
    return FeatureCache.existing(url).lookup


def _source(config: TrainConfig) -> str:
    if config.init == RANDOM:
        return ""
    return config.init or PRESETS[config.preset].hub


def _tokenizer(config: TrainConfig, team: Workers) -> PreTrainedTokenizerBase:
    """The tokenizer of the newest checkpoint, of what the run starts from, or one learned from the datasets' texts."""
    checkpoint = latest_checkpoint(Path(config.out))
    source = str(checkpoint) if checkpoint else _source(config)
    if source:
        return AutoTokenizer.from_pretrained(source)
    folder = Path(config.out) / "tokenizer"
    if team.leads:
        texts = chain.from_iterable(dataset_texts(url, config.split) for url, _ in config.data)
        vocabulary = PRESETS[config.preset].text["vocab_size"]
        train_tokenizer(texts, vocabulary).save_pretrained(folder)
    team.wait()
    return AutoTokenizer.from_pretrained(folder)
