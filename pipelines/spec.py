"""The pipeline spec: what a person writes in YAML (or JSON), as frozen models. Whether a spec is valid is decided here only.

:func:`pipelines.spec_source.load` reads a file and reports every fault with its line. The JSON Schema of these models is
kept in ``pipelines/schema.json`` for editors.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from pipelines.expectations import Expectation, ReadName, Strict, TableName
from pipelines.kinds import kinds
from pipelines.spec_schedule import Freshness, Schedule
from pipelines.units import Bytes, Seconds

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
PhaseName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Callable_ = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


def _free(alias: str) -> str:
    if alias == "params":
        raise ValueError("the alias params is taken: SQL reads the run's parameters from it; choose another")
    return alias


Alias = Annotated[Identifier, AfterValidator(_free)]


DEFAULTS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (str,),
    "choice": (str,),
}


class Param(Strict):
    """A typed parameter of a run; it becomes a field of the trigger form."""

    type: Literal["string", "integer", "number", "boolean", "date", "choice"]
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    description: str = ""

    @model_validator(mode="after")
    def _choices_fit(self) -> Param:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("choices belong to type choice, and to no other")
        if self.default is not None and type(self.default) not in DEFAULTS[self.type]:
            raise ValueError(f"default {self.default!r} is no {self.type}")
        if self.choices and self.default is not None and self.default not in self.choices:
            raise ValueError(f"default {self.default!r} is not one of {', '.join(self.choices)}")
        return self


class Retries(Strict):
    """Tries of one phase within one attempt of the run: ``max`` beyond the first, ``backoff`` before the second."""

    max: int = Field(0, ge=0, le=20)
    backoff: Seconds = 1.0


class Resources(Strict):
    cpu: float = Field(1.0, gt=0)
    memory: Bytes | None = None


class PhaseBase(Strict):
    """What every phase has.

    Attributes:
        depends_on: explicit; the tables that a phase reads from another one are added by :class:`Pipeline`.
        timeout: seconds; None for none.
    """

    name: PhaseName
    description: str = ""
    depends_on: tuple[PhaseName, ...] = ()
    timeout: Seconds | None = None
    retries: Retries = Retries()
    resources: Resources = Resources()

    @property
    def reads(self) -> tuple[str, ...]:
        """Tables that must be pinned before the phase starts."""
        return ()

    @property
    def writes(self) -> tuple[str, ...]:
        return ()


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


class IngestPhase(PhaseBase):
    """Tables of a contract into bronze, all of one moment. ``group`` or ``tables`` chooses them."""

    kind: Literal["ingest"]
    source: Source
    contract: Identifier
    group: Identifier | None = None
    tables: tuple[Identifier, ...] = ()
    full: bool = False
    readers: int = Field(2, ge=1, le=16)

    @model_validator(mode="after")
    def _one_choice(self) -> IngestPhase:
        if (self.group is None) == (not self.tables):
            raise ValueError("give either group or tables")
        return self

    @property
    def writes(self) -> tuple[str, ...]:
        from pipelines.contract import named

        chosen = self.tables or tuple(named(self.contract).group(self.group or ""))
        return tuple(f"bronze.{table}" for table in chosen)


class Output(Strict):
    table: TableName
    key: tuple[str, ...] = ()
    mode: Literal["append", "replace", "merge", "scd2"] = "replace"

    @model_validator(mode="after")
    def _key_is_there(self) -> Output:
        if self.mode in ("merge", "scd2") and not self.key:
            raise ValueError(f"mode {self.mode} needs a key")
        return self


class TransformPhase(PhaseBase):
    """One table from others, by SQL over the inputs' aliases or by ``module:function`` (frames, arguments) → LazyFrame.

    Attributes:
        with_: arguments of the function, beside the run's parameters.
    """

    kind: Literal["transform"]
    inputs: dict[Alias, ReadName] = Field(min_length=1)
    sql: str | None = None
    python: Callable_ | None = None
    with_: dict[str, str | int | float | bool] = Field({}, alias="with")
    output: Output

    @model_validator(mode="after")
    def _one_way(self) -> TransformPhase:
        if (self.sql is None) == (self.python is None):
            raise ValueError("give either sql or python")
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.inputs.values()))

    @property
    def writes(self) -> tuple[str, ...]:
        return (self.output.table,)


class ValidatePhase(PhaseBase):
    """Expectations of one table, checked in one scan. ``quarantine`` copies bad rows aside with the reason."""

    kind: Literal["validate"]
    table: TableName
    expect: tuple[Expectation, ...] = Field(min_length=1)
    on_fail: Literal["fail", "warn", "quarantine"] = "fail"

    @property
    def reads(self) -> tuple[str, ...]:
        others = [one.sum.equals.table for one in self.expect if one.sum and one.sum.equals]
        return tuple(dict.fromkeys((self.table, *others)))

    @property
    def writes(self) -> tuple[str, ...]:
        return (f"quarantine.{self.table.replace('.', '_')}",) if self.on_fail == "quarantine" else ()


class ArtifactTarget(Strict):
    format: Literal["parquet", "csv"] = "parquet"


class PostgresTarget(Strict):
    """A table that is swapped whole. ``dsn`` may be a secret reference.

    Shared, it holds the rows of several projects and environments: a column ``tenant`` says whose each row is
    (``org/project/env``), and a publish swaps those of its own.
    """

    table: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]
    dsn: Dsn
    key: tuple[str, ...] = ()
    shared: bool = False

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

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value == "superset" or (isinstance(value, Mapping) and "superset" in value):
            raise ValueError("superset is no target of a phase; publish to postgres, where Superset reads it")
        if isinstance(value, str):
            raise ValueError(f"a target has settings; write to: {{{value}: {{…}}}}")
        return value

    @model_validator(mode="after")
    def _some(self) -> Targets:
        if self.artifact is None and self.postgres is None:
            raise ValueError("name a target: artifact or postgres")
        return self


class PublishPhase(PhaseBase):
    """A table to its readers."""

    kind: Literal["publish"]
    table: TableName
    to: Targets

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.table,)


class QueryPhase(PhaseBase):
    """SQL over tables; its text, result and preview become artifacts."""

    kind: Literal["query"]
    inputs: dict[Alias, ReadName] = Field(min_length=1)
    sql: str
    preview_rows: int = Field(50, ge=0, le=1000)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.inputs.values()))


def _installed(kind: str) -> str:
    if kind not in kinds():
        close = difflib.get_close_matches(kind, kinds(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(kinds())}"
        raise ValueError(f"no phase kind {kind!r}; {hint}")
    return kind


class CustomPhase(PhaseBase):
    """A kind from the entry-point group ``controlroom.handlers``; ``with`` is the handler's own."""

    kind: Annotated[str, AfterValidator(_installed)]
    inputs: dict[Identifier, ReadName] = Field({})
    outputs: tuple[TableName, ...] = ()
    with_: dict[str, Any] = Field({}, alias="with")

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.inputs.values()))

    @property
    def writes(self) -> tuple[str, ...]:
        return self.outputs


BUILT_IN = ("ingest", "validate", "transform", "publish", "query")


def _tag(value: object) -> str:
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return str(kind) if kind in BUILT_IN else "custom"


Phase = Annotated[
    Annotated[IngestPhase, Tag("ingest")]
    | Annotated[ValidatePhase, Tag("validate")]
    | Annotated[TransformPhase, Tag("transform")]
    | Annotated[PublishPhase, Tag("publish")]
    | Annotated[QueryPhase, Tag("query")]
    | Annotated[CustomPhase, Tag("custom")],
    Discriminator(_tag),
]


class Pipeline(Strict):
    """A whole spec. ``phases`` stand in an order in which they could run one after another.

    Attributes:
        capabilities: what an executor must be able to do to take a run: each is started with the names of what it can.
    """

    version: Literal[1]
    pipeline: Slug
    owner: str = Field(min_length=1)
    description: str = ""
    schedule: Schedule | None = None
    freshness: Freshness | None = None
    params: dict[Identifier, Param] = Field({})
    max_attempts: int = Field(3, ge=1, le=100)
    timeout: Seconds | None = None
    capabilities: tuple[Slug, ...] = ()
    phases: tuple[Phase, ...] = Field(min_length=1)

    def phase(self, name: str) -> Phase:
        return next(phase for phase in self.phases if phase.name == name)

    def to_json(self) -> dict[str, object]:
        """JSON-ready, defaults left out; :meth:`from_json` gives the same pipeline back."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Pipeline:
        """Reads what :meth:`to_json` wrote: dependencies are in it, no expansion happens."""
        return cls.model_validate(document)


def spec_sha256(pipeline: Pipeline) -> str:
    """sha256 of the spec's canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(pipeline.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def phase_inputs(phase: Phase) -> tuple[str, ...]:
    """Tables that the phase reads, ``layer.name``."""
    return phase.reads


def phase_outputs(phase: Phase) -> tuple[str, ...]:
    """Tables that the phase writes, ``layer.name``."""
    return phase.writes
