"""The hour and the bulbs: tints ordered by temperature, never darkness, the same seed the same light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.scene import AreaLight, Light
from gapdata.synthetic.lighting import (
    LUMINANCE,
    NOON_K,
    Lighting,
    _black_body,
    _tint,
    lit,
    sample_lighting,
    shining,
)
from gapdata.synthetic.rooms import RoomWorld

LAMPS = [Light(position=np.array([0.0, 0.0, 2.4]), color=np.array([4.2, 3.95, 3.6]))]
WINDOWS = [
    AreaLight(
        position=np.array([2.0, 0.0, 1.8]),
        edges=np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]),
        color=np.array([1.15, 1.25, 1.4]),
    )
]
NIGHT = Lighting(
    bulbs=np.ones(3), day=np.ones(3), brightness=0.0, lamps_on=True, radius=0.1
)  # fmt: skip


@pytest.mark.parametrize(
    ("kelvin", "xy"), [(2856.0, (0.4476, 0.4074)), (6500.0, (0.3135, 0.3237)), (4000.0, (0.3805, 0.3768))]
)  # fmt: skip
def test_black_bodies_have_their_chromaticity(kelvin: float, xy: tuple[float, float]) -> None:
    """Published points of the Planckian locus (illuminant A among them), through linear sRGB and back."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ _black_body(kelvin)
    np.testing.assert_allclose(xyz[:2] / xyz.sum(), xy, atol=0.003)


def test_warmer_light_is_redder_at_the_same_luminance() -> None:
    tints = np.array([_tint(kelvin) for kelvin in (2000.0, 2700.0, 3500.0, 4500.0, NOON_K, 9000.0)])
    assert (np.diff(tints[:, 0]) < 0).all()
    assert (np.diff(tints[:, 2]) > 0).all()
    np.testing.assert_allclose(tints @ LUMINANCE, 1.0)
    np.testing.assert_allclose(_tint(NOON_K), 1.0)


def test_lamps_burn_at_night_and_windows_are_dark() -> None:
    lights = lit(NIGHT, LAMPS, WINDOWS)
    assert [light.position.tolist() for light in lights] == [[0.0, 0.0, 2.4]]
    assert lights[0].radius == 0.1
    assert lights[0].color @ LUMINANCE == pytest.approx(LAMPS[0].color @ LUMINANCE)


def test_a_home_without_windows_is_never_dark() -> None:
    off = replace(NIGHT, brightness=1.0, lamps_on=False)
    assert lit(off, LAMPS, WINDOWS)[0].position.tolist() == [2.0, 0.0, 1.8]
    assert lit(off, LAMPS, [])[0].position.tolist() == [0.0, 0.0, 2.4]


def test_the_dial_widens_what_is_drawn() -> None:
    """At difficulty 0 always noon, lamps on, one bulb; at 1 all hours, and about 2 of 5 homes without lamps by day."""
    plain = [sample_lighting(np.random.default_rng(n), 0.0) for n in range(20)]
    assert all(one.lamps_on and one.brightness == 1.0 for one in plain)
    assert np.ptp([one.bulbs for one in plain], axis=0).max() == 0
    varied = [sample_lighting(np.random.default_rng(n), 1.0) for n in range(300)]
    assert np.ptp([one.bulbs[2] for one in varied]) > 0.3
    off = np.mean([not one.lamps_on for one in varied])
    assert 0.3 < off < 0.5  # 0.6 of the two thirds of the hours that are bright
    assert all(one.lamps_on for one in varied if one.brightness < 0.5)


@pytest.mark.parametrize("on", [True, False])
def test_windows_show_the_hour_and_lamps_glow_where_they_are_on(on: bool) -> None:
    description = RoomWorld().describe(np.random.default_rng(4), 0.0)
    dusk = replace(NIGHT, brightness=0.25, lamps_on=on)
    windows = lamps = 0
    for before, after in zip(description.placed, shining(dusk, description.placed), strict=True):
        pairs = list(zip(before.model.parts, after.model.parts, strict=True))
        glowing = [b.glow > 0 for _, b in pairs]
        if before.model.label == "window":
            windows += 1
            panes = [(a.image, b.image) for a, b in pairs if a.image is not None]
            assert panes
            assert all(b.mean() < 0.7 * a.mean() for a, b in panes)
            assert glowing == [a.image is not None for a, _ in pairs]
        elif any(a.glow for a, _ in pairs):
            lamps += 1
            assert before.model.label == "ceiling light"
            assert any(glowing) == on
        else:
            assert after is before
    assert windows
    assert lamps


def test_no_window_glows_at_night() -> None:
    description = RoomWorld().describe(np.random.default_rng(4), 0.0)
    for thing in shining(NIGHT, description.placed):
        if thing.model.label == "window":
            assert all(part.glow == 0 for part in thing.model.parts)
