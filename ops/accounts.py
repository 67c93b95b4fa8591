"""Local accounts: passwords, one-time links, and the sessions that signed-in people hold.

A password never leaves this process and its hash never leaves Postgres. Signing in asks for the account's salt, makes the
proof (argon2id) here, and hands it over; Postgres keeps and compares only the proof's sha256. Random values that people
hold – a session's cookie, a link – are kept as their sha256 too.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2.low_level import Type, hash_secret_raw

from ops.calls import Calls
from ops.errors import BadInput, NotSignedIn, TooManyAttempts

# Passes, KiB, lanes: the second choice of RFC 9106, in one lane.
COST = (3, 65536, 1)
SHORTEST, LONGEST = 12, 1024
_PROOF_BYTES = 32

# Each takes 64 MiB: a flood of attempts waits in line instead of taking the machine's memory.
_at_once = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Caller:
    """From where somebody asks; both may be empty."""

    address: str
    user_agent: str


@dataclass(frozen=True)
class AccountRow:
    subject: str
    has_password: bool
    created_at: datetime
    disabled_at: datetime | None
    sessions: int
    last_sign_in: datetime | None


def proof(password: str, salt: bytes, cost: Sequence[int]) -> bytes:
    """What argon2id makes of a password; the same whichever way its letters are composed."""
    passes, memory, lanes = cost
    text = unicodedata.normalize("NFKC", password).encode()
    with _at_once:
        return hash_secret_raw(text, salt, passes, memory, lanes, _PROOF_BYTES, Type.ID)


def digest(value: str) -> bytes:
    """The sha256 under which a random value is kept. Such values need no salt: there are none to guess."""
    return hashlib.sha256(value.encode()).digest()


def check_password(password: str) -> None:
    """Raises BadInput where it is too short, or too long to be meant."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"a password has at least {SHORTEST} characters (and at most {LONGEST}); choose another")


class Accounts(Calls):
    """The administrator's calls: over a connection of the owner or of ``service_role``."""

    file = "accounts"

    def add(self, subject: str) -> None:
        """A new account without a password.

        Raises:
            Conflict: there is one of that name.
            BadInput: the name is none.
        """
        self._do("add_account", subject=subject)

    def disable(self, subject: str, disabled: bool = True) -> None:
        """Disables an account and signs it out everywhere, or enables it again. Raises NotFound."""
        self._do("disable_account", subject=subject, disabled=disabled)

    def add_link(self, subject: str, lifetime: timedelta = timedelta(hours=24)) -> str:
        """The text of a new link that lets its holder set the password, once; earlier links end.

        Raises:
            NotFound: there is no such account.
            IllegalTransition: it is disabled.
        """
        text = secrets.token_urlsafe(32)
        self._do("add_sign_in_link", subject=subject, sha256=digest(text), lifetime=lifetime)
        return text

    def set_password(self, subject: str, password: str) -> None:
        """Sets a password and signs the account out everywhere.

        Raises:
            BadInput: it is too short.
            NotFound: there is no such account.
        """
        check_password(password)
        salt = secrets.token_bytes(16)
        self._do("set_password", subject=subject, salt=salt, cost=list(COST), proof=proof(password, salt, COST))

    def list(self) -> list[AccountRow]:
        return [AccountRow(**row) for row in self._rows("list_accounts")]


class Door(Calls):
    """What is asked before somebody is somebody: over the pool that logs in as ``controlroom_login``, in no role."""

    file = "accounts"

    def sign_in(self, subject: str, password: str, caller: Caller, lifetime: timedelta) -> str:
        """A new session's value, for a cookie.

        Raises:
            NotSignedIn: the name or the password is wrong, or the account disabled; it takes as long in each case.
            TooManyAttempts: name or address failed too often.
        """
        asked = self._challenge(subject, caller)
        value = secrets.token_urlsafe(32)
        answer = self._value(
            "sign_in",
            subject=subject,
            proof=proof(password[:LONGEST], asked["salt"], asked["cost"]),
            session_sha256=digest(value),
            lifetime=lifetime,
            address=caller.address,
            user_agent=caller.user_agent,
        )
        if answer == "throttled":
            # Others tried at the same time and used up what was left.
            self._challenge(subject, caller)
        if answer != "ok":
            raise NotSignedIn("that name and password do not belong together; try again or ask for a sign-in link")
        return value

    def _challenge(self, subject: str, caller: Caller) -> dict[str, Any]:
        [asked] = self._rows("sign_in_challenge", subject=subject, address=caller.address, cost=list(COST))
        if asked["wait_seconds"] > 0:
            minutes = -(-asked["wait_seconds"] // 60)
            raise TooManyAttempts(
                f"too many failed attempts; wait {minutes} min or ask for a sign-in link",
                {"wait_seconds": asked["wait_seconds"]},
            )
        return asked

    def link_subject(self, link: str) -> str | None:
        """Whose link that is; None where it is used, expired or unknown."""
        found = self._value("link_subject", sha256=digest(link))
        return None if found is None else str(found)

    def use_link(self, link: str, password: str, caller: Caller, lifetime: timedelta) -> str:
        """Sets the password of the link's account and opens a session; its value.

        Raises:
            BadInput: the password is too short; the link stays good.
            NotSignedIn: the link is used, expired or unknown.
        """
        check_password(password)
        value, salt = secrets.token_urlsafe(32), secrets.token_bytes(16)
        # Asked first: a stranger with an invented link must not be able to make us work.
        subject = self.link_subject(link) and self._value(
            "use_sign_in_link",
            sha256=digest(link),
            salt=salt,
            cost=list(COST),
            proof=proof(password, salt, COST),
            session_sha256=digest(value),
            lifetime=lifetime,
            address=caller.address,
            user_agent=caller.user_agent,
        )
        if not subject:
            raise NotSignedIn("this link was used or has expired; ask for another (`controlroom account link NAME`)")
        return value

    def session_subject(self, value: str) -> str | None:
        """Who holds that session now."""
        found = self._value("session_subject", sha256=digest(value))
        return None if found is None else str(found)

    def login_holds(self, login: str, subject: str, expires_at: datetime, caller: Caller) -> bool:
        """Whether an OIDC sign-in, named by what is unique to it, was neither ended here nor has expired."""
        return bool(
            self._value(
                "login_holds",
                sha256=digest(login),
                subject=subject,
                expires_at=expires_at,
                address=caller.address,
                user_agent=caller.user_agent,
            )
        )

    def sign_out(self, value: str) -> None:
        """Ends a session or an OIDC sign-in by its value; harmless to repeat."""
        self._do("sign_out", sha256=digest(value))
