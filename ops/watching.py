"""What is watched from outside of runs: where a trace goes on, what a scrape is told, what probes of capabilities found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from ops.calls import Calls
from ops.jsonable import jsonb
from ops.model import LeaseToken, RunId

Json = Mapping[str, object]
# Of capabilities that no probe looks at, what there is or is not (a test holds the names to the catalogue's).
UNPROBED: Mapping[str, str] = {
    "Notebooks": "nothing here opens or runs a notebook",
    "Dashboards": "no probe looks at a dashboard; what is published to Superset is on the page of its run",
    "NLQ (Genie)": "nothing here makes SQL of a question in words",
    "ML tracking": "nothing here keeps experiments or models",
    "Model serving": "nothing here serves a model",
}
UNSEEN = "its probe has not run here yet; “controlroom caps” runs it"


@dataclass(frozen=True)
class CapabilityRow:
    """A line of the CAPS report.

    Attributes:
        mvp, v1, v2: what we say: supported, planned or not planned.
        evidence, proven_at: of the probe's last success; ``proven_at`` is None where it has failed since.
        probed_at, failure: when it was last tried, and why it failed then.
    """

    ordinal: int
    capability: str
    databricks: str
    target: str
    mvp: str
    v1: str
    v2: str
    probe: str | None
    evidence: Json | None
    proven_at: datetime | None
    probed_at: datetime
    failure: str | None

    def standing(self, stale: timedelta, now: datetime) -> str:
        """``proven``, ``stale``, ``failed`` or ``claimed``: what stands behind a tick of this row."""
        if self.failure is not None:
            return "failed"
        if self.proven_at is None:
            return "claimed"
        return "proven" if now - self.proven_at <= stale else "stale"

    @property
    def missing(self) -> str:
        """What a tick lacks that no probe has ever earned; empty where one has, and where one failed, which says why."""
        if self.failure is not None or self.proven_at is not None:
            return ""
        return UNPROBED.get(self.capability, UNSEEN)


class Watching(Calls):
    """Calls over one connection or a pool; see :mod:`ops.rpc` for what they may raise."""

    file = "watching"

    def present_traceparent(self, traceparent: str) -> None:
        """What this connection creates from now on is part of that trace."""
        self._value("present_traceparent", traceparent=traceparent)

    def run_traceparent(self, run_id: RunId, lease_token: LeaseToken) -> str | None:
        """The trace that the run was created in; for its owner.

        Raises:
            LeaseLost: the caller owns it no longer.
        """
        return cast("str | None", self._value("run_traceparent", run_id=run_id, lease_token=lease_token))

    def metrics(self) -> Json:
        """What ``ops.metrics`` documents; for the back end."""
        return cast(Json, self._value("metrics"))

    def steward_round(self) -> int:
        """Says that the steward lives and counts what has ended; returns how many runs."""
        return int(self._value("steward_round"))

    def record_evidence(self, capability: str, probe: str, ok: bool, evidence: Json) -> None:
        """What a probe found; ``evidence`` has ``said``, and what proves it.

        Raises:
            NotFound: there is no such capability.
        """
        self._value("record_evidence", capability=capability, probe=probe, ok=ok, evidence=jsonb(evidence))

    def probes_due(self, hour: int, probed: Sequence[str]) -> datetime | None:
        """The last time the clock showed ``hour`` (UTC) if not all of these capabilities were probed since, else None."""
        return cast("datetime | None", self._value("probes_due", hour=hour, probed=list(probed)))

    def capabilities(self) -> list[CapabilityRow]:
        """All capabilities in their order."""
        return [CapabilityRow(**row) for row in self._rows("capabilities")]
