"""Secrets are named in specs, resolved late, and never come out again in logs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from ops import logs
from ops.errors import BadInput, NotAllowed, SecretMissing
from ops.secrets import SecretStore


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "odoo_dsn").write_text("postgresql://odoo:s3cr%40t@db/odoo\n")
    (tmp_path / "secrets" / "empty").write_text("\n")
    (tmp_path / "outside").write_text("not a secret of ours")
    return SecretStore(tmp_path, {"CONTROLROOM_SECRET_API_KEY": "hunter22", "AWS_SECRET_ACCESS_KEY": "plain"})


def test_a_reference_gives_its_value_and_other_text_is_itself(store: SecretStore) -> None:
    assert store.resolve("secret://env/API_KEY") == "hunter22"
    assert store.resolve("secret://file/odoo_dsn") == "postgresql://odoo:s3cr%40t@db/odoo"
    assert store.resolve("postgresql://localhost/plain") == "postgresql://localhost/plain"


@pytest.mark.parametrize("name", ["env/NOT_SET", "env/AWS_SECRET_ACCESS_KEY", "file/not_there", "file/empty"])
def test_a_missing_secret_names_the_reference_and_the_way_out(store: SecretStore, name: str) -> None:
    with pytest.raises(SecretMissing, match=f"secret://{name}") as caught:
        store.resolve(f"secret://{name}")
    assert caught.value.data == {"reference": f"secret://{name}"}


@pytest.mark.parametrize("name", ["file/../outside", "file//etc/passwd", "vault/x", "env/", "file"])
def test_a_reference_cannot_lead_elsewhere(store: SecretStore, name: str) -> None:
    with pytest.raises(BadInput, match="secret reference"):
        store.resolve(f"secret://{name}")


def test_only_what_is_allowed_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "secrets" / "books").mkdir(parents=True)
    for name in ("odoo_dsn", "odoo_dsn_2", "books/a", "rivals"):
        (tmp_path / "secrets" / name).write_text("value of it")
    asked = []

    def allowed() -> frozenset[str]:
        asked.append(1)
        return frozenset({"secret://file/odoo_dsn", "secret://file/books/*", "secret://env/*"})

    store = SecretStore(tmp_path, {"CONTROLROOM_SECRET_A": "value of a"}, allowed)
    for name in ("file/odoo_dsn", "file/books/a", "env/A"):
        assert store.resolve(f"secret://{name}").startswith("value")
    for name in (
        "file/odoo_dsn_2",
        "file/rivals",
        "file/books/../rivals",
        "file/books/../../secrets/rivals",
        "vault/x",
    ):
        with pytest.raises(NotAllowed, match="none of this project's"):
            store.resolve(f"secret://{name}")
    assert asked == [1]


def test_a_link_out_of_the_folder_is_refused(store: SecretStore, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(BadInput, match="leads out"):
        store.resolve("secret://file/link")


def test_what_was_given_out_is_hidden_everywhere(store: SecretStore) -> None:
    store.resolve("secret://env/API_KEY")
    store.resolve("secret://file/odoo_dsn")
    text = "hunter22 · postgresql://odoo:s3cr%40t@db/odoo · the decoded s3cr@t"
    assert store.redact(text) == "*** · *** · the decoded ***"


def test_passwords_nobody_resolved_are_hidden_by_their_shape(store: SecretStore) -> None:
    assert store.redact("postgresql://me:pw@host/db?x=1") == "postgresql://me:***@host/db?x=1"
    assert store.redact("host=db password='a b' user=me") == "host=db password=*** user=me"
    assert store.redact("lease_token=17 secret://env/ODOO_DSN") == "lease_token=17 secret://env/ODOO_DSN"


@pytest.mark.parametrize("as_json", [True, False])
def test_no_log_line_holds_a_secret(store: SecretStore, as_json: bool) -> None:
    value = store.resolve("secret://env/API_KEY")
    stream = io.StringIO()
    logs.configure(store.redact, json=as_json, stream=stream)
    try:
        log = structlog.get_logger()
        with structlog.contextvars.bound_contextvars(run="r-1", phase="bronze", lease_token=17):
            log.info("connected", dsn=f"host=x password={value}", nested={"deep": [value]}, password="short")
            try:
                raise RuntimeError(f"refused: {value}")
            except RuntimeError:
                log.exception("failed")
    finally:
        structlog.reset_defaults()
    written = stream.getvalue()
    assert value not in written
    assert "short" not in written
    assert written.count("***") >= 4
    assert "RuntimeError" in written
    if as_json:
        first = json.loads(written.splitlines()[0])
        assert (first["run"], first["phase"], first["lease_token"], first["level"]) == ("r-1", "bronze", 17, "info")


def test_a_secret_is_hidden_in_whatever_form_it_comes_out(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg'kqhkiG9w0\\BAQEFAAé\nq8fJ2mZbA0uVvWcXdYe\n-----END KEY-----"
    (tmp_path / "secrets" / "key").write_text(key)
    (tmp_path / "secrets" / "dsn").write_text("host=db user=u password=hunter22x dbname=d")
    store = SecretStore(tmp_path)
    assert store.resolve("secret://file/key") == key
    store.resolve("secret://file/dsn")
    forms = [
        *key.splitlines()[1:3], json.dumps({"key": key}), json.dumps(key, ensure_ascii=False), repr(key), quote(key, ""),
        "FATAL: hunter22x was refused",
    ]  # fmt: skip
    for form in forms:
        said = store.redact(form)
        assert "***" in said
        assert not any(part in said for part in ("MIIEvQ", "q8fJ2", "hunter22x")), form
