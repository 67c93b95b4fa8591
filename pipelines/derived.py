"""Runs that carry out something else than their spec says, derived from it and from the kinds of their phases alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter

from pipelines.refresh import COMPARE, ComparePhase, refreshed
from pipelines.spec import CustomPhase, Phase, Pipeline
from pipelines.verification import VERIFY, VerifyPhase, verifying

_PHASE: TypeAdapter[Phase] = TypeAdapter(Phase)
_DERIVED: Mapping[str, type[CustomPhase]] = {COMPARE: ComparePhase, VERIFY: VerifyPhase}


def of_run(spec: Mapping[str, object], kinds: Iterable[str]) -> Pipeline:
    """What a run carries out: a comparison among its phases makes it a refresh, a verification one of those."""
    pipeline, found = Pipeline.from_json(spec), set(kinds)
    if VERIFY in found:
        return verifying(pipeline)
    return refreshed(pipeline) if COMPARE in found else pipeline


def phase_of(document: Mapping[str, object]) -> Phase:
    """A phase of such a pipeline, from its JSON."""
    derived = _DERIVED.get(str(document["kind"]))
    return derived.model_validate(document) if derived else _PHASE.validate_python(document)
