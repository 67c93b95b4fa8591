"""Order: which phase waits for which, and which are ready. Pure functions over names; the executor asks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pipelines.spec import Phase, PublishPhase, ValidatePhase

Dependencies = Mapping[str, tuple[str, ...]]


def dependencies(phases: Sequence[Phase]) -> dict[str, tuple[str, ...]]:
    """Name → names that must have succeeded before: the explicit ones, the writers of what is read, and for a publish
    the checks of its table. A writer counts only where it stands earlier in the spec, so reading a table's last version
    before it is written anew stays possible.
    """
    needed: dict[str, tuple[str, ...]] = {}
    for position, phase in enumerate(phases):
        found = dict.fromkeys(phase.depends_on)
        for earlier in phases[:position]:
            writes_it = set(earlier.writes) & set(phase.reads)
            checks_it = (
                isinstance(phase, PublishPhase) and isinstance(earlier, ValidatePhase) and earlier.table == phase.table
            )
            if writes_it or checks_it:
                found[earlier.name] = None
        needed[phase.name] = tuple(found)
    return needed


def ready(needed: Dependencies, done: Collection[str], begun: Collection[str]) -> list[str]:
    """Phases that can start now, in the spec's order."""
    return [name for name, waits in needed.items() if name not in begun and set(waits) <= set(done)]


def circle(needed: Dependencies) -> list[str]:
    """The names of one circle of dependencies, in order; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for before in needed.get(name, ()):
            if found := walk(before, [*path, name]):
                return found
        done.add(name)
        return []

    for name in needed:
        if found := walk(name, []):
            return found
    return []


def reaches(needed: Dependencies, later: str, earlier: str) -> bool:
    """Whether ``later`` waits for ``earlier``, directly or through others."""
    seen: set[str] = set()
    pending = [later]
    while pending:
        for before in needed.get(pending.pop(), ()):
            if before == earlier:
                return True
            if before not in seen:
                seen.add(before)
                pending.append(before)
    return False
