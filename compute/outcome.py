"""What a phase that succeeded left behind, whoever carried it out: this owner, an earlier one, or the run that is retried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.model import ClaimedRun, Fingerprint, PhaseResult, PhaseState, PhaseStatus, TableVersion
from pipelines.fingerprint import combined


@dataclass(frozen=True)
class Outcome:
    """A phase's part in what the run as a whole has to say.

    Attributes:
        tables: the versions that it left to the phases after it.
        failed_checks: expectations that did not hold and did not stop it.
    """

    fingerprint: Fingerprint | None
    tables: Mapping[str, TableVersion]
    failed_checks: int

    @classmethod
    def of_result(cls, result: PhaseResult) -> Outcome:
        """From a handler's answer."""
        tables = {one.table: _left(one.table, one.version, one.mode, one.fingerprint) for one in result.datasets}
        return cls(result.output_fingerprint, tables, _failed_checks(result.metrics))

    @classmethod
    def of_state(cls, state: PhaseState) -> Outcome:
        """From what was written down about it."""
        metrics = state.result.get("metrics")
        failed = _failed_checks(metrics) if isinstance(metrics, Mapping) else 0
        return cls(state.output_fingerprint, tables_of(state.result), failed)


def tables_of(result: Mapping[str, object]) -> dict[str, TableVersion]:
    """The tables of an answer that was written down."""
    datasets = result.get("datasets") or ()
    assert isinstance(datasets, list | tuple)
    return {
        str(one["table"]): _left(str(one["table"]), int(one["version"]), one["mode"], Fingerprint(one["fingerprint"]))
        for one in datasets
    }


def known_before(run: ClaimedRun) -> dict[str, Outcome]:
    """Phase → what its earlier success left."""
    succeeded = (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)
    return {state.name: Outcome.of_state(state) for state in run.phases if state.status in succeeded}


def output_manifest(outcomes: Mapping[str, Outcome]) -> dict[str, object]:
    """What the run made, all phases together."""
    fingerprints = {name: one.fingerprint for name, one in outcomes.items() if one.fingerprint}
    return {
        "fingerprint": combined(fingerprints) if fingerprints else None,
        "phases": fingerprints,
        "tables": {table: left.version for one in outcomes.values() for table, left in one.tables.items()},
    }


def _left(table: str, version: int, mode: str, fingerprint: Fingerprint) -> TableVersion:
    # A commit's fingerprint is of the rows written; it names the table's content only where they are all of it.
    return TableVersion(table, version, fingerprint if mode == "replace" else None)


def _failed_checks(metrics: Mapping[str, object]) -> int:
    return int(str(metrics.get("failed_checks", 0)))
