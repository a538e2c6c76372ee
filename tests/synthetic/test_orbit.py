"""Views around a place: they look at it from free air."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.errors import GapdataError
from gapdata.synthetic.orbit import OrbitConfig, orbit

LOW, HIGH = np.array([-2.0, -2.5, 0.0]), np.array([2.0, 2.5, 2.6])


def test_cameras_stay_in_free_air_and_see_the_middle():
    middle, config = np.array([0.2, -0.1, 0.8]), OrbitConfig()
    seen = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        frames = orbit(rng, middle, 0.4, (LOW, HIGH), lambda p, r: bool(p[0] < 1.0), config)
        eyes = np.array([frame.camera.cam2world[:3, 3] for frame in frames])
        assert (eyes[:, 0] < 1.0).all()
        assert (eyes >= LOW + config.margin - 1e-9).all()
        assert (eyes <= HIGH - config.margin + 1e-9).all()
        assert len({frame.id for frame in frames}) == len(frames)
        for frame in frames:
            pose = frame.camera.cam2world
            assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3))
            x, y, z = pose[:3, :3].T @ (middle - pose[:3, 3])
            assert z > 0.4
            assert np.hypot(x, y) / z < 0.4
        offset = eyes - middle
        seen.append(np.degrees(np.arcsin(offset[:, 2] / np.linalg.norm(offset, axis=1))))
    assert np.ptp(np.concatenate(seen)) > 20.0


def test_without_steadiness_each_view_is_from_another_side():
    """On a steady circle neighbours see the place from sides that differ little; else by 90 degrees on average."""
    turns = []
    for is_steady in (True, False):
        config = OrbitConfig(is_steady=is_steady, frames=(24, 24))
        rng = np.random.default_rng(0)
        frames = orbit(rng, np.array([0, 0, 1.0]), 0.4, (LOW, HIGH), lambda p, r: True, config)
        eyes = np.array([frame.camera.cam2world[:2, 3] for frame in frames])
        azimuth = np.arctan2(eyes[:, 1], eyes[:, 0])
        turn = np.abs((np.diff(azimuth) + np.pi) % (2 * np.pi) - np.pi)
        turns.append(np.degrees(turn.mean()))
    assert turns[0] < 20 < 60 < turns[1]


def test_without_free_air_there_are_no_views():
    with pytest.raises(GapdataError, match="found none"):
        orbit(np.random.default_rng(0), np.zeros(3), 0.4, (LOW, HIGH), lambda p, r: False)
