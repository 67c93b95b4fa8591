"""The process of a query: honest SQL gets its answer, bombs end typed, and what slips through the gate finds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psutil
import pytest
from deltalake import write_deltalake

from ops.errors import BadInput, QueryLimitExceeded, RunCanceled, SchemaDrift
from pipelines.frames import query
from pipelines.sandbox import process
from pipelines.sandbox.confine import landlock_version
from pipelines.sandbox.gate import Admitted
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox
from tests.pipelines.sandbox_lake import CANARY, Ground, ground
from tests.pipelines.test_sandbox_gate import HONEST

TIGHT = QueryLimits(memory_mb=512, seconds=10, rows=1000, result_mb=2)
needs_landlock = pytest.mark.skipif(landlock_version() < 4, reason="the kernel's Landlock knows no network")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("process")) as made:
        yield made


@pytest.fixture
def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if someone had found a way through, in the parent and in the child."""
    monkeypatch.setattr(process, "admit", lambda sql, tables: Admitted(sql, tuple(tables)))


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "pipelines.sandbox.child" in one.cmdline()]


def waiting() -> list[psutil.Process]:
    """Children of ours, as soon as there are any: a process has no command line yet when its start returns."""
    until = time.monotonic() + 5
    while not (found := children()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("sql", HONEST)
def test_honest_sql_gives_what_it_gives_without_a_sandbox(here: Ground, sql: str) -> None:
    frames = {alias: pl.scan_delta(table.path, version=table.version) for alias, table in here.tables.items()}
    expected = query(frames, sql, {}).collect()
    with Sandbox() as sandbox:
        got = sandbox.ask(sql, here.tables)
    key = got.columns
    assert got.sort(key).equals(expected.sort(key))


def test_parameters_are_values_and_never_sql(here: Ground) -> None:
    with Sandbox() as sandbox:
        rows = sandbox.ask(
            "select t.id, p from t cross join params where t.id = params.n", here.tables, {"n": 2, "p": "' or 1=1 --"}
        )
    assert rows.rows() == [(2, "' or 1=1 --")]


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("select * from generate_series(1, 400000000)", "memory_mb"),
        ("select lpad('x', 2000000000, 'x') as x from t", "memory_mb"),
        ("select array_agg(a.value) as x from generate_series(1, 200000000) as a(value)", "memory_mb"),
        ("select * from generate_series(1, 1001)", "rows"),
        ("select a.id from t a, t b, t c, t d, t e, t f", "rows"),
        ("select lpad(name, 3000000, 'x') as x from t", "result_mb"),
    ],
)
def test_a_bomb_ends_at_its_limit(here: Ground, sql: str, limit: str) -> None:
    with Sandbox(TIGHT) as sandbox, pytest.raises(QueryLimitExceeded) as caught:
        sandbox.ask(sql, here.tables)
    setting = f"CONTROLROOM_SQL_{limit.upper()}"
    assert caught.value.data == {"limit": limit, "value": getattr(TIGHT, limit), "setting": setting}
    assert setting in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive r as (select 1 as n union all select n from r) select count(*) as n from r",
        "with c0 as (select id from t)"
        + "".join(f", c{n} as (select id from c{n - 1} union all select id from c{n - 1})" for n in range(1, 40))
        + " select count(*) as n from c39",
    ],
)
def test_endless_work_ends_with_its_time_while_others_go_on(here: Ground, sql: str) -> None:
    limits = QueryLimits(seconds=3)
    begun = time.monotonic()
    with Sandbox(limits) as sandbox, pytest.raises(QueryLimitExceeded) as caught:
        sandbox.ask(sql, here.tables)
    assert caught.value.data["limit"] in ("seconds", "memory_mb")
    assert time.monotonic() - begun < limits.seconds + 5


def test_an_answer_that_is_only_shown_is_cut_and_no_error(here: Ground) -> None:
    with Sandbox(TIGHT) as sandbox:
        assert sandbox.ask("select * from generate_series(1, 100000)", here.tables, first=5).height == 5


def test_a_canceled_query_ends_at_once(here: Ground) -> None:
    canceled = threading.Event()
    threading.Timer(1, canceled.set).start()
    begun = time.monotonic()
    with Sandbox() as sandbox, pytest.raises(RunCanceled):
        endless = "with recursive r as (select 1 as n union all select n from r) select count(*) as n from r"
        sandbox.ask(endless, here.tables, canceled=canceled.is_set)
    assert time.monotonic() - begun < 4


def test_a_panic_of_the_engine_is_an_error_of_the_query(here: Ground) -> None:
    with Sandbox() as sandbox, pytest.raises((BadInput, SchemaDrift)):
        sandbox.ask("select coalesce() as x from t", here.tables)


def test_nothing_is_left_running(here: Ground) -> None:
    with Sandbox(warm=True) as sandbox:
        sandbox.ask("select 1 as x from t", here.tables)
        assert waiting()
    assert not children()


@pytest.mark.usefixtures("no_gate")
class TestWithoutTheParentsGate:
    """The child looks again; what it is asked to read by other means is refused by the kernel."""

    def test_the_child_has_the_gate_too(self, here: Ground) -> None:
        with Sandbox() as sandbox, pytest.raises(BadInput, match="read_csv is not available"):
            sandbox.ask(f"select * from read_csv('{here.canary}')", here.tables)


SCRIPT = """
import sys
from pipelines.sandbox.confine import confine
import polars as pl
missing = confine([sys.argv[1]], [int(p) for p in sys.argv[3].split(",") if p], 1024, 20)
exec(sys.argv[2])
"""


def confined(folder: Path, code: str, ports: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), code, ports],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip


@needs_landlock
@pytest.mark.parametrize(
    "code",
    [
        "print(open({canary!r}).read())",
        "print(pl.read_csv({canary!r}))",
        "print(pl.scan_csv({canary!r}).collect(engine='streaming'))",
        "print(pl.scan_parquet({other!r} + '/*.parquet').collect())",
        "print(pl.SQLContext().execute('select * from read_csv(' + repr({canary!r}) + ')').collect())",
        "import os; print(os.listdir({home!r}))",
        "import os; os.symlink({canary!r}, {given!r} + '/x'); print(open({given!r} + '/x').read())",
        "open({given!r} + '/made', 'w').write('x'); print('CANARY-7f3a')",
        "open({home!r} + '/made-by-sql', 'w').write('x'); print('CANARY-7f3a')",
        "import os; os.unlink({given!r} + '/_delta_log/00000000000000000000.json'); print('CANARY-7f3a')",
        "import subprocess; print(subprocess.run(['/bin/cat', {canary!r}], capture_output=True).stdout)",
        "import os; os.execv('/bin/cat', ['cat', {canary!r}])",
        "print(open('/etc/passwd').read(), 'CANARY-7f3a')",
        "print(open('/proc/1/environ').read(), 'CANARY-7f3a')",
        "import threading; t = threading.Thread(target=lambda: print(open({canary!r}).read())); t.start(); t.join()",
        "import urllib.request; urllib.request.urlopen({url!r})",
        "pl.scan_csv({url!r} + '/a.csv').collect()",
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print('CANARY-7f3a')",
    ],
)
def test_the_kernel_refuses_what_the_process_may_not(here: Ground, code: str) -> None:
    table = Path(here.tables["t"].path)
    text = code.format(
        canary=str(here.canary), other=here.other.path, given=str(table), home=str(here.canary.parent), url=here.url
    )
    ended = confined(table, text)
    assert CANARY not in ended.stdout
    assert here.hits == []
    assert not (here.canary.parent / "made-by-sql").exists()
    assert (table / "_delta_log" / "00000000000000000000.json").exists()


@needs_landlock
def test_what_was_given_can_be_read_and_an_open_port_reached(here: Ground) -> None:
    """Otherwise the test above would prove nothing."""
    table = here.tables["t"].path
    assert confined(Path(table), f"print(len(pl.read_parquet({table!r} + '/*.parquet')))").stdout == "4\n"
    port = here.url.rpartition(":")[2]
    code = (
        f"import urllib.request, urllib.error\ntry: urllib.request.urlopen({here.url!r})\n"
        "except urllib.error.HTTPError as e: print(e.code)"
    )
    assert confined(Path(table), code, port).stdout == "404\n"
    assert here.hits
    here.hits.clear()


@needs_landlock
def test_a_process_with_workers_is_not_confined_halfway(here: Ground) -> None:
    code = "import threading, time; threading.Thread(target=time.sleep, args=(5,), daemon=True).start()"
    code += "; confine([], [], 1024, 20)"
    assert "began before the process was confined" in confined(here.canary.parent, code).stderr


@needs_landlock
def test_where_the_kernel_has_all_nothing_is_missing(here: Ground) -> None:
    with Sandbox() as sandbox:
        sandbox.ask("select 1 as x from t", here.tables)
        assert sandbox.missing == ()


def test_the_process_gets_no_secrets_and_no_files(here: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLROOM_SECRET_ODOO", CANARY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    with open(here.canary) as held, Sandbox(warm=True):
        os.set_inheritable(held.fileno(), True)
        [child] = waiting()
        time.sleep(0.5)
        assert set(child.environ()) <= {
            "TZ",
            "LANG",
            "LC_ALL",
            "POLARS_MAX_THREADS",
            "PYTHONPATH",
            "RUST_BACKTRACE",
            "OPENBLAS_NUM_THREADS",
            "LC_CTYPE",
        }
        assert str(here.canary) not in [one.path for one in child.open_files()]


def test_a_query_does_not_outlive_its_asker(here: Ground) -> None:
    endless = "with recursive r as (select 1 as n union all select n from r) select count(*) as n from r"
    table = here.tables["t"]
    code = (
        "from pipelines.sandbox.process import Sandbox\nfrom pipelines.sandbox.job import GivenTable\n"
        f"Sandbox().ask({endless!r}, {{'t': GivenTable({table.path!r}, {table.version})}})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    asker = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        until = time.monotonic() + 30
        while not (begun := psutil.Process(asker.pid).children()) and time.monotonic() < until:
            time.sleep(0.05)
        [child] = begun
        time.sleep(2)
        assert child.is_running()
    finally:
        asker.send_signal(signal.SIGKILL)
        asker.wait()
    assert not psutil.wait_procs([child], timeout=5)[1]


def test_a_table_that_is_gone_is_the_storages_error(here: Ground) -> None:
    from ops.errors import StorageFailed

    with Sandbox() as sandbox, pytest.raises(StorageFailed):
        sandbox.ask("select * from t", {"t": GivenTable(str(here.canary.parent / "nowhere"), 0)})


def test_a_plan_that_reads_more_than_was_given_is_refused(here: Ground) -> None:
    from pipelines.sandbox.sources import check_sources

    roots = [table.path for table in here.tables.values()]
    frames = {alias: pl.scan_delta(table.path) for alias, table in here.tables.items()}
    check_sources(pl.SQLContext(frames).execute("select * from t join u using (id)"), roots)
    for sql in (
        f"select * from read_csv('{here.canary}')",
        f"select * from t where id in (select b from read_csv('{here.canary}'))",
        f"select (select max(b) from read_csv('{here.canary}')) from t",
        f"select * from t union all select id, name, born from read_parquet('{here.other.path}/*.parquet')",
        f"select * from read_parquet('{roots[0]}/../other/*.parquet')",
        f"select sum(id) over (partition by (select max(b) from read_csv('{here.canary}'))) from t",
        f"with c as (select * from read_csv('{here.canary}')) select * from t, c",
    ):
        with pytest.raises((BadInput, pl.exceptions.PolarsError)):
            check_sources(pl.SQLContext(frames).execute(sql), roots)


def test_a_plan_says_what_was_done_but_no_place_and_no_value_that_is_masked(tmp_path: Path) -> None:
    rows = pl.DataFrame({"id": [1, 2, 3], "name": [CANARY, CANARY, "b"]})
    write_deltalake(tmp_path / "lake", rows.to_arrow(), partition_by=["name"])
    table = GivenTable(str(tmp_path / "lake"), 0, masked=("name",))
    with Sandbox() as sandbox:
        got = sandbox.ask("select id, name from t where id > 0 order by id limit 2", {"t": table})
    assert got.rows() == [(1, None), (2, None)]
    assert "Parquet SCAN t@v0\n" in sandbox.plan
    assert 'id") > 0' in sandbox.plan
    for kept in (CANARY, str(tmp_path), ".parquet"):
        assert kept not in sandbox.plan
