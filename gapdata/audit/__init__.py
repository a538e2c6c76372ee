"""`gapdata audit`: what could be answered without looking, from the words of the questions alone.

Per task and format: what guessing by a fixed rule earns, and what a text model earns that was trained on the
questions of other scenes. A task is blind when either lies clearly above chance. Writes nothing: the cheap part
(chance, majority, option positions) is in a dataset's `dataset.json` already.
"""

from __future__ import annotations

from gapdata.audit.dataset import audit_dataset
from gapdata.audit.report import AuditReport, Blind, TaskAudit, audit_questions

__all__ = ["AuditReport", "Blind", "TaskAudit", "audit_dataset", "audit_questions"]
