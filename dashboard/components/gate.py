"""The gate before every page: who asks, whether they belong anywhere, and the way out.

It decides what is drawn. What is read is decided by row-level security, with or without it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from dashboard.components.render import render
from dashboard.data.source import door, person, reads, settings
from dashboard.sign_in.person import Person
from dashboard.views import zone
from ops.errors import DatabaseUnavailable, NotFound, NotSignedIn

Arguments = ParamSpec("Arguments")


def admit() -> bool:
    """Whether the page may go on; if not, what is to be said was drawn."""
    try:
        who = person()
    except NotSignedIn:
        _forget_unless(None)
        _ask_to_sign_in()
        return False
    _forget_unless(who.subject)
    if settings().sign_in != "none":
        _way_out(who)
    if not reads(who).is_member():
        st.html(render("nowhere", subject=who.subject, name=who.name))
        return False
    return True


def take_zone() -> None:
    """What is drawn from here on tells times in the zone of the browser that looks. Once for each run of the page and of
    a fragment: each may be a thread of its own."""
    zone.take(st.context.timezone)


def wait_for_database(error: DatabaseUnavailable) -> None:
    """Says that Postgres does not answer, instead of a page, and draws the page as soon as it does."""
    st.error(f"{error} ({error.code})")
    _come_back()


@st.fragment(run_every=2.0)
def _come_back() -> None:
    try:
        reads(person()).is_member()
    except DatabaseUnavailable:
        # It was told already; asked again in two seconds.
        return
    except NotSignedIn:
        pass  # said by the whole page
    st.rerun()


def _forget_unless(subject: str | None) -> None:
    """Streamlit's session goes on when somebody signs out or somebody else signs in: what it holds was the other's."""
    if st.session_state.get("person", subject) != subject:
        st.session_state.clear()
    st.session_state["person"] = subject


def _ask_to_sign_in() -> None:
    if settings().sign_in == "oidc":
        st.title("Control Room")
        if st.button("Sign in", key="sign_in", type="primary"):
            st.login()
    else:
        st.html(render("signed_out"))


def _way_out(who: Person) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(who.name, width="content")
        if st.button("Sign out", key="sign_out", type="tertiary"):
            # In Postgres first: a copy of the cookie is worth nothing from now on.
            door().sign_out(who.login)
            st.session_state.clear()
            if settings().sign_in == "oidc":
                st.logout()
                st.stop()
            st.rerun()


def refreshed(seconds: float | None) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A fragment that is drawn again every so often. Where it finds nobody signed in, or its run gone, the page is drawn
    whole, so that nothing that was shown before stays; if that is no help, it says what is wrong. After any other error the
    page is drawn whole as soon as it succeeds again."""

    def fragment(draw: Callable[Arguments, None]) -> Callable[Arguments, None]:
        @wraps(draw)
        def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            take_zone()
            tried, failed = f"drawn whole for {draw.__qualname__}", f"failed: {draw.__qualname__}"
            try:
                draw(*args, **kwargs)
            except NotSignedIn:
                # Each time, not once: who comes here was let in by the gate a moment ago, and the gate is asked again.
                st.rerun()
            except NotFound:
                if st.session_state.get(tried):
                    raise
                st.session_state[tried] = True
                st.rerun()
            except Exception:
                st.session_state[failed] = True
                raise
            st.session_state[tried] = False
            if st.session_state.pop(failed, False):
                # What failed while the whole page was drawn ended that: what stands below it is missing still.
                st.rerun()

        return st.fragment(drawn, run_every=seconds)

    return fragment
