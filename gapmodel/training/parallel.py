"""Processes of a run: who this one is, what it shares with the others, and how the model is split over them."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """The processes of a run as one of them sees it. Without a process group it is alone."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - immutable

    @property
    def leads(self) -> bool:
        """Whether this process writes what is written once."""
        return self.rank == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """The numbers summed over all processes, in float64 on the host."""
        totals = torch.tensor(values, dtype=torch.float64)
        if self.size > 1:
            dist.all_reduce(totals)
        return totals.tolist()

    def gather(self, value: Any) -> list[Any]:
        """The value of each process, in order of rank."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Return when all processes are here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def workers() -> Iterator[Workers]:
    """The processes that torchrun started, or this one alone.

    A GPU always has a process group: its model is split and kept in bfloat16 by the same code for 1 and many.
    """
    gpu = torch.cuda.is_available()
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if gpu else torch.device("cpu")
    )
    if gpu:
        torch.cuda.set_device(device)
    if size == 1 and not gpu:
        yield Workers(device=device)
        return
    # Numbers on the host travel by gloo and never wait for the GPU.
    backend = "cpu:gloo,cuda:nccl" if gpu else "gloo"
    alone: dict[str, Any] = (
        {"store": dist.HashStore(), "rank": 0, "world_size": 1} if "RANK" not in os.environ else {}
    )
    dist.init_process_group(backend, **alone)
    try:
        yield Workers(rank=rank, size=size, device=device)
    finally:
        dist.destroy_process_group()


def split_model(root: nn.Module, blocks: Sequence[nn.Module], device: torch.device) -> None:
    """Split the parameters over all processes: each block by itself, then what is left with the root.

    Does nothing without a process group. On a GPU blocks compute in bfloat16 from float32 parameters, and
    gradients are summed in float32.
    """
    if not dist.is_initialized():
        return
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    policy = (
        MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
        if device.type == "cuda"
        else MixedPrecisionPolicy()
    )
    for block in blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(root, mesh=mesh, mp_policy=policy)


def gradient_scale(root: nn.Module) -> float:
    """What a loss has to be multiplied by so that gradients are summed over processes, which FSDP averages."""
    return float(dist.get_world_size()) if isinstance(root, FSDPModule) else 1.0


def whole(tensor: Tensor) -> Tensor:
    """The tensor itself, gathered from all processes if it is split over them."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def peak_memory(device: torch.device) -> int:
    """Most bytes that this process ever held: on its GPU, or resident when it has none."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
