"""What a phase's work depends on, as one value: equal values mean that an earlier success can stand for it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from blake3 import blake3

from ops.jsonable import jsonable
from ops.model import ClaimedRun, Fingerprint, TableVersion
from pipelines.spec import Phase

INDIFFERENT = {"timeout", "retries", "resources", "description", "depends_on"}


def input_fingerprint(run: ClaimedRun, phase: Phase, inputs: Mapping[str, TableVersion]) -> Fingerprint:
    """Digest of the phase's spec, the parameters, the pinned inputs and the code.

    A table counts by its version, and by its fingerprint where that is known: both name the same rows.
    """
    spec = {
        name: value for name, value in phase.model_dump(mode="json", by_alias=True).items() if name not in INDIFFERENT
    }
    facts = {
        "format": 1,
        "phase": spec,
        "params": run.params,
        "git_sha": run.git_sha,
        "inputs": {table: [one.version, one.fingerprint] for table, one in inputs.items()},
    }
    text = json.dumps(jsonable(facts), sort_keys=True, separators=(",", ":"))
    return Fingerprint(f"v1:blake3:{blake3(text.encode()).hexdigest()}")
