"""Links to artifacts, signed and for a while. The signature is one of two locks: who asks is checked as well."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

LIFETIME_SECONDS = 3600
MINE, ANY = "me", "any"


@dataclass(frozen=True)
class Named:
    """The artifact that a link names; the hash makes a link one to bytes, not to a row."""

    run_id: UUID
    artifact_id: UUID
    sha256: str


def link(key: str, named: Named, subject: str | None, now: float | None = None) -> str:
    """``artifacts/RUN/ARTIFACT?…``, good for an hour.

    Args:
        subject: the one person that it is for; None: whoever may see the run.
        now: seconds since 1970; this moment.
    """
    until = int(time.time() if now is None else now) + LIFETIME_SECONDS
    query = {
        "until": until,
        "for": ANY if subject is None else MINE,
        "signature": _signature(key, named, until, subject),
    }
    return f"artifacts/{named.run_id}/{named.artifact_id}?{urlencode(query)}"


def is_good(key: str, named: Named, until: str, whom: str, signature: str, subject: str) -> bool:
    """Whether the link was made here for ``subject`` or for any member, unchanged, and is not over."""
    if whom not in (MINE, ANY) or not (until.isascii() and until.isdigit() and len(until) <= 12):
        return False
    wanted = _signature(key, named, int(until), subject if whom == MINE else None)
    return hmac.compare_digest(wanted.encode(), signature.encode()) and time.time() < int(until)


def _signature(key: str, named: Named, until: int, subject: str | None) -> str:
    # As JSON, so that no two lists of parts read the same.
    text = json.dumps(["artifact", str(named.run_id), str(named.artifact_id), named.sha256, until, subject])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
