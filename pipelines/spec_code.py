"""What a spec says in another language – SQL, Python – judged without running it.

Each function gives a fault in one line, or None. A column is not looked for: only the run knows the tables' versions.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Collection
from pathlib import Path

from ops.errors import BadInput
from pipelines.code_modules import is_allowed, module_fault


def sql_fault(sql: str, tables: Collection[str]) -> str | None:
    """One select that the gate admits, that parses, and that names no table but ``tables``.

    It is not planned: a plan opens what it scans, and can be made to take for ever.
    """
    import polars as pl

    from pipelines.sandbox.gate import admit

    nothing = pl.LazyFrame()
    try:
        admitted = admit(sql, tables)
        pl.SQLContext(dict.fromkeys(tables, nothing)).execute(admitted.sql)
    except BadInput as error:
        return error.message
    except pl.exceptions.PolarsError as error:
        return str(error).splitlines()[0].removeprefix("sql parser error: ")
    return None


def condition_fault(sql: str) -> str | None:
    """A SQL condition over the columns of one table."""
    import polars as pl

    from pipelines.sandbox.gate import admit_condition

    try:
        pl.sql_expr(admit_condition(sql))
    except BadInput as error:
        return error.message
    except pl.exceptions.PolarsError as error:
        return str(error).splitlines()[0].removeprefix("sql parser error: ")
    return None


def python_fault(reference: str) -> str | None:
    """``module:function`` of an allowed module that can be found, written there or imported from another allowed one.

    The module is read, not imported: a spec is validated without running it.
    """
    module, _, name = reference.partition(":")
    if not name.isidentifier():
        return f"{name!r} is no function's name; write module:function"
    if fault := module_fault(module):
        return fault
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        return f"module {module} cannot be found: {error}"
    if found is None:
        return f"there is no module {module}; is its folder on PYTHONPATH?"
    if found.origin is None or not found.origin.endswith(".py"):
        return None
    package = module if found.submodule_search_locations is not None else module.rpartition(".")[0]
    return _name_fault(module, name, Path(found.origin), package)


def _name_fault(module: str, name: str, file: Path, package: str) -> str | None:
    try:
        names = _defined(ast.parse(file.read_bytes()), package)
    except (SyntaxError, OSError) as error:
        return f"module {module} cannot be read: {error}"
    if name not in names:
        return None if names.keys() & {"*", "__getattr__"} else f"module {module} has no {name}"
    foreign = [origin for origin in names[name] if origin is not None and not is_allowed(origin)]
    # A name that is also bound otherwise, as after a failed import, is looked at when it is there: at the run.
    if len(foreign) == len(names[name]):
        return f"{module}:{name} comes from {foreign[0]}; {module_fault(foreign[0])}"
    return None


def _defined(tree: ast.Module, package: str) -> dict[str, list[str | None]]:
    """Names that the module's statements bind, in branches too, each with the modules it is imported from (None: written
    there); ``*`` for an import of everything."""
    names: dict[str, list[str | None]] = {}
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        for bound, origin in _bound(node, package):
            names.setdefault(bound, []).append(origin)
        match node:
            case ast.If() | ast.Try() | ast.With():
                pending += [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
                if isinstance(node, ast.Try):
                    pending += [one for handler in node.handlers for one in handler.body]
    return names


def _bound(node: ast.stmt, package: str) -> list[tuple[str, str | None]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [(name, None)]
        case ast.Import(names=aliases):
            return [(one.asname or one.name.partition(".")[0], one.name) for one in aliases]
        case ast.ImportFrom(names=aliases, module=origin, level=level):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - level + 1]) if level else ""
            return [(one.asname or one.name, ".".join(filter(None, (above, origin)))) for one in aliases]
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return [(one.id, None) for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]
    return []
