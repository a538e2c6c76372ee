"""Where a step's time goes: data, vision, geometry, language, heads, optimizer."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from gapmodel.model import GapModel

TIMED = ("data", "vision", "geometry", "language", "heads", "optimizer")


class StepTime:
    """Marks between the parts of a step; `seconds` gives the time up to each mark to the part that it closes.

    Forward, a part ends when its module returns; what is left is the heads. Backward runs through the parts the
    other way round, and a part begins when the gradient of its output is complete. On a GPU marks are events:
    nothing waits before `seconds`.
    """

    def __init__(self, model: GapModel, device: torch.device) -> None:
        self._gpu = device.type == "cuda"
        self._marks: list[tuple[str, float | torch.cuda.Event]] = []
        self._open = "heads"  # the part that the backward pass is in
        for part, module in (
            ("vision", model.model.visual),
            ("geometry", model.fusion),
            ("language", model.model.language_model),
        ):
            if module is not None:
                module.register_forward_hook(_Returned(self, part))
        self.mark("data")

    def mark(self, part: str) -> None:
        """Everything since the mark before this one was spent on a part."""
        if self._gpu:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append((part, event))
        else:
            self._marks.append((part, time.perf_counter()))

    def start_backward(self) -> None:
        """The forward pass is over."""
        self.mark("heads")
        self._open = "heads"

    def end_backward(self) -> None:
        """The backward pass is over."""
        self.mark(self._open)

    def enter_backward(self, part: str) -> None:
        """The backward pass has come to a part."""
        self.mark(self._open)
        self._open = part

    def seconds(self) -> dict[str, float]:
        """Seconds of each part since the last call, which also starts the next step."""
        if self._gpu:
            torch.cuda.synchronize()
        spent = dict.fromkeys(TIMED, 0.0)
        for (_, start), (part, end) in zip(self._marks, self._marks[1:], strict=False):
            spent[part] += _between(start, end)
        del self._marks[:-1]
        return spent


class _Returned:
    """A forward hook: the part's module has returned. Only its main tokens mark the way back."""

    def __init__(self, clock: StepTime, part: str) -> None:
        self.clock, self.part = clock, part

    def __call__(self, _module: nn.Module, _inputs: object, output: object) -> None:
        self.clock.mark(self.part)
        main = _main_tokens(output)
        if main.requires_grad:
            main.register_hook(lambda _gradient: self.clock.enter_backward(self.part))


def _main_tokens(output: object) -> Tensor:
    """What the next part reads first: the tokens that the language model embeds, or its last hidden state."""
    if isinstance(output, tuple) and not hasattr(output, "keys"):
        return output[0]
    pooled = getattr(output, "pooler_output", None)
    return pooled if pooled is not None else output.last_hidden_state  # type: ignore[attr-defined]


def _between(start: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    if isinstance(start, torch.cuda.Event):
        assert isinstance(end, torch.cuda.Event)
        return start.elapsed_time(end) / 1000
    assert isinstance(end, float)
    return end - start
