"""Which scans show the same room, and which rooms the public benchmarks evaluate on."""

from __future__ import annotations

import re

# ScanNet numbers rescans of a room: scene0000_00, scene0000_01 ... (http://www.scan-net.org).
_SCANNET = re.compile(r"scene(\d{4})_\d{2}")
# ScanNet v2's benchmark splits by room: the 312 scans of scannetv2_val.txt show these 142 rooms, the hidden test scans are
# scene0707_00 to scene0806_00. ScanRefer, ScanQA, SQA3D, VSI-Bench and SPAR-Bench evaluate on scans of them.
_SCANNET_VAL = frozenset(
    {
        11, 15, 19, 25, 30, 46, 50, 63, 64, 77, 81, 84, 86, 88, 95, 100, 131, 139, 144, 146,
        149, 153, 164, 169, 187, 193, 196, 203, 207, 208, 217, 221, 222, 231, 246, 249, 251,
        256, 257, 277, 278, 300, 304, 307, 314, 316, 328, 329, 334, 338, 342, 343, 351, 353,
        354, 355, 356, 357, 377, 378, 382, 389, 406, 412, 414, 423, 426, 427, 430, 432, 435,
        441, 458, 461, 462, 474, 488, 490, 494, 496, 500, 518, 527, 535, 549, 550, 552, 553,
        558, 559, 565, 568, 574, 575, 578, 580, 583, 591, 593, 595, 598, 599, 606, 607, 608,
        609, 616, 618, 621, 629, 633, 643, 644, 645, 647, 648, 651, 652, 653, 655, 658, 660,
        663, 664, 665, 670, 671, 678, 684, 685, 686, 689, 690, 693, 695, 696, 697, 699, 700,
        701, 702, 704,
    }
)  # fmt: skip
_SCANNET_TEST = range(707, 807)


def room_of(source: str, scene_id: str) -> str:
    """The name of the room a scene shows; scenes of other sources than ScanNet are rooms of their own."""
    match = _SCANNET.fullmatch(scene_id)
    return f"{source}/{f'scene{match[1]}' if match else scene_id}"


def evaluation_split(source: str, scene_id: str) -> str:
    """The evaluation split, "val" or "test", that the room of a scene belongs to in public benchmarks; "" for none."""
    match = _SCANNET.fullmatch(scene_id) if source == "scannet" else None
    if match is None:
        return ""
    room = int(match[1])
    return "val" if room in _SCANNET_VAL else "test" if room in _SCANNET_TEST else ""
