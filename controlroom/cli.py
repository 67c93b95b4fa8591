"""The ``controlroom`` command: its groups, its errors in one line, its exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from controlroom.commands import (
    access,
    account,
    alert,
    backfill,
    catalog,
    conformance,
    database,
    limits,
    people,
    pipeline,
    publish,
    query,
    refresh,
    run,
    schedule,
    score,
    sql,
    stack,
    superset,
    watching,
)
from ops.errors import ControlRoomError

EXIT_CODES = """Exit codes: 0 done · 1 the run failed, or another error · 2 wrong usage or input · 3 not found ·
4 something that is needed does not answer"""
_EXIT_OF = {
    "BAD_INPUT": 2,
    "SPEC_INVALID": 2,
    "SETTINGS_INVALID": 2,
    "NOT_FOUND": 3,
    "DATABASE_UNAVAILABLE": 4,
    "SOURCE_UNREACHABLE": 4,
    "BI_FAILED": 4,
    "STORAGE_FAILED": 4,
    "STACK_FAILED": 4,
}

app = typer.Typer(
    name="controlroom",
    help="A self-hosted control room for a lakehouse.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(run.app, name="run")
app.add_typer(account.app, name="account")
app.add_typer(superset.app, name="superset")
app.add_typer(publish.app, name="publish")
app.add_typer(query.app, name="query")
for module in (
    stack,
    database,
    sql,
    people,
    access,
    alert,
    backfill,
    catalog,
    conformance,
    refresh,
    limits,
    schedule,
    score,
    watching,
):
    module.add_to(app)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error; goes anywhere.")] = False,
) -> None:
    """A self-hosted control room for a lakehouse."""
    del debug  # taken out by main before, since it goes anywhere


def main() -> None:
    """Runs the command line of this process and ends it with the exit code."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        app([each for each in arguments if each != "--debug"], prog_name="controlroom")
    except ControlRoomError as error:
        if debug:
            raise
        typer.echo(f"{error.code}: {error.message}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        sys.stderr.close()
        sys.exit(0)


def exit_code(error: ControlRoomError) -> int:
    """What the process ends with; see EXIT_CODES."""
    return _EXIT_OF.get(error.code, 1)
