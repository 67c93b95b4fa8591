"""What must hold after any fault: no run lost, no commit doubled, no artifact twice, every chain whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlparse

from tests.faults.world import World

SEED_ROWS = 10


def assert_every_run_succeeded(world: World, runs: int) -> None:
    statuses = Counter(str(status) for (status,) in world.rows("select status from ops.runs"))
    errors = world.rows(
        "select error_code, error_message, count(*) from ops.runs where status = 'failed' group by 1, 2"
    )
    assert statuses == {"succeeded": runs}, f"{dict(statuses)}; {errors}\n{world.log_tail()}"


def doubled_effects(world: World, table: str = "gold.effect") -> dict[str, int]:
    """Runs whose rows are in the table any number of times but once, with that number of rows."""
    counts = Counter(world.effects(table)["name"].to_list())
    names = {str(name) for (name,) in world.rows("select params->>'name' from ops.runs where status = 'succeeded'")}
    return {name: counts[name] for name in names | set(counts) if counts[name] != SEED_ROWS}


def assert_exactly_once(world: World) -> None:
    doubled = doubled_effects(world)
    assert not doubled, f"rows per run, {SEED_ROWS} wanted: {doubled}"
    twice = world.rows(
        "select run_id, phase, name, count(*) from ops.run_artifacts group by 1, 2, 3 having count(*) > 1"
    )
    assert not twice, f"artifacts registered twice: {twice}"
    successes = world.rows(
        "select run_id, phase, count(*) from ops.run_events where type = 'PHASE_SUCCEEDED' group by 1, 2 having count(*) > 1"
    )
    assert not successes, f"phases that succeeded twice: {successes}"
    versions = world.rows("select count(*), count(distinct version) from ops.dataset_versions")
    assert versions[0][0] == versions[0][1] == world.delta_commits("gold.effect"), (
        f"(rows, versions) in ops.dataset_versions {versions[0]}, Delta commits {world.delta_commits('gold.effect')}"
    )


def assert_histories_are_whole(world: World) -> None:
    for (run,) in world.rows("select id from ops.runs"):
        checked = world.rows("select ok, first_bad_seq from ops.verify_event_chain(%s)", run)
        assert checked[0][0] is True, f"the event chain of {run} breaks at {checked[0][1]}"
    for uri, sha256, size in world.rows("select uri, sha256, byte_size from ops.run_artifacts"):
        data = Path(unquote(urlparse(str(uri)).path)).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256), uri
