"""Renderers on a real scan: the mesh, the poses and the sensor must tell the same story."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.renderers import open_renderer
from gapdata.sources import open_source

pytestmark = pytest.mark.real_scan


@pytest.fixture(scope="module")
def scan(real_scan_root):
    source = open_source("scannet", str(real_scan_root))
    return source.load(next(iter(source.splits().values()))[0])


def test_mesh_depth_is_sensor_depth(scan):
    """Median difference under 2 cm over frames of the whole scan."""
    captured, cast = open_renderer("captured", scan), open_renderer("raycast", scan)
    differences, confirmed, labelled = [], [], []
    for frame in scan.frames[::12]:
        a, b = captured.render(frame), cast.render(frame)
        both = (a.depth > 0) & (b.depth > 0)
        differences.append(np.abs(a.depth - b.depth)[both])
        confirmed.append((a.instance[both] > 0).mean())
        labelled.append((b.instance[both] > 0).mean())
    difference = np.concatenate(differences)
    print(f"median |mesh - sensor| {1000 * np.median(difference):.1f} mm")
    print(f"90 % {1000 * np.percentile(difference, 90):.1f} mm")
    assert np.median(difference) < 0.02
    # Where both see something, the sensor confirms nearly all of the mesh's labels.
    assert np.mean(confirmed) > 0.9 * np.mean(labelled)


def test_colours_of_mesh_and_image_agree(scan):
    """A swapped axis or channel would tear the two pictures apart: they correlate pixel by pixel."""
    captured, cast = open_renderer("captured", scan), open_renderer("raycast", scan)
    for frame in scan.frames[5::40]:
        a, b = captured.render(frame), cast.render(frame)
        both = (a.depth > 0) & (b.depth > 0)
        for channel in range(3):
            seen, drawn = (view.rgb[both][:, channel].astype(float) for view in (a, b))
            assert np.corrcoef(seen, drawn)[0, 1] > 0.7
        hue_seen, hue_drawn = (
            view.rgb[both][:, 0].astype(float) - view.rgb[both][:, 2] for view in (a, b)
        )
        assert np.corrcoef(hue_seen, hue_drawn)[0, 1] > 0.7


def test_recorded_jpeg_is_passed_on(scan):
    view = open_renderer("captured", scan).render(scan.frames[0])
    assert view.jpeg == scan.frames[0].recording.read_jpeg()
    assert view.jpeg[:2] == b"\xff\xd8"
