"""``python -m migrations.supabase``: brings ``deploy/supabase/migrations`` in step with ``sql/``, for ``supabase db push``.

Supabase applies each file once, in the order of its version, and wants every version that a database remembers to be
there. So a revision becomes one file for good; what :func:`migrations.apply.migrate` re-applies whole (functions, policies,
schema api) is one file that stands last, and its predecessors stay as placeholders. ``--fresh`` begins anew: for as long as
no database has been pushed to. The revision is noted as Alembic would, so that ``controlroom migrate`` can take over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from migrations.apply import SQL, objects, revisions

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "supabase" / "migrations"
OBJECTS = "objects"
FIRST_VERSION = 2026_01_01_000000
PLACEHOLDER = "-- A later file replaces what stood here; databases remember that they had this version.\nselect 1;\n"
_NOTE_TABLE = """
create table if not exists private.schema_revision (
  version_num varchar(32) not null constraint schema_revision_pkc primary key
);
"""


def in_step(found: Mapping[str, str]) -> dict[str, str]:
    """The folder as it should be, by file name, given what it holds; what is in step already is left as it is.

    Raises:
        ValueError: a revision that was written differs from its source: revisions are immutable.
    """
    wanted = dict(sorted(found.items()))
    by_name = {name.partition("_")[2].removesuffix(".sql"): name for name in wanted}
    for revision in revisions():
        text = _revision(revision)
        if revision not in by_name:
            wanted[_next(wanted, revision)] = text
        elif wanted[by_name[revision]] != text:
            raise ValueError(f"{by_name[revision]} is no longer {revision}.sql; revisions never change, add a new one")
    bundle = "".join(f"-- {path.relative_to(SQL)}\n{path.read_text()}\n" for path in objects())
    last = max(wanted)
    if wanted[last] != bundle:
        for name in wanted:
            if name.endswith(f"_{OBJECTS}.sql"):
                wanted[name] = PLACEHOLDER
        wanted[_next(wanted, OBJECTS)] = bundle
    return wanted


def held(folder: Path) -> dict[str, str]:
    """What the folder holds, by file name."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.sql"))}


def _next(files: Mapping[str, str], name: str) -> str:
    version = int(max(files).partition("_")[0]) + 1 if files else FIRST_VERSION
    return f"{version}_{name}.sql"


def _revision(name: str) -> str:
    return "".join(_lines(name))


def _lines(name: str) -> Iterator[str]:
    yield (SQL / f"{name}.sql").read_text()
    if name == revisions()[0]:
        yield _NOTE_TABLE
        yield f"\ninsert into private.schema_revision values ('{name}');\n"
    else:
        yield f"\nupdate private.schema_revision set version_num = '{name}';\n"


def main(arguments: list[str]) -> None:
    """Writes the folder; see the module's text."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    before = {} if "--fresh" in arguments else held(FOLDER)
    wanted = in_step(before)
    for path in FOLDER.glob("*.sql"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
