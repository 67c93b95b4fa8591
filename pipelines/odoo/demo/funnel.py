"""Leads on their way to won or lost, and the tasks of projects."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.odoo.demo.names import FIRST, SECOND
from pipelines.odoo.demo.orders import DAY, Frames, where_time
from pipelines.odoo.demo.tables import Ids, money, where
from pipelines.odoo.demo.world import World

WON = 5
CHANCE = np.array([10.0, 25.0, 50.0, 75.0, 100.0])


def funnel(world: World, random: np.random.Generator, ids: Ids, count: int, first: date, last: date) -> Frames:
    """``count`` leads and a third as many tasks, created from ``first`` to ``last``."""
    tasks = max(1, count // 3)
    return {
        "crm_lead": _leads(world, random, ids, count, first, last),
        "project_task": _tasks(random, ids, tasks, first, last),
    }


def _leads(world: World, random: np.random.Generator, ids: Ids, count: int, first: date, last: date) -> pl.DataFrame:
    created = np.datetime64(first, "us") + random.integers(0, ((last - first).days + 1) * 86_400, count).astype(
        "timedelta64[s]"
    )
    stage = random.choice(np.arange(1, 6), count, p=(0.25, 0.25, 0.18, 0.12, 0.2))
    lost = (stage < WON) & (random.random(count) < 0.3)
    closed = lost | (stage == WON)
    chance = np.where(lost, 0.0, CHANCE[stage - 1])
    revenue = random.integers(5, 4000, count) * 1000
    ended = created + random.integers(1, 90, count) * DAY
    words = zip(random.integers(0, len(FIRST), count), random.integers(0, len(SECOND), count), strict=True)
    team = random.integers(0, 4, count)
    frame = pl.DataFrame(
        {
            "id": ids.take("crm_lead", count),
            "type": np.where(random.random(count) < 0.2, "lead", "opportunity"),
            "active": ~lost,
            "won_status": np.where(lost, "lost", np.where(stage == WON, "won", "pending")),
            "stage_id": stage,
            "team_id": where(team, team > 0),
            "user_id": random.integers(1, 9, count),
            "company_id": random.integers(1, 4, count),
            "partner_id": random.choice(world.customers, count),
            "name": [f"{FIRST[a]} {SECOND[b]}: new premises" for a, b in words],
            "probability": chance,
            "expected_revenue": money(revenue),
            "prorated_revenue": money((revenue * chance).astype(np.int64) // 100),
            "country_id": random.integers(1, 7, count),
            "date_closed": where_time(ended, closed),
            "date_last_stage_update": created + DAY,
            "create_date": created,
            "write_date": np.where(closed, ended, created + DAY),
        }
    )
    return frame.with_columns(
        priority=pl.lit("1"),
        lead_properties=pl.when(pl.col("id") % 15 == 0).then(pl.lit('{"9f2c": "walk-in", "77ab": 3}')),
        partner_name="name",
        day_open=1.0,
        day_close=pl.when(pl.col("date_closed").is_not_null()).then(
            (pl.col("date_closed") - pl.col("create_date")).dt.total_days().cast(pl.Float64)
        ),
    )


def _tasks(random: np.random.Generator, ids: Ids, count: int, first: date, last: date) -> pl.DataFrame:
    created = np.datetime64(first, "us") + random.integers(0, ((last - first).days + 1) * 86_400, count).astype(
        "timedelta64[s]"
    )
    done = random.random(count) < 0.6
    planned = random.integers(1, 40, count).astype(np.float64)
    spent = np.where(done, planned, np.floor(planned / 3))
    project = random.integers(1, 11, count)
    return pl.DataFrame(
        {
            "id": ids.take("project_task", count),
            "project_id": project,
            "company_id": project % 3 + 1,
            "stage_id": random.integers(1, 5, count),
            "state": np.where(done, "1_done", "01_in_progress"),
            "active": np.full(count, True),
            "allocated_hours": planned,
            "effective_hours": spent,
            "remaining_hours": planned - spent,
            "progress": np.round(spent / planned * 100, 2),
            "date_assign": created + DAY,
            "date_end": where_time(created + 20 * DAY, done),
            "create_date": created,
            "write_date": np.where(done, created + 20 * DAY, created + DAY),
        }
    ).with_columns(
        name=pl.format("Task {}", pl.col("id")),
        priority=pl.lit("0"),
        task_properties=pl.when(pl.col("id") % 25 == 0).then(pl.lit('{"room": "A"}')),
    )
