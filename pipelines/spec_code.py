"""What a spec says in another language – cron, SQL, Python – judged without running it.

Each function gives a fault in one line, or None. A column is not looked for: only the run knows the tables' versions.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Collection
from pathlib import Path
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, DAYS),
)
PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def cron_fault(text: str) -> str | None:
    """Five fields: minute, hour, day of month, month, day of week; each of ``*``, values, ranges, steps and lists."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        return f"{text!r} has {len(fields)} fields; cron has five, such as '*/15 * * * *'"
    for field, (name, low, high, names) in zip(fields, FIELDS, strict=True):
        for part in field.split(","):
            if not _cron_part(part, low, high, names):
                return f"{part!r} is no {name}; write {low}-{high}, a range such as {low}-{high}, * or */n"
    return None


def _cron_part(part: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = PART.fullmatch(part)
    if match is None:
        return False
    star, first, last, step = match.groups()
    if step is not None and int(step) < 1:
        return False
    if star:
        return True
    ends = [_cron_value(end, low, names) for end in (first, last) if end is not None]
    return all(end is not None and low <= end <= high for end in ends) and ends == sorted(
        ends, key=lambda end: end or 0
    )


def _cron_value(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + low
    return int(text) if text.isdecimal() else None


def timezone_fault(name: str) -> str | None:
    """A name of the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"no time zone {name!r}; write one such as UTC or Asia/Manila"
    return None


def sql_fault(sql: str, tables: Collection[str]) -> str | None:
    """One statement that parses and names no table but ``tables``."""
    import polars as pl

    nothing = pl.LazyFrame()
    try:
        pl.SQLContext(dict.fromkeys(tables, nothing)).execute(sql).collect_schema()
    except (pl.exceptions.SQLSyntaxError, pl.exceptions.SQLInterfaceError) as error:
        said = str(error).splitlines()[0].removeprefix("sql parser error: ")
        if unknown := re.fullmatch(r"relation '(.*)' was not found", said):
            return f"no input is called {unknown[1]!r}; there are {', '.join(tables)}"
        # Other refusals than these may come of the frames that are empty here.
        return said if "parser error" in str(error) or "one (and only one) statement" in said else None
    except pl.exceptions.PolarsError:
        return None
    return None


def condition_fault(sql: str) -> str | None:
    """A SQL condition over the columns of one table."""
    import polars as pl

    try:
        pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        return str(error).splitlines()[0].removeprefix("sql parser error: ")
    return None


def python_fault(reference: str) -> str | None:
    """``module:function`` that can be found. The module is read, not imported: a spec is validated without running it."""
    module, _, name = reference.partition(":")
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        return f"module {module} cannot be found: {error}"
    if found is None:
        return f"there is no module {module}; is its folder on PYTHONPATH?"
    if found.origin is None or not found.origin.endswith(".py"):
        return None
    try:
        tree = ast.parse(Path(found.origin).read_bytes())
    except (SyntaxError, OSError) as error:
        return f"module {module} cannot be read: {error}"
    names = set(_defined(tree))
    if name in names or names & {"*", "__getattr__"}:
        return None
    return f"module {module} has no {name}"


def _defined(tree: ast.Module) -> list[str]:
    """Names that the module's statements bind, in branches too; ``*`` for an import of everything."""
    names: list[str] = []
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names += [alias.asname or alias.name.partition(".")[0] for alias in aliases]
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names += [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            case ast.If() | ast.Try() | ast.With():
                pending += [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
                if isinstance(node, ast.Try):
                    pending += [one for handler in node.handlers for one in handler.body]
    return names
