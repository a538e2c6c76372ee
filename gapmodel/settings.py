"""Settings of one part of the model, read from the plain dict that the model's config stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

from gapdata.errors import ConfigError

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], values: Mapping[str, Any], where: str) -> Settings:
    """The dataclass `kind` with these values; lists become tuples. Raises ConfigError naming a key it lacks or does not know."""
    assert is_dataclass(kind)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{where}: unknown setting {key!r}; it has {', '.join(known)}")
    for name, field in known.items():
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and name not in values:
            raise ConfigError(f"{where}: setting {name!r} is missing")
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    )


def require(condition: bool, where: str, message: str) -> None:
    """Nothing; raises ConfigError `where: message` when the condition does not hold."""
    if not condition:
        raise ConfigError(f"{where}: {message}")
