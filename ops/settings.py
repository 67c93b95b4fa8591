"""Settings: environment variables with the prefix ``CONTROLROOM_``, all optional, refused whole when one is wrong."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ops.errors import SettingsInvalid

# object_store refuses options that it does not know, and AWS_PROFILE and its like are none of its business.
S3_OPTIONS = frozenset(
    f"AWS_{name}"
    for name in [
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "REGION",
        "DEFAULT_REGION",
        "ENDPOINT_URL",
        "ENDPOINT",
        "ALLOW_HTTP",
        "VIRTUAL_HOSTED_STYLE_REQUEST",
        "SKIP_SIGNATURE",
        "WEB_IDENTITY_TOKEN_FILE",
        "ROLE_ARN",
    ]
)


def default_home(start: Path | None = None) -> Path:
    """The nearest ``.controlroom`` directory from ``start`` (the working directory) upward, else ``~/.controlroom``."""
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / ".controlroom").is_dir():
            return folder / ".controlroom"
    return Path.home() / ".controlroom"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _postgres(url: str | None) -> str | None:
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("must begin with postgresql://")
    return url


def _web(url: str | None) -> str | None:
    if url is not None and not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (or http://)")
    return url


def _origin(url: str | None) -> str | None:
    """Scheme and host, without a path: Streamlit compares it with the browser's Origin."""
    url = _web(url and url.rstrip("/"))
    if url is not None and (urlsplit(url).path or urlsplit(url).query or not urlsplit(url).hostname):
        raise ValueError("must be a scheme and a host, and a port if need be: https://control.example.com")
    return url


def _receiver(to: str | None) -> str | None:
    if to is None or to in ("console", "client"):
        return to
    parts = urlsplit(to)
    if parts.username or parts.password:
        raise ValueError("must have no user or password in it; CONTROLROOM_OPENLINEAGE_KEY names a secret")
    if (parts.scheme in ("http", "https") and parts.hostname and not parts.query) or (
        to.startswith("file:///") and parts.path != "/"
    ):
        return to
    raise ValueError("must be an http(s):// URL, file:///PATH, console or client")


def _reference(secret: str | None) -> str | None:
    if secret is not None and not secret.startswith("secret://"):
        raise ValueError("must be a reference, secret://env/NAME or secret://file/PATH, and never the secret itself")
    return secret


def _scoped(reference: str) -> str:
    unknown = set(re.findall(r"\{[^}]*\}?", reference)) - {"{org}", "{project}", "{env}"}
    if not reference.startswith("secret://") or unknown:
        raise ValueError(
            "must be a reference, such as secret://file/NAME, with no placeholders but {org}, {project}, {env}"
        )
    return reference


_AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
_PostgresUrl = Annotated[str | None, AfterValidator(_postgres)]
_Modules = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*( *, *[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)*$")]
_Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Settings(BaseSettings):
    """What a process of ours needs to know. ``Settings.load()`` reads it; a test may build one directly."""

    model_config = SettingsConfigDict(env_prefix="CONTROLROOM_", frozen=True, extra="ignore", env_ignore_empty=True)

    home: _AbsolutePath = Field(
        default_factory=default_home, description="Directory of the local stack and its secrets."
    )
    database_url: _PostgresUrl = Field(
        default=None, description="Postgres 15 or later, as its owner; empty: the embedded one.", repr=False
    )
    login_url: _PostgresUrl = Field(
        default=None,
        description="The same database as controlroom_login; empty: derived for the embedded one.",
        repr=False,
    )
    token: str | None = Field(
        default=None,
        description="Access token: the command line then is its owner and no more. CONTROLROOM_DATABASE_URL must log in as "
        "controlroom_token; empty: derived for the embedded one.",
        repr=False,
    )
    pg_bin: _AbsolutePath | None = Field(default=None, description="Postgres bin directory for the embedded server.")
    lake_url: str | None = Field(default=None, description="Directory or s3:// URL of the lake; empty: HOME/lake.")
    artifacts_url: str | None = Field(
        default=None, description="Directory or s3:// URL of the artifacts; empty: HOME/artifacts."
    )
    lease_seconds: float = Field(
        default=30.0, ge=0.2, le=3600, description="How long a lease lasts without a heartbeat, in seconds."
    )
    sql_memory_mb: int = Field(default=2048, ge=256, description="Memory of one query of a person, in MiB.")
    sql_seconds: float = Field(default=120.0, gt=0, description="How long one query of a person may take, in seconds.")
    sql_rows: int = Field(default=1_000_000, ge=1, description="Rows that one query of a person may return.")
    sql_result_mb: int = Field(default=256, ge=1, description="Size of what one query of a person may return, in MiB.")
    sql_postgres: Annotated[str, AfterValidator(_scoped)] = Field(
        default="secret://file/sql/postgres/{org}/{project}/{env}",
        description="Reference of the server that the engine postgres asks, a libpq URL; {org}, {project} and {env} are "
        "those of the run.",
    )
    sql_trino: Annotated[str, AfterValidator(_scoped)] = Field(
        default="secret://file/sql/trino/{org}/{project}/{env}",
        description="The same for the engine trino: https://user:password@host:port/catalog, or …/catalog/schema.",
    )
    probe_hour: int = Field(
        default=3, ge=-1, le=23, description="Hour (UTC) at which capabilities are probed each day; -1: never."
    )
    code_modules: _Modules = Field(
        default="pipelines",
        description="Modules of which, and below which, a spec may name functions; with commas between.",
    )
    openlineage: Annotated[str | None, AfterValidator(_receiver)] = Field(
        default=None,
        description="Who is told of lineage, as OpenLineage events: the http(s):// URL of a receiver, file:///PATH (a line "
        "each), console, or client (as the client's own configuration says, OPENLINEAGE_CONFIG and such); empty: nobody.",
    )
    openlineage_key: Annotated[str | None, AfterValidator(_reference)] = Field(
        default=None,
        description="Reference of the API key for an http(s):// receiver, such as secret://file/openlineage_key.",
    )
    org: _Slug = Field(default="default", description="Slug of the organisation.")
    project: _Slug = Field(default="demo", description="Slug of the project.")
    env: Annotated[str, Field(pattern="^(dev|stage|prod)$")] = Field(
        default="dev", description="Environment: dev, stage or prod."
    )

    superset_url: Annotated[str | None, AfterValidator(_web)] = Field(
        default=None,
        description="Apache Superset that gold is published to; empty: the one that `controlroom superset up` starts.",
    )
    superset_public_url: Annotated[str | None, AfterValidator(_web)] = Field(
        default=None, description="Where people open that Superset, for links to it; empty: CONTROLROOM_SUPERSET_URL."
    )
    superset_user: str = Field(default="controlroom", min_length=1, description="Its administrator that publishes.")
    superset_password: Annotated[str | None, AfterValidator(_reference)] = Field(
        default="secret://file/superset_admin", description="Reference of that user's password."
    )
    superset_venv: _AbsolutePath = Field(
        default_factory=lambda: Path(sys.prefix).parent / ".superset-venv",
        description="Virtual environment of Apache Superset itself; empty: `.superset-venv` beside ours.",
    )

    sign_in: Annotated[str, Field(pattern="^(none|accounts|oidc)$")] = Field(
        default="none",
        description="Who the page is for: none (whoever sits at this machine; served on loopback only), accounts or oidc.",
    )
    public_url: Annotated[str | None, AfterValidator(_origin)] = Field(
        default=None, description="URL under which people reach the page; empty: the address that it listens on."
    )
    session_hours: float = Field(
        default=12.0, gt=0, le=720, description="How long a sign-in of a local account lasts, in hours."
    )
    oidc_metadata_url: Annotated[str | None, AfterValidator(_web)] = Field(
        default=None, description="The issuer's discovery document, …/.well-known/openid-configuration."
    )
    oidc_client_id: str | None = Field(default=None, description="The page's client id at the issuer.")
    oidc_client_secret: Annotated[str | None, AfterValidator(_reference)] = Field(
        default=None, description="Reference of its client secret, such as secret://file/oidc_client_secret."
    )

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Reads the environment; ``overrides`` win.

        Raises:
            SettingsInvalid: with every fault, each by the variable's name.
        """
        try:
            return cls.model_validate({**cls()._given(), **overrides}) if overrides else cls()
        except ValidationError as error:
            faults = [
                f"CONTROLROOM_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()
            ]
            raise SettingsInvalid("; ".join(faults), {"faults": faults}) from None

    def _given(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.model_fields_set}

    @property
    def lake(self) -> str:
        """URL or directory of the lake."""
        return self.lake_url or str(self.home / "lake")

    @property
    def artifacts(self) -> str:
        """URL or directory of the artifact store."""
        return self.artifacts_url or str(self.home / "artifacts")

    @property
    def superset_opened_at(self) -> str | None:
        """Where people open Superset; None where nobody has said."""
        return self.superset_public_url or self.superset_url

    @property
    def storage_options(self) -> dict[str, str]:
        """What reaches S3: the standard ``AWS_*`` variables of this process that name keys, region and endpoint."""
        return storage_options(os.environ)


def storage_options(environment: Mapping[str, str]) -> dict[str, str]:
    """The S3 options in ``environment`` that Delta, Polars and obstore all take; others are left out."""
    return {name: value for name, value in environment.items() if name in S3_OPTIONS and value}
