"""Every error a user can cause, as one line that says where, what was expected, what was found and what to do."""

from __future__ import annotations


class GapdataError(Exception):
    """Base of all errors that are shown to a user as one line, without a traceback."""


class ConfigError(GapdataError):
    """A setting, flag, path or name that cannot be used (exit code 2)."""


class DatasetError(GapdataError):
    """A dataset that is unfinished, damaged, or of another schema version."""


class MissingDependencyError(GapdataError):
    """A missing optional package or system library; the text ends with the exact install command."""


class SourceError(GapdataError):
    """Raw input that cannot be read: `source: scene: file: problem; hint`.

    `scene` and `file` may be empty when the fault lies above them (a wrong root, say).
    """

    def __init__(self, source: str, scene: str, file: object, problem: str, hint: str = "") -> None:
        where = ": ".join(str(part) for part in (source, scene, file) if str(part))
        super().__init__(f"{where}: {problem}" + (f"; {hint}" if hint else ""))
        self.source, self.scene, self.file = source, scene, str(file)
        self.problem, self.hint = problem, hint

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, str, str, str, str]]:
        return type(self), (self.source, self.scene, self.file, self.problem, self.hint)
