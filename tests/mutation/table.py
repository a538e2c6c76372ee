"""Plants every fault into samples as they are stored, and asks check and verify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gapdata.checks.geometry import geometry_faults
from gapdata.checks.records import record_faults
from gapdata.errors import DatasetError
from gapdata.sample import Sample
from gapdata.shards.codec import decode_sample, encode_sample
from gapdata.verify import verify_sample
from tests.mutation.layers import LAYER_FAULTS, Change
from tests.mutation.questions import ROW_FAULTS, RowChange


@dataclass(kw_only=True, slots=True)
class Catch:
    """Who noticed a fault. changed: rows that it changed, 0 for a fault of images or tables, which concerns all."""

    name: str
    changed: int = 0
    codes: Counter[str] = field(default_factory=Counter)  # faults of check, by code
    tasks: Counter[str] = field(default_factory=Counter)  # contradicted rows, by task
    encoder: int = 0  # samples that the encoder refused to write

    @property
    def caught(self) -> bool:
        """Whether anyone noticed."""
        return bool(self.codes or self.tasks or self.encoder)

    def cells(self) -> tuple[str, str, str, str]:
        """name | caught by | code | contradicted of changed rows."""
        by = ["encode"] * bool(self.encoder) + ["check"] * bool(self.codes)
        by += ["verify"] * bool(self.tasks)
        codes = [*sorted(self.codes), *(task for task, _ in self.tasks.most_common(3))]
        rows = f"{self.tasks.total()}" + (f" of {self.changed}" if self.changed else "")
        return self.name, " and ".join(by) or "NOBODY", ", ".join(codes), rows


def look(catch: Catch, sample: Sample) -> None:
    """Store the sample, read it back, and count what check and verify say of it."""
    try:
        stored = decode_sample(encode_sample(sample))
    except DatasetError:
        catch.encoder += 1
        return
    faults = list(record_faults(stored))
    if not catch.changed:  # rows concern the tables only
        faults += geometry_faults(stored)
    catch.codes.update(code for code, _ in faults)
    verdicts = verify_sample(stored)
    catch.tasks.update(qa.task for qa, verdict in verdicts if verdict.kind == "contradict")


def catches(samples: Sequence[Sample]) -> Iterator[Catch]:
    """What became of each planted fault, in the order of the tables; of none first."""
    yield catch_layers("no fault", lambda sample: sample, samples)
    for name, change in LAYER_FAULTS.items():
        yield catch_layers(name, change, samples)
    for name, row_change in ROW_FAULTS.items():
        yield catch_rows(name, row_change, samples)


def catch_layers(name: str, change: Change, samples: Sequence[Sample]) -> Catch:
    """What becomes of a fault of images, cameras or tables."""
    catch = Catch(name=name)
    for sample in samples:
        look(catch, change(sample))
    return catch


def catch_rows(name: str, change: RowChange, samples: Sequence[Sample]) -> Catch:
    """What becomes of a fault of questions; only the rows that it concerns are kept."""
    catch = Catch(name=name)
    for sample in samples:
        rows = tuple(row for qa in sample.qa if (row := change(sample, qa)) is not None)
        catch.changed += len(rows)
        if rows:
            look(catch, replace(sample, qa=rows))
    return catch
