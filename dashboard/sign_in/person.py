"""From what a browser presents to the person whose claims a transaction takes. Asked anew for every query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.sign_in.oidc import identify
from ops.accounts import Caller, Door
from ops.database import LOCAL_OPERATOR, Headers
from ops.errors import NotSignedIn
from ops.settings import Settings

NOBODY = "nobody is signed in here, or not any more; sign in"


@dataclass(frozen=True)
class Presented:
    """What came with a request.

    Attributes:
        session: value of the session's cookie of a local account.
        identity: what Streamlit's signed cookie says of an OIDC sign-in; its signature was checked.
    """

    session: str
    identity: Mapping[str, object]
    caller: Caller


@dataclass(frozen=True)
class Person:
    """Who asks. ``login`` is what signing out ends: empty where nobody signs in."""

    subject: str
    name: str
    claims: Mapping[str, object]
    headers: Headers
    login: str


def session_cookie(https: bool) -> str:
    """The cookie's name. Under https a browser then takes it from this host only, not from a neighbour's subdomain."""
    return "__Host-controlroom_session" if https else "controlroom_session"


def recognise(settings: Settings, door: Door, presented: Presented) -> Person:
    """The person, checked against Postgres now.

    Raises:
        NotSignedIn: there is none.
    """
    headers = {"x-forwarded-for": presented.caller.address, "user-agent": presented.caller.user_agent}
    match settings.sign_in:
        case "none":
            return Person(LOCAL_OPERATOR, LOCAL_OPERATOR, {"sub": LOCAL_OPERATOR}, headers, "")
        case "accounts":
            subject = door.session_subject(presented.session) if presented.session else None
            if subject is None:
                raise NotSignedIn(NOBODY)
            return Person(subject, subject, {"sub": subject, "role": "authenticated"}, headers, presented.session)
        case _:
            found = identify(presented.identity)
            if found is None or not door.login_holds(found.login, found.subject, found.expires_at, presented.caller):
                raise NotSignedIn(NOBODY)
            claims = {"sub": found.subject, "role": "authenticated", **({"email": found.email} if found.email else {})}
            return Person(found.subject, found.name, claims, headers, found.login)
