"""Checkpoints of a run: complete or not there. Written beside, synced, renamed; read by any number of processes."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException

from gapdata.errors import ConfigError, GapdataError
from gapmodel.data.plan import LoaderState
from gapmodel.training.parallel import Workers
from gapmodel.training.train_config import TrainConfig

_STATE = "state.json"
_UNFINISHED = ".unfinished-"


class CheckpointError(GapdataError):
    """A checkpoint that cannot be written or read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunState:
    """What a run needs besides tensors to go on. step: steps done. loss_means: running mean of each objective's loss."""

    step: int
    rows: LoaderState  # place in the plan
    loss_means: dict[str, float]
    bad_samples: tuple[str, ...]


def save_checkpoint(
    out: Path, state: RunState, config: TrainConfig, model: nn.Module, optimizer: torch.optim.Optimizer,
    *, workers: Workers, save_assets: Callable[[Path], None],
) -> Path:  # fmt: skip
    """Folder of the new checkpoint in `out/checkpoints`, written by all processes together.

    save_assets: writes what is not tensors of the run (the model's config, its tokenizer) into a folder. Only
    the newest `config.keep` checkpoints stay. Raises CheckpointError when it cannot be written, a full disk say;
    the checkpoints before it are untouched then.
    """
    folder = out / "checkpoints" / f"{state.step:08d}"
    if (folder / _STATE).is_file():
        return folder
    unfinished = folder.with_name(f"{_UNFINISHED}{folder.name}")
    if workers.leads:
        shutil.rmtree(unfinished, ignore_errors=True)
    workers.wait()
    failure = ""
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        with _quiet():
            dcp.save(
                _tensors(model, optimizer),
                storage_writer=dcp.FileSystemWriter(unfinished, sync_files=True),
            )
        if workers.leads:
            save_assets(unfinished)
            record = asdict(state) | {"config": config.to_dict()}
            (unfinished / _STATE).write_text(json.dumps(record, indent=1) + "\n")
            for file in unfinished.iterdir():
                _sync(file)
            _sync(unfinished)
            unfinished.rename(folder)
            _sync(folder.parent)
    except (OSError, RuntimeError, CheckpointException) as error:
        failure = _reason(error)
    if failures := [text for text in workers.gather(failure) if text]:
        if workers.leads:
            shutil.rmtree(unfinished, ignore_errors=True)
        good = latest_checkpoint(out)
        raise CheckpointError(
            f"{folder}: cannot be saved: {failures[0]}; "
            + (f"the last good checkpoint is {good}; " if good else "there is no checkpoint yet; ")
            + "make room there and run the same command again"
        )
    if workers.leads:
        for old in _checkpoints(out)[: -config.keep]:
            shutil.rmtree(old)
    return folder


def latest_checkpoint(out: Path) -> Path | None:
    """Folder of the newest complete checkpoint of a run, None when it has none."""
    found = _checkpoints(out)
    return found[-1] if found else None


def read_state(folder: Path) -> tuple[RunState, TrainConfig]:
    """Where the run was at a checkpoint, and its config. Raises CheckpointError when they cannot be read."""
    try:
        record = json.loads((folder / _STATE).read_text())
        config = TrainConfig.from_dict(record.pop("config"))
        record["rows"] = LoaderState(**record["rows"])
        record["bad_samples"] = tuple(record["bad_samples"])
        return RunState(**record), config
    except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(
            f"{folder / _STATE}: not a checkpoint's state ({error}); remove {folder} to go on from the one before"
        ) from error


def require_same_config(folder: Path, config: TrainConfig) -> RunState:
    """State of a checkpoint that belongs to this config. Raises ConfigError that names what differs."""
    state, there = read_state(folder)
    if differences := config.differences(there):
        raise ConfigError(
            f"{folder} is of another run ({'; '.join(differences)}): give another --out, or --fresh to start over"
        )
    return state


def load_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    alone: bool = False,
) -> None:
    """Fill the model, and the optimiser's moments where the checkpoint has them, from a checkpoint.

    Parameters that the optimiser knows and the checkpoint does not start without moments. Works for any number of
    processes, whatever number wrote it: all of them together, or with `alone` just this one, whose model is whole.
    Raises CheckpointError for files that are damaged or do not fit.
    """
    try:
        reader = dcp.FileSystemReader(folder)
        known = set(reader.read_metadata().state_dict_metadata)
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        if optimizer is not None:
            tensors |= _empty_moments(model, optimizer, known)
        with _quiet():
            dcp.load(tensors, storage_reader=reader, no_dist=alone)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, CheckpointException) as error:
        raise CheckpointError(
            f"{folder}: cannot be read: {_reason(error)}; remove it to go on from the one before"
        ) from error


def discard_unfinished(out: Path) -> None:
    """Remove what a save that was killed left behind."""
    for folder in (out / "checkpoints").glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder)


def _checkpoints(out: Path) -> list[Path]:
    folders = (out / "checkpoints").glob("[0-9]*")
    return sorted(folder for folder in folders if (folder / _STATE).is_file())


def _tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    moments = {
        f"optimizer.{names[id(parameter)]}.{key}": value
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
    }
    return {f"model.{name}": value for name, value in model.state_dict().items()} | moments


def _empty_moments(
    model: nn.Module, optimizer: torch.optim.Optimizer, known: set[str]
) -> dict[str, Tensor]:
    """Moments of zeros, put into the optimiser, for those parameters whose moments are known."""
    learning = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if id(parameter) in learning and f"optimizer.{name}.step" in known:
            state = {
                "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                "exp_avg": torch.zeros_like(parameter, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
            }
            optimizer.state[parameter] = state
            tensors |= {f"optimizer.{name}.{key}": value for key, value in state.items()}
    return tensors


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException) -> str:
    """The innermost cause in one line: DCP wraps what happened in texts of many lines."""
    if isinstance(error, CheckpointException) and error.failures:
        error = next(iter(error.failures.values()))[0]
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


class _quiet(warnings.catch_warnings):  # noqa: N801 - reads as a statement
    """Without DCP's warning that there is one process: that is how it is meant to work here."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.filterwarnings("ignore", message=".*torch.distributed is disabled")
