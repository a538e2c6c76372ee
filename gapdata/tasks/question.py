"""A question before it has words: the measured fact and the names that its wording needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A fact that may be asked. Fields mean what they mean in `gapdata.sample.QA`.

    wording: key of the template table, usually the task's name with a variant. slots: what the templates
    insert (object names, option lists, units). choices: in the order shown; for format "choice" `value` is
    one of them.
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
