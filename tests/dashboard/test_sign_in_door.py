"""What Postgres promises about accounts, tried as those who would break it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from ops.accounts import COST, Accounts, Caller, Door, digest, proof
from ops.database import AUTHENTICATED, Pool, acting_as, connect
from ops.embedded import Cluster
from ops.errors import BadInput, Conflict, IllegalTransition, NotFound, NotSignedIn, TooManyAttempts

PASSWORD = "seven brown foxes"
HERE = Caller("192.0.2.1", "a browser")
HOUR = timedelta(hours=1)
NO_PROOF = r"'\x00'::bytea"


@dataclass(frozen=True)
class House:
    accounts: Accounts
    door: Door
    pool: Pool
    url: str


@pytest.fixture
def house(cluster: Cluster, database: str) -> Iterator[House]:
    login = cluster.login_url(database.rsplit("/", 1)[1].partition("?")[0])
    with connect(database, autocommit=True) as owner, Pool(login, max_size=20) as pool:
        accounts = Accounts(owner)
        accounts.add("ada")
        accounts.set_password("ada", PASSWORD)
        yield House(accounts, Door(pool), pool, database)


def test_a_password_opens_a_session_until_it_is_over(house: House) -> None:
    value = house.door.sign_in("ada", PASSWORD, HERE, HOUR)
    assert house.door.session_subject(value) == "ada"
    assert house.door.session_subject(house.door.sign_in("ADA", PASSWORD, HERE, timedelta(0))) is None
    house.door.sign_out(value)
    assert house.door.session_subject(value) is None
    house.door.sign_out(value)
    with pytest.raises(NotSignedIn, match="do not belong together"):
        house.door.sign_in("ada", PASSWORD + " ", HERE, HOUR)


@pytest.mark.parametrize("end", ["disable", "password", "link"])
def test_what_an_administrator_ends_is_over_at_once(house: House, end: str) -> None:
    value = house.door.sign_in("ada", PASSWORD, HERE, HOUR)
    match end:
        case "disable":
            house.accounts.disable("ada")
        case "password":
            house.accounts.set_password("ada", "another passphrase")
        case _:
            house.door.use_link(house.accounts.add_link("ada"), "another passphrase", HERE, HOUR)
    assert house.door.session_subject(value) is None
    with pytest.raises(NotSignedIn):
        house.door.sign_in("ada", PASSWORD, HERE, HOUR)


def test_a_link_is_used_once_by_however_many_at_once(house: House) -> None:
    link = house.accounts.add_link("ada")

    def use(number: int) -> str | None:
        try:
            return house.door.use_link(link, f"passphrase number {number}", HERE, HOUR)
        except NotSignedIn:
            return None

    with psycopg.connect(house.url) as holder, ThreadPoolExecutor(6) as users:
        # All of them have found the link good before the first may use it.
        holder.execute("select from private.accounts where subject = 'ada' for update")
        using = [users.submit(use, number) for number in range(6)]
        query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        with psycopg.connect(house.url, autocommit=True) as looking:
            until = time.monotonic() + 20
            while looking.execute(query).fetchone() != (6,):
                assert time.monotonic() < until, "they do not meet"
                time.sleep(0.02)
        holder.commit()
        values = [each.result() for each in using]
    [winner] = [number for number, value in enumerate(values) if value is not None]
    assert house.door.session_subject(str(values[winner])) == "ada"
    house.door.sign_in("ada", f"passphrase number {winner}", HERE, HOUR)


def test_links_end_by_time_by_a_newer_one_and_with_their_account(house: House) -> None:
    older = house.accounts.add_link("ada")
    newer = house.accounts.add_link("ada")
    assert house.door.link_subject(older) is None
    assert house.door.link_subject(newer) == "ada"
    with pytest.raises(BadInput, match="at least 12"):
        house.door.use_link(newer, "too short", HERE, HOUR)
    assert house.door.link_subject(newer) == "ada"
    assert house.door.link_subject(house.accounts.add_link("ada", timedelta(0))) is None
    last = house.accounts.add_link("ada")
    house.accounts.disable("ada")
    for link in (newer, last, "", "x"):
        with pytest.raises(NotSignedIn):
            house.door.use_link(link, PASSWORD, HERE, HOUR)
    with pytest.raises(IllegalTransition, match="enable"):
        house.accounts.add_link("ada")


def test_any_number_of_guesses_at_once_is_no_more_than_one_by_one(house: House) -> None:
    def guess(number: int) -> str:
        # Without argon2id, which would keep all but two of them from Postgres at a time.
        arguments = {"proof": bytes(32), "session_sha256": bytes(32), "lifetime": HOUR, "user_agent": ""}
        return str(house.door._value("sign_in", subject="ada", address=f"203.0.113.{number}", **arguments))

    with house.pool.connection() as slow, ThreadPoolExecutor(10) as guessing:
        # The first attempt has failed and is not yet counted: the others must not be judged before it is.
        with slow.transaction():
            slow.execute(f"select ops.sign_in('ada', {NO_PROOF}, {NO_PROOF}, '1 hour', '203.0.113.200', '')".encode())
            guesses = [guessing.submit(guess, number) for number in range(40)]
            with pytest.raises(FutureTimeout):
                guesses[0].result(timeout=0.5)
        said = [each.result() for each in guesses]
    assert (said.count("refused"), said.count("throttled")) == (9, 31)
    with pytest.raises(TooManyAttempts, match="wait 15 min"):
        house.door.sign_in("ada", PASSWORD, HERE, HOUR)
    with psycopg.connect(house.url, autocommit=True) as connection:
        connection.execute("update private.sign_in_failures set at = at - interval '14 minutes 50 seconds'")
        with pytest.raises(TooManyAttempts, match="wait 1 min"):
            house.door.sign_in("ada", PASSWORD, HERE, HOUR)
        connection.execute("update private.sign_in_failures set at = at - interval '11 seconds'")
    house.door.sign_in("ada", PASSWORD, HERE, HOUR)


def test_an_address_that_tries_many_names_waits_too(house: House) -> None:
    query = f"select ops.sign_in('name' || %s, {NO_PROOF}, {NO_PROOF}, '1 hour', %s, '')".encode()

    def tried(number: int, address: str) -> str:
        with house.pool.connection() as lent:
            return str(lent.execute(query, [number, address]).fetchone())

    said = [tried(number, "198.51.100.7") for number in range(60)]
    assert said == ["('refused',)"] * 50 + ["('throttled',)"] * 10
    assert tried(60, "198.51.100.8") == "('refused',)"
    with pytest.raises(TooManyAttempts):
        house.door.sign_in("ada", PASSWORD, Caller("198.51.100.7", ""), HOUR)
    house.door.sign_in("ada", PASSWORD, HERE, HOUR)


def test_a_name_that_there_is_not_is_answered_like_one_that_there_is(house: House) -> None:
    house.accounts.add("without")
    house.accounts.add("gone")
    house.accounts.set_password("gone", PASSWORD)
    house.accounts.disable("gone")
    took: dict[str, list[float]] = {}
    for _ in range(5):
        for name in ("ada", "nobody", "without", "gone"):
            began = time.perf_counter()
            with pytest.raises(NotSignedIn) as refused:
                house.door.sign_in(name, "a wrong password", Caller(secrets.token_hex(4), ""), HOUR)
            took.setdefault(name, []).append(time.perf_counter() - began)
            assert refused.value.message.startswith("that name and password do not belong together")
    fastest = {name: min(times) for name, times in took.items()}
    # One argon2id each, some 0.13 s; without it an unknown name would be answered in 2 ms.
    assert max(fastest.values()) < 5 * min(fastest.values()), fastest
    asked = [house.door._challenge(name, Caller("", "")) for name in ("nobody", "nobody", "noone", "ada")]
    assert asked[0] == asked[1] != asked[2]
    assert [(len(each["salt"]), each["cost"]) for each in asked] == [(16, list(COST))] * 4


def test_nobody_reads_a_hash_and_only_the_door_asks(house: House) -> None:
    tables = ("accounts", "sessions", "sign_in_links", "sign_in_failures", "sign_in_pepper")
    roles = ("anon", "authenticated", "service_role", "controlroom_executor", "controlroom_bi", "controlroom_login")
    value = house.door.sign_in("ada", PASSWORD, HERE, HOUR)
    with psycopg.connect(house.url, autocommit=True) as owner:
        for role in roles:
            for table in tables:
                with owner.transaction(force_rollback=True), pytest.raises(psycopg.errors.InsufficientPrivilege):
                    owner.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
                    owner.execute(sql.SQL("select * from {}").format(sql.Identifier("private", table)))
    # Somebody who is signed in and gets SQL of his own into his transaction, also after `reset role`.
    stolen = digest(value)
    with house.pool.connection() as lent, acting_as(lent, AUTHENTICATED, {"sub": "mallory"}):
        for statement in (
            "select ops.session_subject(%s)",
            "select ops.sign_out(%s)",
            "select ops.sign_in('ada', %s, '\\x00', '1 hour', '', '')",
            "select ops.list_accounts() where %s is not null",
            "select ops.add_sign_in_link('ada', %s)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), lent.transaction():
                lent.execute(statement.encode(), [stolen])
        lent.execute("reset role")
        for table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), lent.transaction():
                lent.execute(sql.SQL("select * from {}").format(sql.Identifier("private", table)))
        for statement in ("select ops.set_password('ada', '', '{}', %s)", "select ops.add_sign_in_link('ada', %s)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), lent.transaction():
                lent.execute(statement.encode(), [stolen])
    assert house.door.session_subject(value) == "ada"


def test_what_is_stored_opens_nothing(house: House) -> None:
    value, link = house.door.sign_in("ada", PASSWORD, HERE, HOUR), house.accounts.add_link("ada")
    with psycopg.connect(house.url) as connection:
        [[salt, verifier]] = connection.execute("select salt, verifier from private.accounts").fetchall()
        [[session]] = connection.execute("select sha256 from private.sessions").fetchall()
        everything = [
            connection.execute(sql.SQL("select t::text from {} t").format(sql.Identifier("private", table))).fetchall()
            for table in ("accounts", "sessions", "sign_in_links", "sign_in_failures")
        ] + [connection.execute("select t::text from ops.audit_log t").fetchall()]
    assert not any(secret in str(everything) for secret in (PASSWORD, value, link))
    made = proof(PASSWORD, salt, COST)
    assert made not in (verifier, salt)
    assert made.hex() not in str(everything)
    assert house.door.session_subject(session.hex()) is None
    # Handing the stored value in instead of the proof, as a thief of the table would.
    assert (
        house.door._value(
            "sign_in", subject="ada", proof=verifier, session_sha256=b"0" * 32, lifetime=HOUR, address="", user_agent=""
        )
        == "refused"
    )


def test_an_oidc_sign_in_holds_until_it_is_ended_or_over(house: House) -> None:
    soon = datetime.now(UTC) + HOUR
    with ThreadPoolExecutor(8) as tabs:
        held = list(tabs.map(lambda _: house.door.login_holds("nonce 1", "https://i|1", soon, HERE), range(8)))
    assert held == [True] * 8
    assert not house.door.login_holds("nonce 1", "https://i|2", soon, HERE)
    assert house.door.session_subject("nonce 1") is None, "it was taken for a session of a local account"
    house.door.sign_out("nonce 1")
    assert not house.door.login_holds("nonce 1", "https://i|1", soon, HERE)
    assert house.door.login_holds("nonce 2", "https://i|1", soon, HERE)
    assert not house.door.login_holds("nonce 3", "https://i|1", datetime.now(UTC) - timedelta(seconds=1), HERE)


@pytest.mark.parametrize("name", ["", "local", "Ada", "https://issuer|1", "a b", "-x", "é", "a" * 129])
def test_a_name_that_could_be_taken_for_another_is_refused(house: House, name: str) -> None:
    with pytest.raises(BadInput):
        house.accounts.add(name)


def test_administration_says_what_is_wrong(house: House) -> None:
    with pytest.raises(Conflict, match="account link ada"):
        house.accounts.add("ada")
    for ask in (house.accounts.disable, house.accounts.add_link):
        with pytest.raises(NotFound, match="no account noone"):
            ask("noone")
    with pytest.raises(NotFound):
        house.accounts.set_password("noone", PASSWORD)
    with pytest.raises(BadInput):
        house.accounts.set_password("ada", "short")


def test_every_change_is_in_the_audit_log(house: House) -> None:
    house.door.sign_in("ada", PASSWORD, HERE, HOUR)
    house.door.use_link(house.accounts.add_link("ada"), PASSWORD, HERE, HOUR)
    house.accounts.disable("ada")
    house.accounts.disable("ada", False)
    with psycopg.connect(house.url) as connection:
        rows = connection.execute(
            "select action, target, after from ops.audit_log where action like 'accounts.%' order by at, id"
        ).fetchall()
    assert [action.removeprefix("accounts.") for action, _, _ in rows] == [
        "add", "password", "sign_in", "link", "password", "sign_in_by_link", "disable", "enable",
    ]  # fmt: skip
    assert {target for _, target, _ in rows} == {"ada"}
    assert rows[2][2] == {"address": "192.0.2.1"}


def test_letters_count_alike_however_they_are_composed(house: House) -> None:
    house.accounts.set_password("ada", "zwölf Boxkämpfer")
    house.door.sign_in("ada", "zwo\u0308lf Boxka\u0308mpfer", HERE, HOUR)
