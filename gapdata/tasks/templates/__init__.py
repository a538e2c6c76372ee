"""The words of all questions, as data: at least six templates a wording key.

Slots: `in_views` and `views` speak of the asked images; for an object x: `x` (label), `the_x`, `an_x`, `is_x`,
`does_x`, `xs` (plural). Units and the form of the answer are always stated.
"""

from __future__ import annotations

from gapdata.tasks.templates import (
    camera,
    camera_order,
    captioning,
    counting,
    distance,
    distance_camera,
    grounding,
    imagination,
    matching,
    multiview,
    placing,
    pointmap_list,
    points,
    relations,
    resting,
    rooms,
    shape,
    size,
    walking,
)

TEMPLATES: dict[str, tuple[str, ...]] = {
    **camera.TEMPLATES,
    **camera_order.TEMPLATES,
    **captioning.TEMPLATES,
    **counting.TEMPLATES,
    **distance.TEMPLATES,
    **distance_camera.TEMPLATES,
    **grounding.TEMPLATES,
    **imagination.TEMPLATES,
    **matching.TEMPLATES,
    **multiview.TEMPLATES,
    **placing.TEMPLATES,
    **pointmap_list.TEMPLATES,
    **points.TEMPLATES,
    **relations.TEMPLATES,
    **resting.TEMPLATES,
    **rooms.TEMPLATES,
    **shape.TEMPLATES,
    **size.TEMPLATES,
    **walking.TEMPLATES,
}
