"""Runs that have been through something, for whatever looks at a run's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from ops.artifacts import ArtifactStore
from ops.model import (
    ClaimedRun,
    DatasetVersion,
    EventType,
    Fingerprint,
    LeaseToken,
    NewEvent,
    NewPhase,
    PhaseStatus,
    RunId,
    TableVersion,
)
from tests.operating import Operator, commit

PHASES = (
    NewPhase("land", "ingest"),
    NewPhase("tidy", "transform", ("land",)),
    NewPhase("checks", "validate", ("tidy",)),
    NewPhase("marts", "transform", ("checks",)),
)
SPEC = {
    "version": 1,
    "pipeline": "sales",
    "phases": [
        {"name": "land", "kind": "ingest"},
        {
            "name": "tidy",
            "kind": "transform",
            "depends_on": ["land"],
            "inputs": {"o": "bronze.sales"},
            "sql": "select id, amount from o where amount is not null",
        },
        {"name": "checks", "kind": "validate", "depends_on": ["tidy"], "table": "silver.sales"},
        {
            "name": "marts",
            "kind": "transform",
            "depends_on": ["checks"],
            "inputs": {"s": "silver.sales"},
            "sql": "select month, sum(amount) from s group by month",
        },
    ],
}
RUN = {"pipeline": "sales", "spec": SPEC, "spec_sha256": "7" * 64, "phases": PHASES}
CHECKS = [
    {"rule": "rows", "ok": True, "expected": ">= 1", "observed": "1204", "failed": 0},
    {"rule": "nulls amount", "ok": False, "expected": "<= 0.00%", "observed": "0.25% (3 of 1204)", "failed": 3},
]
# A picture of one dot.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50"
    "0f0003860180c95ad1590000000049454e44ae426082"
)


def table(version: int, name: str, rows: int, phase_inputs: Mapping[str, int], **more: object) -> DatasetVersion:
    """A commit to ``name``, made from these tables at these versions."""
    inputs = tuple(TableVersion(each, at, Fingerprint("v1:in")) for each, at in phase_inputs.items())
    made = replace(commit(version, name), rows=rows, total_rows=rows, inputs=inputs)
    return replace(made, fingerprint=Fingerprint(f"v1:{name}{rows}"), **more)  # type: ignore[arg-type]


def worked(
    operator: Operator,
    run_id: RunId,
    token: LeaseToken,
    version: int,
    rows: int,
    made: str = "0",
    phases: Sequence[NewPhase] = PHASES,
) -> None:
    """Carries the phases out: version ``version`` of three tables, bad rows put aside."""
    commits: dict[str, list[DatasetVersion]] = {
        "land": [table(version, "bronze.sales", rows, {})],
        "tidy": [table(version, "silver.sales", rows - 4, {"bronze.sales": version})],
        "checks": [table(version, "quarantine.silver_sales", 3, {"silver.sales": version})],
        "marts": [table(version, "gold.sales_by_month", 12, {"silver.sales": version})],
    }
    if version:
        columns = {"id": "long", "amount": "decimal(16,2)", "channel": "string"}
        commits["tidy"] = [replace(commits["tidy"][0], schema=columns)]
    through = {"land": (rows, rows), "tidy": (rows, rows - 4), "checks": (rows - 4, 3), "marts": (rows - 4, 12)}
    for phase in phases:
        operator.executor.start_phase(run_id, token, phase.name, f"v1:blake3:{phase.name}in")
        for each in commits[phase.name]:
            operator.executor.record_dataset(run_id, token, phase.name, each)
        rows_in, rows_out = through[phase.name]
        facts: dict[str, object] = {
            "rows_in": rows_in,
            "rows_out": rows_out,
            "input_fingerprint": f"v1:blake3:{phase.name}in",
            "output_fingerprint": f"v1:blake3:{phase.name}{made}",
        }
        if phase.name == "checks":
            facts["metrics"] = {"failed_checks": 1, "checks": CHECKS}
        operator.executor.finish_phase(run_id, token, phase.name, PhaseStatus.SUCCEEDED, facts)


def good(operator: Operator, version: int, rows: int = 1208, made: str = "0") -> RunId:
    """A run that went well and has a score."""
    operator.queue(None, **RUN)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    worked(operator, run.run_id, run.lease_token, version, rows, made)
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    operator.owner.compute_run_score(run.run_id)
    return run.run_id


def further(operator: Operator, version: int) -> RunId:
    """A run of another pipeline that makes a table from the marts at that version."""
    operator.queue(None, pipeline="board", phases=[NewPhase("board", "transform")], spec_sha256="9" * 64)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.start_phase(run.run_id, run.lease_token, "board")
    made = table(0, "gold.board", 3, {"gold.sales_by_month": version})
    operator.executor.record_dataset(run.run_id, run.lease_token, "board", made)
    operator.executor.finish_phase(run.run_id, run.lease_token, "board", PhaseStatus.SUCCEEDED, {})
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    return run.run_id


def eventful(operator: Operator, home: Path, version: int, made: str = "0") -> RunId:
    """A run whose first owner died, with artifacts of each kind, that succeeded in the end with a signal against it."""
    operator.queue(None, **RUN)
    lost = operator.claim(lease_seconds=0.05)
    operator.executor.start_run(lost.run_id, lost.lease_token)
    while operator.owner.requeue_stale_runs() == 0:
        pass
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    said = [
        NewEvent(uuid4(), EventType.PHASE_PROGRESS, "land", "warning", "the source answered late", {"seconds": 4}),
        NewEvent(uuid4(), EventType.PHASE_PROGRESS, "land", "info", "half of it", {"done": 604, "total": 1208}),
    ]
    operator.executor.append_events(run.run_id, run.lease_token, said)
    store(operator, home, run.run_id, run.lease_token)
    worked(operator, run.run_id, run.lease_token, version, 1208, made)
    operator.executor.record_signal(run.run_id, run.lease_token, "failed_checks", 1.0)
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    operator.owner.compute_run_score(run.run_id)
    return run.run_id


def store(operator: Operator, home: Path, run_id: RunId, token: LeaseToken) -> None:
    """A table, JSON, text, a picture, and something that nobody can look at."""
    artifacts = ArtifactStore(home / "artifacts")
    for name, kind, data, content_type in (
        ("months.csv", "table", b"month,revenue\n2026-01,1204.50\n2026-02,<b>980.00</b>\n", "text/csv"),
        ("months.manifest.json", "manifest", b'{"rows": 2, "inputs": {"silver.sales": 1}}', "application/json"),
        ("land.log", "log", b'{"ts": "2026-03-01", "level": "info", "message": "begins"}\n', "application/x-ndjson"),
        ("months.sql", "sql", b"select month, sum(amount)\nfrom s group by month", "application/sql"),
        ("dot.png", "picture", DOT, "image/png"),
        ("months.parquet", "result", b"PAR1", "application/vnd.apache.parquet"),
    ):
        operator.executor.register_artifact(run_id, token, None, artifacts.put_bytes(name, kind, data, content_type))


def broken(operator: Operator) -> RunId:
    """A run that failed because a check does not hold."""
    operator.queue(None, **RUN, max_attempts=1)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    for phase in ("land", "tidy"):
        operator.executor.start_phase(run.run_id, run.lease_token, phase, "in")
        operator.executor.finish_phase(
            run.run_id, run.lease_token, phase, PhaseStatus.SUCCEEDED, {"rows_in": 5, "rows_out": 5}
        )
    operator.executor.start_phase(run.run_id, run.lease_token, "checks", "in")
    message, data = (
        "silver.sales: nulls amount: expected <= 0.00%, observed 0.25% (3 of 1204)",
        {"table": "silver.sales", "checks": CHECKS},
    )
    failure = {"error_code": "CHECK_FAILED", "error_message": message, "error_data": data}
    operator.executor.finish_phase(run.run_id, run.lease_token, "checks", PhaseStatus.FAILED, failure)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", message, data)
    operator.owner.compute_run_score(run.run_id)
    return run.run_id


def huge(operator: Operator, phases: int = 100, events: int = 10_000) -> RunId:
    """A run at its end, of so many phases and with so many events."""
    run, names = _of_many(operator, phases, events - 2 * phases - 4)
    _carry_out(operator, run, names)
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    operator.owner.compute_run_score(run.run_id)
    return run.run_id


def half_way(operator: Operator, phases: int = 100, events: int = 1_000) -> RunId:
    """A run of so many phases with a commit each, half of which are done and one at work."""
    run, names = _of_many(operator, phases, events)
    half = len(names) // 2
    _carry_out(operator, run, names[:half], commits=True)
    operator.executor.start_phase(run.run_id, run.lease_token, names[half].name, "in")
    return run.run_id


def _of_many(operator: Operator, phases: int, told: int) -> tuple[ClaimedRun, tuple[NewPhase, ...]]:
    names = tuple(NewPhase(f"phase_{number:03d}", "transform") for number in range(phases))
    spec = {"version": 1, "pipeline": "huge", "phases": [{"name": each.name, "kind": each.kind} for each in names]}
    operator.queue(None, pipeline="huge", spec=spec, spec_sha256="8" * 64, phases=names, priority=1)
    run = operator.claim(lease_seconds=600)
    operator.executor.start_run(run.run_id, run.lease_token)
    for start in range(0, told, 1_000):
        several = [
            NewEvent(
                uuid4(),
                EventType.PHASE_PROGRESS,
                names[number % phases].name,
                "info",
                f"step {number}",
                {"done": number},
            )
            for number in range(start, min(start + 1_000, told))
        ]
        operator.executor.append_events(run.run_id, run.lease_token, several)
    return run, names


def _carry_out(operator: Operator, run: ClaimedRun, names: Sequence[NewPhase], commits: bool = False) -> None:
    for number, phase in enumerate(names):
        operator.executor.start_phase(run.run_id, run.lease_token, phase.name, f"in{number}")
        if commits:
            operator.executor.record_dataset(
                run.run_id, run.lease_token, phase.name, table(0, f"silver.huge_{number:03d}", 30, {})
            )
        facts = {"rows_in": number, "rows_out": number, "output_fingerprint": f"out{number}"}
        operator.executor.finish_phase(run.run_id, run.lease_token, phase.name, PhaseStatus.SUCCEEDED, facts)
