"""The two ends of a pipeline: the database that it reads, and where a publish phase puts a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from pipelines.expectations import Strict

RESERVED = frozenset({"ops", "private", "api", "auth", "information_schema"})


def _without_password(dsn: str) -> str:
    """A spec is stored and shown: what opens a database must not stand in it."""
    if dsn.startswith("secret://"):
        return dsn
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise ValueError(f"this is no Postgres address: {str(error).strip()}") from None
    # Besides passwords: what makes libpq read a file of the executor's machine that the spec's author chooses.
    if found := sorted({"password", "sslpassword", "passfile", "service", "sslkey", "sslcert"} & given.keys()):
        raise ValueError(
            f"{', '.join(found)} must not stand in a spec; store the address and write secret://file/NAME or secret://env/NAME"
        )
    return dsn


Dsn = Annotated[str, AfterValidator(_without_password)]


class Source(Strict):
    """Where an ingest reads. ``dsn`` may be a secret reference."""

    kind: Literal["postgres"]
    dsn: Dsn
    db_schema: str = Field("public", alias="schema")


class ArtifactTarget(Strict):
    format: Literal["parquet", "csv"] = "parquet"


class PostgresTarget(Strict):
    """A table that is swapped whole. ``dsn`` may be a secret reference.

    Shared, it holds the rows of several projects and environments: a column ``tenant`` says whose each row is
    (``org/project/env``), and a publish swaps those of its own.

    Attributes:
        key: a unique index.
        indexes: columns of each further index.
        columns: what readers are told of columns, as their comments.
        keep: how many earlier versions stay for ``controlroom publish rollback``.
    """

    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]
    dsn: Dsn
    key: tuple[str, ...] = ()
    indexes: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    columns: Mapping[str, str] = {}
    shared: bool = False
    keep: Annotated[int, Field(ge=0, le=20)] = 1

    @field_validator("table")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        schema = value.partition(".")[0]
        if schema in RESERVED or schema.startswith("pg_"):
            raise ValueError(f"schema {schema} is not for publishing; choose one of your own, such as gold")
        return value


class Targets(Strict):
    artifact: ArtifactTarget | None = None
    postgres: PostgresTarget | None = None
    superset: bool = False

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value == "superset" or (isinstance(value, Mapping) and not isinstance(value.get("superset", False), bool)):
            raise ValueError("superset has no settings; write superset: true beside postgres, where Superset reads it")
        if isinstance(value, str):
            raise ValueError(f"a target has settings; write to: {{{value}: {{…}}}}")
        return value

    @model_validator(mode="after")
    def _some(self) -> Targets:
        if self.superset and (self.postgres is None or not self.postgres.shared):
            raise ValueError("superset: true shows what postgres with shared: true publishes; name that target as well")
        if self.artifact is None and self.postgres is None:
            raise ValueError("name a target: artifact or postgres")
        return self
