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

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from pipelines.expectations import ColumnName, Expectation, OnFail, ReadName, Strict, TableName
from pipelines.kinds import kinds
from pipelines.partition import Partition
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.naming import named_tables
from pipelines.spec_ends import Source, Targets
from pipelines.spec_pool import Pools
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
    """``partition``: the rows of the run's partitions, told by column ``by``, take the place of those that were there."""

    table: TableName
    key: tuple[str, ...] = ()
    mode: Literal["append", "replace", "merge", "scd2", "partition"] = "replace"
    by: ColumnName | None = None

    @model_validator(mode="after")
    def _key_is_there(self) -> Output:
        if self.mode in ("merge", "scd2") and not self.key:
            raise ValueError(f"mode {self.mode} needs a key")
        if (self.mode == "partition") != (self.by is not None):
            raise ValueError(
                "by names the column that tells partitions apart; it belongs to mode partition, which needs it"
            )
        return self


def quarantine_of(table: str) -> str:
    """Where rows that break a rule of ``table`` are put aside."""
    return f"quarantine.{table.replace('.', '_')}"


def _tied_tables(expect: tuple[Expectation, ...]) -> tuple[str, ...]:
    return tuple(one.sum.equals.table for one in expect if one.sum and one.sum.equals)


class TransformPhase(PhaseBase):
    """One table from others, by SQL over the inputs' aliases or by ``module:function`` (frames, arguments) → LazyFrame.

    Attributes:
        with_: arguments of the function, beside the run's parameters.
        expect: rules of what it makes, looked at before anything is committed.
        on_fail: of the rules that say nothing themselves.
    """

    kind: Literal["transform"]
    inputs: dict[Alias, ReadName] = Field(min_length=1)
    sql: str | None = None
    python: Callable_ | None = None
    with_: dict[str, str | int | float | bool] = Field({}, alias="with")
    output: Output
    expect: tuple[Expectation, ...] = ()
    on_fail: OnFail = "fail"

    @model_validator(mode="after")
    def _one_way(self) -> TransformPhase:
        if (self.sql is None) == (self.python is None):
            raise ValueError("give either sql or python")
        return self

    @model_validator(mode="after")
    def _rules_can_be_kept(self) -> TransformPhase:
        for one in self.expect:
            action = one.action(self.on_fail)
            if one.nulls and one.nulls.max and action in ("drop", "quarantine"):
                raise ValueError(
                    f"nulls {one.nulls.column}: a share that is let pass leaves no row to {action}; set max to 0"
                )
            # Of rows that are not committed yet there is no version before them.
            if one.rows and one.rows.max_change is not None:
                raise ValueError("rows.max_change compares with the version before; write it in a validate phase")
            if one.shape and one.shape.columns is None:
                raise ValueError(
                    "schema without columns compares with the version before; write it in a validate phase"
                )
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.inputs.values(), *_tied_tables(self.expect))))

    @property
    def writes(self) -> tuple[str, ...]:
        aside = any(one.action(self.on_fail) == "quarantine" for one in self.expect)
        return (self.output.table, *([quarantine_of(self.output.table)] if aside else []))


class ValidatePhase(PhaseBase):
    """Expectations of one table, checked in one scan. ``quarantine`` copies bad rows aside with the reason.

    Attributes:
        on_fail: of the rules that say nothing themselves.
    """

    kind: Literal["validate"]
    table: TableName
    expect: tuple[Expectation, ...] = Field(min_length=1)
    on_fail: Literal["fail", "warn", "quarantine"] = "fail"

    @model_validator(mode="after")
    def _nothing_is_left_out(self) -> ValidatePhase:
        if any(one.on_fail == "drop" for one in self.expect):
            raise ValueError(
                "a validate phase looks at rows that are written already and cannot drop them; "
                "write the rule as expect of the transform that makes the table"
            )
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.table, *_tied_tables(self.expect))))

    @property
    def writes(self) -> tuple[str, ...]:
        aside = any(one.action(self.on_fail) == "quarantine" for one in self.expect)
        return (quarantine_of(self.table),) if aside or self.on_fail == "quarantine" else ()


class PublishPhase(PhaseBase):
    """A table to its readers."""

    kind: Literal["publish"]
    table: TableName
    to: Targets

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.table,)


class QueryPhase(PhaseBase):
    """SQL over tables; its text, result and preview become artifacts.

    Attributes:
        inputs: tables by alias; without them the SQL names its tables itself: ``gold.x``, ``gold.x@v12``.
        engine: who carries it out. A server reads what its login may, and no table of the lake.
    """

    kind: Literal["query"]
    inputs: dict[Alias, ReadName] = Field({})
    sql: str
    engine: Literal["embedded", "postgres", "trino"] = "embedded"
    preview_rows: int = Field(50, ge=0, le=1000)

    @model_validator(mode="after")
    def _a_server_has_its_own_tables(self) -> QueryPhase:
        if self.inputs and self.engine != EMBEDDED:
            raise ValueError(
                f"inputs are tables of the lake, which engine {self.engine} does not read: name the server's tables in the "
                "SQL, or take engine: embedded"
            )
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """Tables of the lake that the SQL names itself, with their pins; none of SQL that the gate refuses, which the run will
        say."""
        return () if self.inputs or self.engine != EMBEDDED else named_tables(self.sql)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.inputs.values())) or self.named


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
        partition: which parameters name the partition of a run; with it the pipeline can be backfilled.
        pool: what runs share with others, such as a source that bears two readers at once; a run waits until there are slots.
        capabilities: what an executor must be able to do to take a run: each is started with the names of what it can.
    """

    version: Literal[1]
    pipeline: Slug
    owner: str = Field(min_length=1)
    description: str = ""
    schedule: Schedule | None = None
    freshness: Freshness | None = None
    params: dict[Identifier, Param] = Field({})
    partition: Partition | None = None
    max_attempts: int = Field(3, ge=1, le=100)
    timeout: Seconds | None = None
    capabilities: tuple[Slug, ...] = ()
    pool: Pools = ()
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
