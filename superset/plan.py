"""What a publish would do, and what somebody edited by hand since the last one. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ops.bi import Bi, BiObject
from ops.errors import NotFound
from superset.client import Superset
from superset.publish import Wanted, remove, role_fields, rule_fields
from superset.security import AUTHOR, LOOKS, VIEWER, WRITES, Security, rules_of, tenant_role
from superset.state import Fields, Key, differences, digest, made_by_people, observe, wanted


@dataclass(frozen=True)
class Step:
    """One thing and what a publish does to it.

    Attributes:
        action: create, change, remove or keep; give, take or keep for a person's role.
        by_hand: it is not as we left it: somebody edited or deleted it in Superset.
        fields: what is not as wanted.
    """

    kind: str
    name: str
    action: str
    by_hand: bool = False
    fields: Sequence[str] = ()


def plan(client: Superset, bi: Bi, wish: Wanted) -> list[Step]:
    """Every step of a publish, those that change nothing included."""
    records = {(one.kind, one.name): one for one in bi.objects(wish.publication.project_id, wish.publication.scope.env)}
    return [*_objects(client, wish, records), *_rules(client, wish, records), *_people(client, wish)]


def _objects(client: Superset, wish: Wanted, records: Mapping[Key, BiObject]) -> list[Step]:
    publication = replace(
        wish.publication,
        datasets=[replace(one, certificate=wish.earned.get(one.name)) for one in wish.publication.datasets],
    )
    fields = wanted(publication)
    ours = {key for key in records if key[0] in ("database", "dataset", "chart", "dashboard")}
    seen = observe(client, publication, [*fields, *(ours - set(fields))])
    steps = []
    for key, want in fields.items():
        if (there := seen.get(key)) is None:
            steps.append(Step(*key, "create", by_hand=key in records))
            continue
        wrong = differences(want, there.fields)
        edited = key in records and records[key].digest != there.digest
        steps.append(Step(*key, "change" if wrong or edited else "keep", edited, wrong))
    steps += [Step(*key, "remove") for key in sorted(ours - set(fields)) if key in seen]
    for key, there in seen.items():
        if key[0] == "dataset":
            metrics, columns = made_by_people(there.raw)
            names = [f"metric {one['metric_name']}" for one in metrics] + [
                f"column {one['column_name']}" for one in columns
            ]
            steps += [
                Step(name.partition(" ")[0], f"{key[1]}.{name.partition(' ')[2]}", "keep", True) for name in names
            ]
    return steps


def _rules(client: Superset, wish: Wanted, records: Mapping[Key, BiObject]) -> list[Step]:
    security, publication = Security(client), wish.publication
    roles, rules = security.role_ids(), security.rules()
    seen = observe(client, publication, [("dataset", one.name) for one in publication.datasets])
    tables = sorted(one.superset_id for one in seen.values())
    whole = len(seen) == len(publication.datasets)
    steps = []
    for rule in rules_of(publication):
        want = {
            "kind": rule.kind, "clause": rule.clause, "group": "controlroom", "roles": sorted(rule.roles), "tables": tables,
        }  # fmt: skip
        there = rule_fields(rules[rule.name]) if rule.name in rules else None
        steps.append(_step("rule", rule.name, want, there, records, whole))
    for name, rights in ((VIEWER, LOOKS), (AUTHOR, LOOKS | WRITES)):
        there = role_fields(security.rights(roles[name])) if name in roles else None
        steps.append(_step("role", name, role_fields(rights), there, records))
    role = tenant_role(publication)
    if role not in roles:
        return [*steps, Step("role", role, "create", ("role", role) in records)]
    granted = security.rights(roles[role])
    reached = sorted(int(name.rpartition("(id:")[2].rstrip(")")) for _, name in granted if "(id:" in name)
    edited = ("role", role) in records and records["role", role].digest != digest(role_fields(granted))
    right = reached == tables and whole and all(verb == "datasource_access" for verb, _ in granted)
    return [
        *steps,
        Step("role", role, "keep" if right and not edited else "change", edited, () if right else ("rights",)),
    ]


def _step(
    kind: str, name: str, want: Fields, fields: Fields | None, records: Mapping[Key, BiObject], whole: bool = True
) -> Step:
    if fields is None:
        return Step(kind, name, "create", by_hand=(kind, name) in records)
    wrong = differences(want, fields)
    edited = (kind, name) in records and records[kind, name].digest != digest(fields)
    return Step(kind, name, "change" if wrong or edited or not whole else "keep", edited, wrong)


def _people(client: Superset, wish: Wanted) -> list[Step]:
    security, role = Security(client), tenant_role(wish.publication)
    holders = {str(one["username"]) for one in security.holders(role)}
    members = {one.subject for one in wish.people}
    return [
        *(Step("person", name, "keep" if name in holders else "give") for name in sorted(members)),
        *(
            Step("person", name, "take")
            for name in sorted(holders - members)
            if not name.startswith("controlroom-probe-")
        ),
    ]


def unpublish(client: Superset, bi: Bi, wish: Wanted) -> list[Step]:
    """Takes everything of a project's environment out of Superset, rights first; charts of BI users stay, without a dataset.

    Raises:
        BiFailed: Superset refuses, such as to delete a connection on which people built datasets of their own.
    """
    security, publication = Security(client), wish.publication
    records = bi.objects(publication.project_id, publication.scope.env)
    roles, role = security.role_ids(), tenant_role(publication)
    if role in roles:
        security.set_rights(roles[role], frozenset())
    steps = []
    for kind in ("dashboard", "chart", "dataset"):
        for one in (one for one in records if one.kind == kind):
            remove(client, kind, one.superset_uuid)
            steps.append(Step(kind, one.name, "remove"))
    for name, there in security.rules().items():
        if name in {rule.name for rule in rules_of(publication)}:
            client.delete(f"/rowlevelsecurity/?q=!({there['id']})")
            steps.append(Step("rule", name, "remove"))
    for user in security.holders(role):
        security.drop_person(user, role, roles)
        steps.append(Step("person", str(user["username"]), "take"))
    if role in roles:
        client.delete(f"/security/roles/{roles[role]}")
        steps.append(Step("role", role, "remove"))
    for (kind, name), seen in observe(client, publication, [("database", "gold")]).items():
        try:
            client.delete(f"/{kind}/{seen.superset_id}")
        except NotFound:
            continue
        steps.append(Step(kind, name, "remove"))
    bi.record(publication.project_id, publication.scope.env, [])
    return steps
