"""Every error the control room raises on purpose.

One hierarchy, stable codes: the code is what lands in ``ops.runs.error_code``, what the CLI prints and what another
language's executor compares. A message names the thing, the value and the way out.

SQLSTATEs are the database's half of the same table: the RPCs raise them, :mod:`ops.rpc` translates them in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


class ControlRoomError(Exception):
    """Base of everything raised on purpose.

    Args:
        message: one line for a person: the thing, the value, the way out.
        data: JSON-ready facts for ``error_data``; never a secret.
    """

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False
    sqlstate: ClassVar[str | None] = None

    def __init__(self, message: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data: dict[str, object] = dict(data or {})

    def __reduce__(self) -> tuple[type[ControlRoomError], tuple[str, dict[str, object]]]:
        return type(self), (self.message, self.data)

    def __str__(self) -> str:
        return self.message


class LeaseLost(ControlRoomError):
    """The caller no longer owns the run; whatever it was about to change stays unchanged."""

    code = "LEASE_LOST"
    sqlstate = "CR001"


class IllegalTransition(ControlRoomError):
    """The run is not in a state from which this step is allowed."""

    code = "ILLEGAL_TRANSITION"
    sqlstate = "CR002"


class CapExceeded(ControlRoomError):
    """A cap is used up: nothing that it limits goes on before its period is over."""

    code = "CAP_EXCEEDED"
    sqlstate = "CR003"


class NotFound(ControlRoomError):
    """Nothing of that name is visible to the caller."""

    code = "NOT_FOUND"
    sqlstate = "CR004"


class NotAllowed(ControlRoomError):
    """The caller's role does not permit this."""

    code = "NOT_ALLOWED"
    sqlstate = "CR005"


class NotSignedIn(ControlRoomError):
    """Nobody is signed in here, or not any more; also the one answer to a wrong name and to a wrong password."""

    code = "NOT_SIGNED_IN"


class TooManyAttempts(ControlRoomError):
    """Signing in failed too often for this name or from this address; it may be tried again later."""

    code = "TOO_MANY_ATTEMPTS"


class Conflict(ControlRoomError):
    """Something of that identity exists with different content."""

    code = "CONFLICT"
    sqlstate = "CR006"


class BadInput(ControlRoomError):
    """Input was refused whole; nothing of it was applied."""

    code = "BAD_INPUT"
    sqlstate: ClassVar[str | None] = "CR007"


@dataclass(frozen=True)
class Fault:
    """One fault in something a person wrote. ``line`` and ``column`` count from 1."""

    where: str
    line: int
    column: int
    message: str


class SpecInvalid(BadInput):
    """A pipeline spec has faults; all of them are listed at once."""

    code = "SPEC_INVALID"
    sqlstate = None

    @classmethod
    def of(cls, path: str, faults: Sequence[Fault]) -> SpecInvalid:
        lines = [f"{path}:{fault.line}:{fault.column}: {fault.where}: {fault.message}" for fault in faults]
        data = {"path": path, "faults": [vars(fault) for fault in faults]}
        return cls("\n".join(lines), data)


class SettingsInvalid(BadInput):
    """A setting is missing or malformed."""

    code = "SETTINGS_INVALID"
    sqlstate = None


class DeliveryFailed(ControlRoomError):
    """A channel did not take a message."""

    code = "DELIVERY_FAILED"
    retryable = True


class SecretMissing(ControlRoomError):
    """A secret reference could not be resolved; the reference is named, never its value."""

    code = "SECRET_MISSING"


class SourceUnreachable(ControlRoomError):
    """The upstream database or file store did not answer."""

    code = "SOURCE_UNREACHABLE"
    retryable = True


class SchemaDrift(ControlRoomError):
    """The source no longer has the shape that the contract states."""

    code = "SCHEMA_DRIFT"


class CheckFailed(ControlRoomError):
    """A data expectation with ``on_fail: fail`` does not hold."""

    code = "CHECK_FAILED"


class CommitConflict(ControlRoomError):
    """Another writer committed to the table between opening and writing; the phase may be tried again."""

    code = "COMMIT_CONFLICT"
    retryable = True


class StorageFailed(ControlRoomError):
    """The lake or the artifact store refused a read or write (disk full, bucket missing, no permission)."""

    code = "STORAGE_FAILED"
    retryable = True


class PhaseFailed(ControlRoomError):
    """A handler raised something of its own; the original type and message are in ``data``."""

    code = "PHASE_FAILED"


class PhaseTimeout(ControlRoomError):
    """The phase ran longer than its ``timeout``."""

    code = "PHASE_TIMEOUT"
    retryable = True


class RunTimeout(ControlRoomError):
    """The run took longer than its ``timeout``, counted from its first start over all its owners and attempts.

    Final: another attempt would have no time left. A retry is a new run and has the time anew.
    """

    code = "RUN_TIMEOUT"


class PhaseCrashed(ControlRoomError):
    """The process that ran the phase died without an answer."""

    code = "PHASE_CRASHED"
    retryable = True


class QueryLimitExceeded(ControlRoomError):
    """SQL of a person needed more than it may have; ``data`` has the limit's name, its value and the setting that raises it."""

    code = "QUERY_LIMIT_EXCEEDED"


class ConformanceFailed(ControlRoomError):
    """A phase of ``controlroom conformance`` failed because it was asked to."""

    code = "CONFORMANCE_FAILED"


class ConformanceStumbled(ControlRoomError):
    """The same, for a failure that another attempt gets over."""

    code = "CONFORMANCE_STUMBLED"
    retryable = True


class RunCanceled(ControlRoomError):
    """Someone asked for the run to be canceled."""

    code = "RUN_CANCELED"


class DatabaseUnavailable(ControlRoomError):
    """Postgres does not answer; the call may be repeated with the same token."""

    code = "DATABASE_UNAVAILABLE"
    retryable = True


class BiFailed(ControlRoomError):
    """Superset answered with an error of its own, or shows what it must not."""

    code = "BI_FAILED"


class StackFailed(ControlRoomError):
    """A part of the local stack could not be started or stopped."""

    code = "STACK_FAILED"


def all_errors() -> dict[str, type[ControlRoomError]]:
    """Maps each stable code to its class, the base included."""
    found: dict[str, type[ControlRoomError]] = {ControlRoomError.code: ControlRoomError}
    pending: list[type[ControlRoomError]] = [ControlRoomError]
    while pending:
        for child in pending.pop().__subclasses__():
            found[child.code] = child
            pending.append(child)
    return found
