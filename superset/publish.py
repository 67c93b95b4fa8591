"""Publishing a project's gold to Superset: import, rules, grants, users, probes, certificates, caches – in that order.

The import is one transaction of Superset's. Nobody is granted what has no rules, nothing is certified that was not probed, and
what is recorded is what was seen afterwards: a publish that is cut off anywhere shows nobody more than before, and the next
one finishes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ops.bi import Bi, BiObject
from ops.errors import BiFailed, Conflict, NotFound
from superset.bundle import Certificate, Dataset, Json, Publication, build, pack
from superset.client import Superset
from superset.security import AUTHOR, LOOKS, VIEWER, WRITES, Person, Security, dataset_rights, rules_of, tenant_role
from superset.state import Key, Seen, digest, made_by_people, observe, wanted
from superset.verify import Asked, Finding, verify

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What is to stand in Superset.

    Attributes:
        publication: with its datasets, none of them certified yet.
        earned: certificates by dataset, for those whose checks have passed.
        rows: how many rows each dataset has of the tenant, counted in gold.
        people: members of the project's environment.
        address: where people open Superset.
    """

    publication: Publication
    password: str
    earned: Mapping[str, Certificate]
    rows: Mapping[str, int]
    people: Sequence[Person]
    address: str


@dataclass(frozen=True)
class Published:
    """What was done. ``new_people`` need a password, or a way to sign in, from Superset's administrator."""

    dataset: str
    certified: bool
    why_not: str
    dashboard: str


@dataclass(frozen=True)
class Report:
    datasets: Sequence[Published]
    new_people: Sequence[str]
    findings: Sequence[Finding]


def publish(client: Superset, bi: Bi, wish: Wanted, say: Say) -> Report:
    """Publishes, and records what stands there.

    Raises:
        Conflict: a metric that a BI user made has the name of one of ours.
        BiFailed: Superset shows somebody what is not theirs, or refuses a step; the message says which.
        SourceUnreachable, NotAllowed: it does not answer, or not to us.
    """
    publication = _keep(client, wish.publication)
    _retire(client, bi, publication, say)
    before = _with_certificates(publication, _standing_certificates(bi, publication, wish.earned))
    client.import_assets(pack(build(before)), {"databases/gold.yaml": wish.password})
    seen = observe(client, publication, wanted(publication))
    say(f"{len(publication.datasets)} datasets, {len(seen) - 1} objects")
    _repoint(client, bi, publication, seen)
    roles = _grant(client, publication, seen)
    findings = _probe(client, publication, seen, wish, roles)
    say("isolation verified by users of its own")
    after = _with_certificates(publication, wish.earned)
    if after != before:
        client.import_assets(pack(build(after)), {"databases/gold.yaml": wish.password})
        seen = observe(client, publication, wanted(publication))
    new = _people(client, publication, wish.people, roles)
    _own(client, publication, seen)
    ids = [one.superset_id for (kind, _), one in seen.items() if kind == "dataset"]
    client.post("/cachekey/invalidate", {"datasource_uids": [f"{one}__table" for one in ids]})
    bi.record(publication.project_id, publication.scope.env, _records(client, after, seen, roles))
    done = [
        Published(
            one.name, one.certificate is not None, "" if one.certificate else "its checks did not pass, or gold is behind",
            f"{wish.address}/superset/dashboard/{publication.slug(one)}/",
        )
        for one in after.datasets
    ]  # fmt: skip
    return Report(done, new, findings)


def _keep(client: Superset, publication: Publication) -> Publication:
    """The publication with the metrics and calculated columns that people added, which an import would drop."""
    kept: dict[str, Sequence[Json]] = {}
    columns: dict[str, Sequence[Json]] = {}
    for (_, name), one in observe(client, publication, [("dataset", one.name) for one in publication.datasets]).items():
        kept[name], columns[name] = made_by_people(one.raw)
        ours = next(each for each in publication.datasets if each.name == name).mart.metrics
        if clash := sorted({str(metric["metric_name"]) for metric in kept[name]} & set(ours)):
            raise Conflict(
                f"{name} has a metric {clash[0]} that was made by hand in Superset, and we publish one of that name; rename "
                "theirs or ours"
            )
    return replace(publication, kept=kept, kept_columns=columns)


def _with_certificates(publication: Publication, earned: Mapping[str, Certificate]) -> Publication:
    return replace(
        publication, datasets=[replace(one, certificate=earned.get(one.name)) for one in publication.datasets]
    )


def _standing_certificates(
    bi: Bi, publication: Publication, earned: Mapping[str, Certificate]
) -> dict[str, Certificate]:
    """Certificates that were given before for the same run and rows: they need not vanish while the probes ask again."""
    given = {
        one.name: (one.run_id, one.version, one.fingerprint)
        for one in bi.objects(publication.project_id, publication.scope.env)
        if one.kind == "dataset"
    }
    return {name: one for name, one in earned.items() if given.get(name) == (one.run_id, one.version, one.fingerprint)}


def _repoint(client: Superset, bi: Bi, publication: Publication, seen: Mapping[Key, Seen]) -> None:
    """Charts of BI users whose dataset was deleted by hand get the one that was made again.

    Superset forgets a chart's dataset with it; the chart's own settings still name it, by an id that is given once.
    """
    moved = {
        f"{one.superset_id}__table": now.superset_id
        for one in bi.objects(publication.project_id, publication.scope.env)
        if one.kind == "dataset"
        and (now := seen.get(("dataset", one.name))) is not None
        and now.superset_id != one.superset_id
    }
    if not moved:
        return
    for chart in client.every("/chart/"):
        params = json.loads(chart.get("params") or "{}")
        if (fresh := moved.get(str(params.get("datasource")))) is not None:
            client.put(
                f"/chart/{chart['id']}",
                {
                    "datasource_id": fresh, "datasource_type": "table",
                    "params": json.dumps({**params, "datasource": f"{fresh}__table"}),
                },
            )  # fmt: skip


def _grant(client: Superset, publication: Publication, seen: Mapping[Key, Seen]) -> Mapping[str, int]:
    """Rules first, then rights; the ids of all roles."""
    security, role = Security(client), tenant_role(publication)
    roles = security.ensure_roles([VIEWER, AUTHOR, role])
    datasets = [one for (kind, _), one in seen.items() if kind == "dataset"]
    security.put_rules(publication, [one.superset_id for one in datasets], roles)
    security.set_rights(roles[VIEWER], LOOKS)
    security.set_rights(roles[AUTHOR], LOOKS | WRITES)
    security.set_rights(roles[role], dataset_rights(datasets, security.known_rights()))
    return roles


def _probe(
    client: Superset, publication: Publication, seen: Mapping[Key, Seen], wish: Wanted, roles: Mapping[str, int]
) -> list[Finding]:
    """Raises BiFailed for a leak, after the role has lost its rights."""
    found = verify(client, publication, asked_of(seen, wish.rows), strange_datasets(client, seen), roles)
    if found:
        Security(client).set_rights(roles[tenant_role(publication)], frozenset())
        first = found[0]
        raise BiFailed(
            f"isolation does not hold: {first.dataset or 'the server'}, {first.question}: {' '.join(first.answer.split())}; "
            f"{len(found)} findings. The role {tenant_role(publication)} has lost its rights; `controlroom superset plan` "
            "shows what was edited by hand",
            {"findings": [vars(one) for one in found]},
        )
    return found


def asked_of(seen: Mapping[Key, Seen], rows: Mapping[str, int]) -> list[Asked]:
    """The datasets to ask about."""
    return [
        Asked(name, one.superset_id, rows[name])
        for (kind, name), one in seen.items()
        if kind == "dataset" and name in rows
    ]


def strange_datasets(client: Superset, seen: Mapping[Key, Seen]) -> list[int]:
    """Ids of the datasets that are not among ours."""
    ours = {one.superset_id for (kind, _), one in seen.items() if kind == "dataset"}
    return [int(row["id"]) for row in client.every("/dataset/") if int(row["id"]) not in ours]


def _people(
    client: Superset, publication: Publication, people: Sequence[Person], roles: Mapping[str, int]
) -> list[str]:
    """Gives members the role and takes it from those who are none any more; who is new there."""
    security, role = Security(client), tenant_role(publication)
    members = {one.subject for one in people}
    for user in security.holders(role):
        if user["username"] not in members and not str(user["username"]).startswith("controlroom-probe-"):
            security.drop_person(user, role, roles)
    return [one.subject for one in people if security.put_person(one, role, roles)]


def _own(client: Superset, publication: Publication, seen: Mapping[Key, Seen]) -> None:
    """Owners of a table who are users there own its dataset, beside the administrator; that gives them no rights."""
    ids = {str(row["username"]): int(row["id"]) for row in client.every("/security/users/")}
    for one in publication.datasets:
        owners = [ids[name] for owner in one.owners if (name := owner.removeprefix("@")) in ids]
        now = seen["dataset", one.name]
        had = {int(each["id"]) for each in now.raw.get("owners", [])}
        if not set(owners) <= had:
            client.put(f"/dataset/{now.superset_id}", {"owners": sorted({*owners, *had})})


def _records(
    client: Superset, publication: Publication, seen: Mapping[Key, Seen], roles: Mapping[str, int]
) -> list[BiObject]:
    datasets = {one.name: one for one in publication.datasets}
    found = []
    for (kind, name), one in seen.items():
        record = BiObject(kind, name, one.uuid, one.superset_id, one.digest)
        if kind == "dataset":
            record = _certified(record, datasets[name])
        found.append(record)
    security = Security(client)
    rules = security.rules()
    for rule in rules_of(publication):
        there = rules[rule.name]
        found.append(BiObject("rule", rule.name, None, int(there["id"]), digest(rule_fields(there))))
    role = tenant_role(publication)
    found += [
        BiObject("role", name, None, roles[name], digest(role_fields(security.rights(roles[name]))))
        for name in (role, VIEWER, AUTHOR)
    ]
    return found


def _certified(record: BiObject, dataset: Dataset) -> BiObject:
    if dataset.certificate is None:
        return replace(record, dataset_id=dataset.dataset_id)
    certificate = dataset.certificate
    return replace(
        record, dataset_id=dataset.dataset_id, run_id=certificate.run_id, version=certificate.version,
        fingerprint=certificate.fingerprint,
    )  # fmt: skip


def rule_fields(there: Json) -> dict[str, object]:
    """What is compared of a rule."""
    return {
        "kind": there["filter_type"], "clause": there["clause"], "group": there.get("group_key"),
        "roles": sorted(one["name"] for one in there["roles"]), "tables": sorted(int(one["id"]) for one in there["tables"]),
    }  # fmt: skip


def role_fields(rights: frozenset[tuple[str, str]]) -> dict[str, object]:
    """What is compared of a role."""
    return {"rights": sorted(" on ".join(right) for right in rights)}


def _retire(client: Superset, bi: Bi, publication: Publication, say: Say) -> None:
    """Takes away what was published before and is in gold no more: its dashboard and charts before its dataset."""
    kept = set(wanted(publication))
    order = {"dashboard": 0, "chart": 1, "dataset": 2}
    gone = [
        one
        for one in bi.objects(publication.project_id, publication.scope.env)
        if one.kind in order and (one.kind, one.name) not in kept
    ]
    for one in sorted(gone, key=lambda one: order[one.kind]):
        remove(client, one.kind, one.superset_uuid)
        say(f"{one.kind} {one.name} is gone")


def remove(client: Superset, kind: str, uuid: UUID | None) -> None:
    """Deletes what has that uuid; what is not there needs no deleting. Ids may have been taken by others since."""
    try:
        client.delete(f"/{kind}/{client.get(f'/{kind}/{uuid}')['result']['id']}")
    except NotFound:
        return
