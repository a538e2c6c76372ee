"""The image size a renderer was asked for, applied to cameras."""

from __future__ import annotations

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera

COARSE_PIXELS = 80 * 60  # of the small depth maps that choose views


class ImageSize:
    """Output size of a renderer; None keeps each frame's own. Raises ConfigError for half a size."""

    def __init__(self, height: int | None, width: int | None) -> None:
        if (height is None) != (width is None):
            raise ConfigError(f"height {height} and width {width}: give both or neither")
        if height is not None and width is not None and min(height, width) < 1:
            raise ConfigError(f"height {height} and width {width}: both must be positive")
        self._height, self._width = height, width

    def of(self, camera: Camera) -> Camera:
        """The camera with its image at the wanted size."""
        if self._height is None or self._width is None:
            return camera
        return camera.resized(self._height, self._width)

    @staticmethod
    def coarse(camera: Camera) -> Camera:
        """The camera with an image of about COARSE_PIXELS pixels in the same shape."""
        scale = min(1.0, (COARSE_PIXELS / (camera.height * camera.width)) ** 0.5)
        return camera.resized(
            max(1, round(camera.height * scale)), max(1, round(camera.width * scale))
        )
