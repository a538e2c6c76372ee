"""The objectives of pre-training by name, each imported when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gapdata.errors import ConfigError

if TYPE_CHECKING:
    from gapmodel.objectives.objective import Objective

OBJECTIVES = {
    "answers": "gapmodel.objectives.answers:Answers",
    "depth": "gapmodel.objectives.depth:Depth",
    "normal": "gapmodel.objectives.normal:Normal",
    "pose": "gapmodel.objectives.pose:Pose",
    "pointmap": "gapmodel.objectives.pointmap:Pointmap",
    "reconstruction": "gapmodel.objectives.reconstruction:Reconstruction",
    "point_image": "gapmodel.objectives.point_image:PointImage",
    "geometry_language": "gapmodel.objectives.geometry_language:GeometryLanguage",
    "relations": "gapmodel.objectives.relations:Relations",
    "distillation": "gapmodel.objectives.distillation:Distillation",
}


def objective_class(name: str) -> type[Objective]:
    """The class of an objective. Raises ConfigError for an unknown name."""
    if name not in OBJECTIVES:
        raise ConfigError(f"objective {name!r}: expected one of {', '.join(OBJECTIVES)}")
    module, attribute = OBJECTIVES[name].split(":")
    return getattr(import_module(module), attribute)
