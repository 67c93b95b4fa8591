"""Reads a spec from YAML or JSON: every fault at once, each with its line and what would be right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from io import StringIO
from itertools import product
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ops.errors import BadInput, Fault, NotFound, SpecInvalid
from pipelines.contract import named
from pipelines.plan import circle, dependencies, reaches
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.servers.statement import one_select
from pipelines.spec import IngestPhase, Phase, Pipeline, QueryPhase, TransformPhase, ValidatePhase
from pipelines.spec_code import condition_fault, python_fault, sql_fault

Location = tuple[int | str, ...]
PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


def load(path: Path) -> Pipeline:
    """The pipeline of one file.

    Raises:
        NotFound: no such file.
        SpecInvalid: with every fault of it.
    """
    if not path.is_file():
        raise NotFound(f"there is no pipeline spec at {path}", {"path": str(path)})
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        fault = Fault("file", line, 1, f"byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8")
        raise SpecInvalid.of(str(path), [fault]) from None
    return parse(text, str(path))


def parse(text: str, path: str = "<spec>") -> Pipeline:
    """The pipeline of a text; ``path`` is what faults are reported under.

    Raises:
        SpecInvalid: with every fault of it.
    """
    try:
        document = YAML().load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SpecInvalid.of(path, [Fault("yaml", line, column, str(error.problem))]) from None
    except YAMLError as error:
        raise SpecInvalid.of(path, [Fault("yaml", 1, 1, str(error).splitlines()[0])]) from None
    if not isinstance(document, CommentedMap):
        raise SpecInvalid.of(
            path, [Fault("spec", 1, 1, "a spec is a mapping with version, pipeline, owner and phases")]
        )
    loops = _loop_faults(document)
    plain, origin = _expanded(document, {int(fault.where.split(".")[1]) for fault in loops})
    try:
        pipeline = Pipeline.model_validate(plain)
    except ValidationError as error:
        # Once every phase is refused, pydantic also counts the phases that are left; nobody wrote an empty list.
        counted = bool(document.get("phases"))
        told = [each for each in error.errors() if not (each["type"] == "too_short" and counted)]
        faults = [_fault(document, origin, each["loc"], each["msg"], each["type"]) for each in told]
        # Names of phases that a faulty for_each would have made are not known, so nothing is said of names then.
        named = [] if loops else _name_faults(plain.get("phases"), document, origin)
        raise SpecInvalid.of(path, _in_order([*loops, *faults, *named])) from None
    if loops:
        raise SpecInvalid.of(path, _in_order(loops))
    if faults := _faults_between(pipeline, document, origin):
        raise SpecInvalid.of(path, _in_order(faults))
    needed = dependencies(pipeline.phases)
    phases = [phase.model_copy(update={"depends_on": needed[phase.name]}) for phase in pipeline.phases]
    return pipeline.model_copy(update={"phases": tuple(phases)})


def json_schema() -> str:
    """The JSON Schema of a spec, as ``pipelines/schema.json`` keeps it. An entry with ``for_each`` is a template."""
    return json.dumps(Pipeline.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


def _in_order(faults: Sequence[Fault]) -> list[Fault]:
    """Each once, as one reads the file."""
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))


def _name_faults(phases: object, document: CommentedMap, origin: Sequence[int]) -> list[Fault]:
    """What is wrong between phases that are not all valid themselves: names twice, names that nobody has."""
    entries = [entry if isinstance(entry, dict) else {} for entry in phases] if isinstance(phases, list) else []
    names = [str(entry.get("name")) for entry in entries]
    faults: list[Fault] = []
    for number, entry in enumerate(entries):
        found: list[tuple[str, str]] = []
        if "name" in entry and names[number] in names[:number]:
            found.append(("name", f"another phase is called {names[number]}; names are unique"))
        needed = entry.get("depends_on")
        for name in needed if isinstance(needed, list) else []:
            if name not in names:
                close = difflib.get_close_matches(str(name), names, n=1)
                found.append(("depends_on", f"no phase {name!r}" + (f"; did you mean {close[0]}?" if close else "")))
        for key, message in found:
            line, column = _position(document, ("phases", origin[number] if origin else number, key))
            faults.append(Fault(f"phases.{names[number]}.{key}", line, column, message))
    return faults


def _expanded(document: CommentedMap, left_out: Collection[int]) -> tuple[dict[str, object], list[int]]:
    """``for_each: {table: [a, b]}`` makes one phase of each combination; ``{table}`` in its texts is replaced.

    Args:
        left_out: positions of entries whose loop is at fault.

    Returns the plain document and, for each phase of it, the position of the entry that it came from.
    """
    plain = {str(name): _plain(value) for name, value in document.items()}
    written = plain.get("phases")
    if not isinstance(written, list):
        return plain, []
    phases: list[object] = []
    origin: list[int] = []
    for position, entry in enumerate(written):
        if position in left_out:
            continue
        loops = entry.get("for_each") if isinstance(entry, dict) else None
        if not isinstance(loops, dict):
            phases.append(entry)
            origin.append(position)
            continue
        template = {name: value for name, value in entry.items() if name != "for_each"}
        for values in product(*loops.values()):
            phases.append(_filled(template, dict(zip(loops, map(str, values), strict=True))))
            origin.append(position)
    return {**plain, "phases": phases}, origin


def _loop_faults(document: CommentedMap) -> list[Fault]:
    """A ``for_each`` that makes no phases, and ``{names}`` in its entry that it does not fill."""
    entries = document.get("phases")
    faults: list[Fault] = []
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        if not (isinstance(entry, Mapping) and "for_each" in entry):
            continue
        loops = entry["for_each"]
        where = f"phases.{position}"
        if not (isinstance(loops, Mapping) and loops and all(isinstance(one, list) and one for one in loops.values())):
            line, column = _position(document, ("phases", position, "for_each"))
            shape = "for_each is a mapping of names to lists with values, such as {table: [a, b]}"
            faults.append(Fault(f"{where}.for_each", line, column, shape))
            continue
        known = [str(name) for name in loops]
        for key, value in entry.items():
            unknown = {name: None for name in PLACEHOLDER.findall(str(_plain(value))) if name not in known}
            for name in unknown if key != "for_each" else ():
                line, column = _position(document, ("phases", position, key))
                close = (difflib.get_close_matches(name, known, n=1) or known)[0]
                message = f"{{{name}}} is not filled by for_each; did you mean {{{close}}}?"
                faults.append(Fault(f"{where}.{key}", line, column, message))
    return faults


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    # ruamel keeps how a scalar was written; the models want the bare value.
    for bare in (bool, int, float, str):
        if isinstance(value, bare):
            return bare(value)
    return str(value) if value is not None else None


def _filled(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {_filled(name, names): _filled(inner, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, names) for inner in value]
    return value


def _fault(document: CommentedMap, origin: Sequence[int], found: Location, message: str, kind: str) -> Fault:
    # The union's tag ("transform") is in pydantic's location but not in the document.
    location = tuple(part for position, part in enumerate(found) if not (position == 2 and found[0] == "phases"))
    message = message.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _known_names(found)
        close = difflib.get_close_matches(str(found[-1]), known, n=1)
        message = f"unknown key; did you mean {close[0]}?" if close else f"unknown key; known are {', '.join(known)}"
    elif kind == "missing":
        message = "is missing"
    where = ".".join(str(part) for part in location)
    if location[:1] == ("phases",) and len(location) > 1 and isinstance(location[1], int) and origin:
        location = ("phases", origin[location[1]], *location[2:])
    line, column = _position(document, location)
    return Fault(where, line, column, message)


def _known_names(found: Location) -> list[str]:
    """Keys that the model at a location knows, from the JSON Schema."""
    schema = Pipeline.model_json_schema(by_alias=True)
    tags = {"ingest", "validate", "transform", "publish", "query", "custom"}
    node: Mapping[str, object] = schema
    for part in found[:-1]:
        node = _resolved(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})  # type: ignore[assignment]
        elif part in tags:
            node = {"$ref": f"#/$defs/{str(part).capitalize()}Phase"}
        else:
            node = node.get("properties", {}).get(part, {})  # type: ignore[attr-defined]
    properties = _resolved(schema, node).get("properties", {})
    return sorted(properties) if isinstance(properties, Mapping) else []


def _resolved(schema: Mapping[str, object], node: Mapping[str, object]) -> Mapping[str, object]:
    for key in ("anyOf", "allOf"):
        options = node.get(key)
        if isinstance(options, list):
            node = next((option for option in options if option.get("type") != "null"), node)
    reference = node.get("$ref")
    if isinstance(reference, str):
        return schema["$defs"][reference.rsplit("/", 1)[1]]  # type: ignore[index, no-any-return]
    return node


def _position(document: CommentedMap, location: Location) -> tuple[int, int]:
    """Line and column, from 1, of the deepest part of a location that the document has."""
    node: object = document
    line, column = 1, 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line, column = node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = node.lc.item(part)
        else:
            break
        line, column = line + 1, column + 1
        node = node[part]
    return line, column


def _faults_between(pipeline: Pipeline, document: CommentedMap, origin: Sequence[int]) -> list[Fault]:
    """What no single phase can know: names, order, kinds, contracts."""
    faults: list[Fault] = []

    def report(phase: Phase, key: str, message: str) -> None:
        position = next(number for number, one in enumerate(pipeline.phases) if one is phase)
        line, column = _position(document, ("phases", origin[position] if origin else position, key))
        faults.append(Fault(f"phases.{phase.name}.{key}", line, column, message))

    names = [phase.name for phase in pipeline.phases]
    for number, phase in enumerate(pipeline.phases):
        if phase.name in names[:number]:
            report(phase, "name", f"another phase is called {phase.name}; names are unique")
        for needed in phase.depends_on:
            if needed not in names:
                close = difflib.get_close_matches(needed, names, n=1)
                report(phase, "depends_on", f"no phase {needed!r}" + (f"; did you mean {close[0]}?" if close else ""))
        if isinstance(phase, IngestPhase):
            _contract_faults(phase, report)
        _code_faults(phase, pipeline, report)
    faults += _partition_faults(pipeline, document, report)
    if faults:
        return faults
    order = dependencies(pipeline.phases)
    if loop := circle(order):
        report(pipeline.phase(loop[0]), "depends_on", f"phases wait for each other: {' → '.join([*loop, loop[0]])}")
        return faults
    writers: dict[str, list[Phase]] = {}
    for phase in pipeline.phases:
        for table in phase.writes:
            for other in writers.get(table, []):
                if not reaches(order, phase.name, other.name):
                    report(phase, "name", f"{other.name} writes {table} too; add depends_on: [{other.name}]")
            writers.setdefault(table, []).append(phase)
    return faults


def _partition_faults(
    pipeline: Pipeline, document: CommentedMap, report: Callable[[Phase, str, str], None]
) -> list[Fault]:
    """Partitions that no parameter names, and phases that replace partitions where the pipeline has none."""
    if pipeline.partition is None:
        for phase in pipeline.phases:
            if isinstance(phase, TransformPhase) and phase.output.mode == "partition":
                report(
                    phase, "output", "mode partition needs to know them: write partition: {param: …, step: day} above"
                )
        return []
    found = pipeline.partition.faults({name: one.type for name, one in pipeline.params.items()})
    return [
        Fault(f"partition.{key}", *_position(document, ("partition", key)), message) for key, message in found.items()
    ]


def _code_faults(phase: Phase, pipeline: Pipeline, report: Callable[[Phase, str, str], None]) -> None:
    """SQL that does not parse or names other tables than the inputs; functions that cannot be found."""
    if isinstance(phase, QueryPhase) and phase.engine != EMBEDDED:
        try:
            one_select(phase.sql)
        except BadInput as error:
            report(phase, "sql", error.message)
    elif isinstance(phase, TransformPhase | QueryPhase) and phase.sql is not None:
        own = phase.named if isinstance(phase, QueryPhase) else ()
        tables = [*phase.inputs, *own, *(["params"] if pipeline.params else [])]
        if fault := sql_fault(phase.sql, tables):
            report(phase, "sql", fault)
    if isinstance(phase, TransformPhase) and phase.python is not None and (fault := python_fault(phase.python)):
        report(phase, "python", fault)
    if isinstance(phase, ValidatePhase | TransformPhase):
        for one in phase.expect:
            total = one.sum
            conditions = [one.holds.sql if one.holds else None, total.where if total else None]
            conditions.append(total.equals.where if total and total.equals else None)
            for condition in filter(None, conditions):
                if fault := condition_fault(condition):
                    report(phase, "expect", f"{condition}: {fault}")


def _contract_faults(phase: IngestPhase, report: Callable[[Phase, str, str], None]) -> None:
    try:
        contract = named(phase.contract)
    except (NotFound, BadInput) as error:
        report(phase, "contract", error.message)
        return
    groups = sorted({table.group for table in contract.tables.values()})
    if phase.group is not None and phase.group not in groups:
        report(phase, "group", f"contract {phase.contract} has no group {phase.group!r}; it has {', '.join(groups)}")
    for table in phase.tables:
        if table not in contract.tables:
            close = difflib.get_close_matches(table, list(contract.tables), n=1)
            report(
                phase,
                "tables",
                f"no table {table!r} in the contract" + (f"; did you mean {close[0]}?" if close else ""),
            )
