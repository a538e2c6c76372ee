"""One model of an asset collection before anything is loaded: what it is, how large, whose, and its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

# Rotations from a file's axes to x right, y ahead, z up, with the front towards -y.
UPRIGHT: dict[str, tuple[tuple[int, int, int], ...]] = {
    "y": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),  # OBJ, glTF: x right, y up, z towards who looks at it
    "z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
TURN_DEGREES = {"-y": 0, "+x": -90, "+y": 180, "-x": 90}  # about z, that bring a front to -y


@dataclass(frozen=True, kw_only=True, slots=True)
class Credit:
    """Whom a model is owed to, and the terms it comes under."""

    collection: str
    name: str
    creator: str
    licence: str

    @property
    def line(self) -> str:
        """One line for an attribution list."""
        by = f" by {self.creator}" if self.creator else ""
        return f'"{self.name}"{by}, from {self.collection}: {self.licence}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A model as its collection lists it.

    `files` are all it may need by path, the model at `path`. Its bytes, read when asked for, decide
    its look; nothing depends on where they lie.
    """

    label: str
    path: str
    files: Mapping[str, bytes]
    credit: Credit
    size: tuple[float, float, float] | None = None  # width, depth, height in metres; None = its own
    unit: float = 1.0  # metres a unit of the file, when there is no size
    rotation: tuple[float, ...] = ()  # 9 numbers, rows first, applied in the file's axes; () = none
    up: str = "y"  # a key of UPRIGHT
    front: str = "-y"  # a key of TURN_DEGREES, after `up`

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the model, in hexadecimal."""
        facts = [
            self.label, self.path, self.size, self.unit, self.rotation, self.up, self.front,
            sorted((name, hashlib.sha256(data).hexdigest()) for name, data in self.files.items()),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
