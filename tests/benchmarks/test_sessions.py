"""A session of the benchmark keeps what a browser would keep, and no more."""

from __future__ import annotations

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.dashboard.sessions import Kept

AGE = 2


def begun() -> Kept:
    """What is kept when a page begins to be drawn whose server says how long messages are kept."""
    kept, told = Kept(), ForwardMsg()
    told.new_session.config.max_cached_message_age = AGE
    kept.take(told)
    return kept


def sent(name: str, fragment: str = "", *, cacheable: bool = True) -> ForwardMsg:
    told = ForwardMsg(hash=name)
    told.metadata.cacheable = cacheable
    told.delta.fragment_id = fragment
    return told


def test_what_nothing_uses_is_forgotten() -> None:
    kept = begun()
    kept.take(sent("once"))
    for number in range(AGE + 1):
        assert kept.hashes == ["once"], number
        kept.drawn(None)
    assert kept.hashes == []


def test_what_is_referred_to_stays() -> None:
    kept = begun()
    kept.take(sent("again", "list"))
    for _ in range(10):
        kept.take(ForwardMsg(ref_hash="again"))
        kept.drawn("list")
    assert kept.hashes == ["again"]


def test_a_fragment_forgets_what_is_its_own() -> None:
    kept = begun()
    kept.take(sent("page"))
    kept.take(sent("list", "list"))
    for _ in range(10):
        kept.drawn("list")
    assert kept.hashes == ["page"]


def test_what_the_server_would_not_take_back_is_not_kept() -> None:
    kept = begun()
    kept.take(sent("small", cacheable=False))
    assert kept.hashes == []
