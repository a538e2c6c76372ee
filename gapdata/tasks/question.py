"""A question before it has words: the measured fact and the names that its wording needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool

from gapdata.tasks.noise import Noise
from gapdata.tasks.references import Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A fact that may be asked. Fields mean what they mean in `gapdata.sample.QA`.

    wording: key of the template table, usually the task's name with a variant. slots: what the templates
    insert (object names, option lists, units). choices: in the order shown; for format "choice" `value` is
    one of them. references: how the question names objects; their markers are drawn too. holds: whether the answer
    is the same in each disturbed world, for every answer that the place of objects or cameras decides.
    """

    task: str
    wording: str
    format: str
    views: tuple[int, ...]
    value: Any
    frame: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    objects: tuple[int, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    margin: float = 0.0
    markers: tuple[Mapping[str, Any], ...] = ()
    slots: Mapping[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    holds: Callable[[Noise], Bool[np.ndarray, " K"]] | None = field(default=None, compare=False)
