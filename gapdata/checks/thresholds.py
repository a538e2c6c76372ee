"""How far the layers of a sample may disagree before it is a fault."""

from __future__ import annotations

from dataclasses import dataclass

from gapdata.geometry.depth import DepthTolerance


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """How far a sample's layers may disagree. Shares are of what could be compared."""

    depth: DepthTolerance  # reprojected against measured z-depth
    max_floating: float  # pixels in front of the surface that another view measured there
    max_floating_view: float  # the same of the pairs that one view takes part in
    max_floating_points: float  # scene points likewise
    max_off_surface: (
        float  # facing scene points on their own instance that are not at the measured depth
    )
    min_same_instance: float  # pixels whose instance id another view confirms
    min_same_point_instance: float  # seen scene points that have the id of their pixel
    box_margin: float  # metres around a box that still belong to it
    min_in_boxes: float  # measured pixels of all objects that lie in their boxes
    min_in_box: float  # the same of each object alone
    max_normal_angle: float  # degrees between a normal and the one the depth gives
    min_normals: float  # normals within that angle
    min_facing: float = 0.98  # normals that face the camera
    min_points_in_box: float = 0.9  # an instance's seen scene points that lie in its box
    max_wrong_states: float = 0.02  # scene points marked as seen against the depth
    max_color_ratio: float = 0.9  # colour difference of matched pixels over that of shuffled ones
    min_color_contrast: float = (
        8.0  # of 255, between shuffled pixels; plainer pictures decide nothing
    )
    pixel: float = 0.1  # pixels between a scene point's stored and computed position
    min_compared: int = 200  # fewer pixels or points than this decide nothing

    def share(self, part: int, whole: int) -> float:
        """`part / whole`; 0 when the whole is too small to judge by."""
        return part / whole if whole >= self.min_compared else 0.0


# Ray-cast layers agree to rounding and to what one pixel covers.
EXACT = Thresholds(
    depth=DepthTolerance(a=0.01, b=0.001),
    max_floating=0.02,
    max_floating_view=0.04,
    max_floating_points=0.02,
    max_off_surface=0.6,  # furniture has insides: open shelves and chairs stand behind their own fronts
    min_same_instance=0.97,
    min_same_point_instance=0.8,  # within the tolerance, a rug and its floor are one place
    box_margin=0.02,
    min_in_boxes=0.98,
    min_in_box=0.95,
    max_normal_angle=30.0,  # meshes of scans are bumpy, clutter has edges everywhere
    min_normals=0.6,
)
# Recorded depth has noise, holes and a tracker that drifts by some centimetres.
MEASURED = Thresholds(
    depth=DepthTolerance(a=0.05, b=0.01),
    max_floating=0.12,
    max_floating_view=0.2,
    max_floating_points=0.2,
    max_off_surface=0.08,
    min_same_instance=0.7,
    min_same_point_instance=0.7,
    box_margin=0.12,
    min_in_boxes=0.7,
    min_in_box=0.0,  # glass, mirrors and screens measure wrong as a whole
    max_normal_angle=35.0,
    min_normals=0.6,
)
