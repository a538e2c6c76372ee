"""Scenes that the tests of the generator share."""

from __future__ import annotations

import pytest

from gapdata.scene import Scene
from gapdata.sources.synthetic import SyntheticSource


@pytest.fixture(scope="session")
def rooms() -> list[Scene]:
    """Eighteen rooms of one seed."""
    source = SyntheticSource(num_scenes=18, seed=11)
    return [source.load(f"room_s11_{number:06d}") for number in range(18)]
