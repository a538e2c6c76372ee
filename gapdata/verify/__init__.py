"""`gapdata verify`: derives every stated answer a second time, from the pixels in the shard.

Nothing here knows how the questions were made: verifiers see a decoded sample and a question, one file a family.
"""

from __future__ import annotations

from gapdata.verify.dataset import Contradiction, VerifyReport, verify_dataset, verify_sample
from gapdata.verify.registry import VERIFIERS

__all__ = ["VERIFIERS", "Contradiction", "VerifyReport", "verify_dataset", "verify_sample"]
