"""The phase that ``controlroom conformance`` asks of every executor, in any language: works, fails or stumbles as it is told.

Its arguments and what it must do are in ``docs/executor-contract.md``.
"""

from __future__ import annotations

import time

from ops.errors import ConformanceFailed, ConformanceStumbled
from ops.model import PhaseResult
from pipelines.handler import Context
from pipelines.spec import CustomPhase, Phase


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Works for ``seconds``, fails while the try is not above ``fail_tries``, else leaves ``text`` as an artifact.

    Raises:
        ConformanceFailed: it was asked to.
        ConformanceStumbled: it was asked to, and to let another attempt go well.
    """
    assert isinstance(phase, CustomPhase)
    told = phase.with_
    ctx.progress(0, 1, "working")
    time.sleep(float(told.get("seconds", 0)))
    if ctx.attempt <= int(told.get("fail_tries", 0)):
        kind = ConformanceStumbled if told.get("retryable") else ConformanceFailed
        raise kind(f"try {ctx.attempt} fails as it was asked to")
    data = str(told.get("text", "")).encode()
    artifact = ctx.artifacts.put_bytes(f"{phase.name}.txt", "conformance", data, "text/plain")
    ctx.progress(1, 1, "done")
    return PhaseResult(byte_size=len(data), artifacts=(artifact,))
