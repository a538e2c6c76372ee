"""Which collections of models worlds may draw from, and how often they do."""

from __future__ import annotations

from dataclasses import dataclass

from gapdata.errors import ConfigError

LICENCES = ("cc0", "any")
DEFAULT_SHARE = 0.7


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetsConfig:
    """Collections of models: .sh3f libraries, and folders with an assets.json."""

    paths: tuple[str, ...]
    licence: str = "cc0"  # "cc0": public domain only; "any"
    share: float = DEFAULT_SHARE  # of the objects that have a model: how many are drawn as one

    def __post_init__(self) -> None:
        if self.licence not in LICENCES:
            raise ConfigError(
                f"assets_licence: expected one of {', '.join(LICENCES)}, found {self.licence!r}"
            )
        if not 0.0 <= self.share <= 1.0:
            raise ConfigError(f"assets_share: expected 0 to 1, found {self.share!r}")
