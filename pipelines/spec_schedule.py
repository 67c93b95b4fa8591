"""What a spec says of when it runs and how old its tables may be; ``controlroom schedule apply`` makes it so."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipelines.cron import cron_fault, timezone_fault
from pipelines.expectations import ColumnName, Strict, TableName
from pipelines.units import Seconds

Misfire = Literal["skip", "run_once", "run_all"]
Overlap = Literal["queue", "skip", "cancel_running"]


class WhenStale(Strict):
    """A dataset that has not changed for longer than ``older_than``."""

    dataset: TableName
    older_than: Seconds


class Schedule(Strict):
    """What starts a pipeline: exactly one of ``cron``, ``after``, ``on_dataset``, ``when_stale`` and ``webhook``.

    Attributes:
        misfire: what becomes of ticks that were missed by more than ``grace``.
        catch_up: the most that ``run_all`` makes up for at once.
        overlap: what becomes of a tick while a run of this schedule has not ended.
        jitter: a tick is delayed by up to this, always by the same.
        params: values for the run's parameters; ``{tick}`` and ``{date}`` stand for the tick.
        min_score: of the run ``after`` which this one is to start.
    """

    cron: str | None = None
    timezone: str = "UTC"
    after: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] | None = None
    on_dataset: TableName | None = None
    when_stale: WhenStale | None = None
    webhook: Literal[True] | None = None
    misfire: Misfire | None = None
    grace: Seconds | None = None
    catch_up: int | None = Field(None, ge=1, le=10_000)
    overlap: Overlap | None = None
    jitter: Seconds | None = None
    priority: int | None = None
    params: dict[str, str | int | float | bool] = Field({})
    min_score: float | None = Field(None, ge=0, le=100)

    @field_validator("cron", "timezone")
    @classmethod
    def _means_something(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and (fault := (cron_fault if info.field_name == "cron" else timezone_fault)(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _one_start(self) -> Schedule:
        starts = (self.cron, self.after, self.on_dataset, self.when_stale, self.webhook)
        if sum(start is not None for start in starts) != 1:
            raise ValueError("give exactly one of cron, after, on_dataset, when_stale and webhook")
        if self.min_score is not None and self.after is None:
            raise ValueError("min_score is that of a run; it belongs to after")
        return self

    @property
    def kind(self) -> str:
        """The word that the database has for it."""
        kinds = {
            "cron": self.cron,
            "after_pipeline": self.after,
            "on_dataset": self.on_dataset,
            "webhook": self.webhook,
        }
        return next((kind for kind, given in kinds.items() if given is not None), "when_stale")

    def definition(self, pipeline: str) -> dict[str, object]:
        """What ``ops.put_schedule`` takes; what was not said is left to its defaults."""
        said = {
            "pipeline": pipeline,
            "kind": self.kind,
            "cron": self.cron,
            "timezone": self.timezone,
            "after_pipeline": self.after,
            "dataset": self.when_stale.dataset if self.when_stale else self.on_dataset,
            "stale_seconds": self.when_stale.older_than if self.when_stale else None,
            "misfire": self.misfire,
            "grace_seconds": self.grace,
            "catch_up_limit": self.catch_up,
            "overlap": self.overlap,
            "jitter_seconds": self.jitter,
            "priority": self.priority,
            "params": self.params,
            "min_score": self.min_score,
        }
        return {name: value for name, value in said.items() if value is not None}


class Freshness(Strict):
    """How old the tables that a pipeline writes may be.

    Attributes:
        datasets: those that are meant; all that the pipeline writes where none is named.
        column: its newest value is a table's own clock; without, a table ages from its release on.
    """

    warn_after: Seconds
    error_after: Seconds
    datasets: tuple[TableName, ...] = ()
    column: ColumnName | None = None

    @model_validator(mode="after")
    def _warns_first(self) -> Freshness:
        if self.error_after < self.warn_after:
            raise ValueError("error_after is shorter than warn_after; a warning comes first")
        return self
