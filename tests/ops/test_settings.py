"""Settings come from the environment; wrong ones are refused whole, each by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import SettingsInvalid
from ops.settings import Settings, default_home, storage_options


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("CONTROLROOM_")]:
        monkeypatch.delenv(name)


def test_nothing_needs_to_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".controlroom").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    settings = Settings.load()
    assert settings.home == tmp_path / ".controlroom"
    assert settings.lake == str(tmp_path / ".controlroom" / "lake")
    assert (settings.org, settings.project, settings.env, settings.lease_seconds) == ("default", "demo", "dev", 30.0)


def test_without_a_home_nearby_it_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home(Path("/proc")) == tmp_path / ".controlroom"


def test_the_environment_wins_over_defaults_and_an_override_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLROOM_LAKE_URL", "s3://lake/x")
    monkeypatch.setenv("CONTROLROOM_ENV", "prod")
    monkeypatch.setenv("CONTROLROOM_DATABASE_URL", "")
    settings = Settings.load(env="stage")
    assert (settings.lake, settings.env, settings.database_url) == ("s3://lake/x", "stage", None)


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLROOM_LEASE_SECONDS", "soon")
    monkeypatch.setenv("CONTROLROOM_ENV", "production")
    monkeypatch.setenv("CONTROLROOM_DATABASE_URL", "mysql://x:secretpw@y/z")
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load()
    for name in ("CONTROLROOM_LEASE_SECONDS", "CONTROLROOM_ENV", "CONTROLROOM_DATABASE_URL"):
        assert name in str(caught.value)
    assert "secretpw" not in str(caught.value)


def test_where_servers_are_is_a_reference_for_a_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load(sql_trino="secret://file/{env}/{project}").sql_trino == "secret://file/{env}/{project}"
    for wrong in (
        "postgresql://me:secretpw@x/y",
        "secret://file/{tenant}",
        "secret://file/{env",
        "secret://file/{env.x}",
    ):
        monkeypatch.setenv("CONTROLROOM_SQL_POSTGRES", wrong)
        with pytest.raises(SettingsInvalid, match="CONTROLROOM_SQL_POSTGRES: .*must be a reference") as caught:
            Settings.load()
        assert "secretpw" not in str(caught.value)


def test_a_printed_settings_object_shows_no_password() -> None:
    assert "secretpw" not in repr(Settings.load(database_url="postgresql://x:secretpw@y/z"))


def test_only_options_that_stores_know_reach_them() -> None:
    given = {"AWS_REGION": "eu", "AWS_PROFILE": "me", "AWS_ENDPOINT_URL": "", "PATH": "/bin"}
    assert storage_options(given) == {"AWS_REGION": "eu"}
