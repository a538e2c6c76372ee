"""Which scans show the same room: they belong into one split."""

from __future__ import annotations

import re

# ScanNet numbers rescans of a room: scene0000_00, scene0000_01 ... (http://www.scan-net.org, "scans").
_SCANNET = re.compile(r"(scene\d{4})_\d{2}")


def room_of(source: str, scene_id: str) -> str:
    """The name of the room a scene shows; scenes of other sources are rooms of their own."""
    match = _SCANNET.fullmatch(scene_id)
    return f"{source}/{match[1] if match else scene_id}"
