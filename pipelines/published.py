"""What a published table says of itself, as its comment: which rows stand there, whose, by which run, what was rolled back.

The comment is all that is known of a publication where it stands: it changes in the transaction that changes the rows.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Self

from ops.model import Fingerprint, Scope
from pipelines.spec_ends import PostgresTarget

SHARED = "controlroom shared"
"""Comment of a table whose partitions are published one by one."""
_WORDS = {"tenant": "for", "run_id": "run", "made": "made", "held": "instead of", "kept_at": "kept"}
_COMMENT = re.compile(
    r"controlroom (?P<table>\S+) version (?P<version>\d+) (?P<fingerprint>\S+)"
    + "".join(rf"(?: {word} (?P<{name}>\S+))?" for name, word in _WORDS.items())
)


@dataclass(frozen=True)
class Published:
    """One version of a lake table, where readers see it or where it is kept for a rollback.

    Attributes:
        tenant: whose it is, as ``org/project/env``; what was published by earlier releases does not say.
        made: digest of the target's settings, such as its indexes.
        held: fingerprints that were rolled back, with commas between: runs that make them publish nothing.
        kept_at: since when it is kept and not read, ISO 8601.
    """

    table: str
    version: int
    fingerprint: Fingerprint
    tenant: str | None = None
    run_id: str | None = None
    made: str | None = None
    held: str | None = None
    kept_at: str | None = None

    @classmethod
    def parse(cls, comment: str | None) -> Self | None:
        """What a comment says; None where it is not that of a publication."""
        found = _COMMENT.fullmatch(comment or "")
        if found is None:
            return None
        said = found.groupdict()
        more = {name: said[name] for name in _WORDS}
        return cls(said["table"], int(said["version"]), Fingerprint(said["fingerprint"]), **more)

    @property
    def comment(self) -> str:
        said = asdict(self)
        more = "".join(f" {word} {said[name]}" for name, word in _WORDS.items() if said[name])
        return f"controlroom {self.table} version {self.version} {self.fingerprint}{more}"

    @property
    def rolled_back(self) -> frozenset[str]:
        """Fingerprints of what was rolled back."""
        return frozenset((self.held or "").split(",")) - {""}

    def same_as(self, other: Published) -> bool:
        """Whether nothing would be written: equal rows, equal settings; what earlier releases made does not tell those."""
        settings = {self.made, other.made} - {None}
        return self.fingerprint == other.fingerprint and len(settings) <= 1

    def instead_of(self, other: Published) -> Self:
        """This one, put back in place of the other. Putting back what was rolled back itself lets go of it."""
        held = other.rolled_back | ({other.fingerprint} if self.fingerprint not in other.rolled_back else set())
        return replace(self, held=",".join(sorted(held - {self.fingerprint})) or None, kept_at=None)


def tenant_of(scope: Scope) -> str:
    """How the column ``tenant``, and the comment, name a project's environment."""
    return f"{scope.org}/{scope.project}/{scope.env}"


def made_by(target: PostgresTarget) -> str:
    """Digest of the settings that shape a published table beside its rows."""
    shape = target.model_dump(mode="json", include={"key", "indexes", "columns", "shared"})
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:8]
