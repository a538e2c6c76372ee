"""`gapmodel eval`: how well a trained model answers, and what its heads see, on samples it was not trained on."""

from __future__ import annotations

from gapmodel.evaluation.config import EvalConfig
from gapmodel.evaluation.run import evaluate

__all__ = ["EvalConfig", "evaluate"]
