"""What lies beyond a scene's surfaces: sky, and land below the horizon, seen and as light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32

from gapdata.scene import AnyLight, Sky, Sun

Array = np.ndarray

GROUND_ALBEDO = 0.25  # of the land under a sky, which lights what looks down


class Surroundings:
    """The skies among a scene's lights, and land under them that they and its suns light."""

    def __init__(self, lights: Sequence[AnyLight]) -> None:
        self._skies = tuple(light for light in lights if isinstance(light, Sky))
        self._suns = tuple(light for light in lights if isinstance(light, Sun))
        self.has_sky = bool(self._skies)
        # Irradiance of a level surface under the whole sky: the integral of radiance times cosine.
        self.from_sky = np.zeros(3)
        for sky in self._skies:
            self.from_sky += np.pi * (sky.horizon + 2.0 * sky.zenith) / 3.0
        self._from_ground = GROUND_ALBEDO * (self.from_sky + self.from_suns(0.0))

    def from_suns(self, lowest: float) -> Float[Array, "3"]:
        """Irradiance of a level surface from suns, each as if its sine of elevation were `lowest` at least."""
        total = np.zeros(3)
        for sun in self._suns:
            total += sun.color * max(lowest, float(sun.direction[2]))
        return total

    def radiance(self, sine: Float[Array, " n"]) -> Float[Array, "n 3"]:
        """Linear radiance of the sky by the sine of elevation, and of hazy land below the horizon."""
        radiance = np.zeros((len(sine), 3))
        for sky in self._skies:
            radiance += sky.horizon + np.maximum(sine, 0)[:, None] * (sky.zenith - sky.horizon)
        horizon = np.sum([sky.horizon for sky in self._skies], axis=0)
        radiance[sine < 0] = 0.5 * (horizon + self._from_ground / np.pi)
        return radiance

    def light(self, sine: Float32[Array, " n"]) -> Float32[Array, "n 3"]:
        """Pi times the radiance that lights a scene past its surfaces: of the sky, and of the land around."""
        light = np.zeros((len(sine), 3), np.float32)
        for sky in self._skies:
            steps = np.pi * (sky.zenith - sky.horizon)
            light += (np.pi * sky.horizon + np.maximum(sine, 0)[:, None] * steps).astype(np.float32)
        light[sine < 0] = self._from_ground
        return light

    def unhidden(self, normal: Float32[Array, "n 3"]) -> Float32[Array, "n 3"]:
        """Irradiance of surfaces that nothing stands near, by their normals."""
        up = 0.5 + 0.5 * normal[:, 2:]
        return (self._from_ground + up * (self.from_sky - self._from_ground)).astype(np.float32)
