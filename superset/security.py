"""Who sees what in Superset, from ``ops.memberships``: roles, row-level rules, grants, users. Deny by default.

Each project's environment has one role. Its datasets carry two rules: rows of the tenant for that role, and ``1 = 0`` for
everybody else but Admin. Rules stand, and were read back, before anybody is granted anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ops.errors import BiFailed, NotFound
from superset.bundle import TENANT, Publication
from superset.client import Json, Superset
from superset.state import Seen, digest

VIEWER, AUTHOR = "controlroom viewer", "controlroom author"
# Superset's Gamma lacks what filters and samples need, and has what nobody here should: other people's tags and themes.
LOOKS = frozenset(
    [
        *((f"can_{verb}", f"{name}RestApi") for verb in ("read", "write") for name in (
            "DashboardFilterState", "DashboardPermalink", "ExploreFormData", "ExplorePermalink")),
        *(("can_read", name) for name in (
            "Chart", "Dashboard", "Dataset", "CurrentUserRestApi", "Explore", "Theme", "security", "SecurityRestApi",
            "AdvancedDataType")),
        *((f"can_{verb}", "Superset") for verb in (
            "dashboard", "dashboard_permalink", "explore", "explore_json", "slice", "csv", "log",
            "fetch_datasource_metadata", "language_pack", "share_dashboard", "share_chart")),
        *((f"can_{verb}", "Datasource") for verb in ("get", "get_column_values", "samples")),
        *((f"can_{verb}", "Dashboard") for verb in ("drill", "view_chart_as_table")),
        *((f"can_{verb}", "Api") for verb in ("query", "query_form_data", "time_range")),
        ("can_get_drill_info", "Dataset"), ("can_get", "MenuApi"), ("can_recent_activity", "Log"),
        ("can_list", "AsyncEventsRestApi"), ("can_userinfo", "UserDBModelView"), ("resetmypassword", "UserDBModelView"),
        ("can_this_form_get", "ResetMyPasswordView"), ("can_this_form_post", "ResetMyPasswordView"),
        ("menu_access", "Home"), ("menu_access", "Dashboards"), ("menu_access", "Charts"),
    ]
)  # fmt: skip
# No one below Admin changes a dataset: who may repoint one reads whatever table has no rules yet.
WRITES = frozenset(
    [("can_write", "Chart"), ("can_write", "Dashboard"), ("can_export", "Chart"), ("can_export", "Dashboard")]
)


@dataclass(frozen=True)
class Person:
    """A member: its subject is its name in Superset. Editors and admins make charts and dashboards of their own."""

    subject: str
    author: bool


@dataclass(frozen=True)
class Rule:
    name: str
    kind: str
    clause: str
    roles: tuple[str, ...]


def tenant_role(publication: Publication) -> str:
    return f"controlroom {publication.tenant}"


def rules_of(publication: Publication) -> list[Rule]:
    """The two rules of a project's environment. Slugs are of letters that need no quoting; the schema sees to that."""
    role, group = tenant_role(publication), publication.tenant
    return [
        Rule(f"controlroom rows of {group}", "Regular", f"{TENANT} = '{group}'", (role,)),
        Rule(f"controlroom nothing of {group}", "Base", "1 = 0", ("Admin", role)),
    ]


class Security:
    """Roles, rules and users of one Superset, through its administrator's session."""

    def __init__(self, client: Superset) -> None:
        self.client = client
        self._known: dict[tuple[str, str], int] | None = None

    def role_ids(self) -> dict[str, int]:
        return {row["name"]: int(row["id"]) for row in self.client.every("/security/roles/")}

    def ensure_roles(self, names: Sequence[str]) -> dict[str, int]:
        """Ids of roles, made where they are missing: with no rights at all."""
        known = self.role_ids()
        for name in names:
            if name not in known:
                self.client.post("/security/roles/", {"name": name})
        return self.role_ids()

    def set_rights(self, role_id: int, rights: frozenset[tuple[str, str]]) -> None:
        """Replaces what a role may do.

        Raises:
            BiFailed: Superset knows no such right.
        """
        if self.rights(role_id) == rights:
            return
        known = self.known_rights()
        if missing := sorted(" on ".join(right) for right in rights - set(known)):
            raise BiFailed(
                f"this Superset has no right {missing[0]}; it must be 6.1, as superset/server/requirements.txt has it"
            )
        self.client.post(
            f"/security/roles/{role_id}/permissions",
            {"permission_view_menu_ids": sorted(known[right] for right in rights)},
        )

    def known_rights(self) -> dict[tuple[str, str], int]:
        """Everything that Superset lets a role be granted, with its id; read once."""
        if self._known is None:
            self._known = {
                (row["permission"]["name"], row["view_menu"]["name"]): int(row["id"])
                for row in self.client.every("/security/permissions-resources/")
            }
        return self._known

    def rights(self, role_id: int) -> frozenset[tuple[str, str]]:
        rows = self.client.get(f"/security/roles/{role_id}/permissions/")["result"]
        return frozenset((row["permission_name"], row["view_menu_name"]) for row in rows)

    def rules(self) -> dict[str, Json]:
        """Ours, by name, as Superset has them. One that another project takes away at this moment is left out."""
        found = {}
        for row in self.client.every("/rowlevelsecurity/"):
            if str(row["name"]).startswith("controlroom "):
                with suppress(NotFound):
                    whole = self.client.get(f"/rowlevelsecurity/{row['id']}")["result"]
                    found[row["name"]] = {**whole, "id": row["id"]}
        return found

    def put_rules(self, publication: Publication, dataset_ids: Sequence[int], roles: Mapping[str, int]) -> None:
        """Makes the rules and reads them back.

        Raises:
            BiFailed: one is not attached as it must be; nobody has been granted anything since.
        """
        known = self.rules()
        for rule in rules_of(publication):
            body = {
                "name": rule.name, "filter_type": rule.kind, "clause": rule.clause, "group_key": "controlroom",
                "tables": sorted(dataset_ids), "roles": [roles[name] for name in rule.roles],
                "description": "Made by Lakehouse Control Room; edits are undone by the next publish.",
            }  # fmt: skip
            if (there := known.get(rule.name)) is None:
                self.client.post("/rowlevelsecurity/", body)
            else:
                self.client.put(f"/rowlevelsecurity/{there['id']}", body)
        if wrong := rule_faults(publication, self.rules(), dataset_ids):
            raise BiFailed(f"Superset did not take the row-level rules: {wrong[0]}; nobody was granted anything")

    def put_person(self, person: Person, role: str, roles: Mapping[str, int]) -> bool:
        """Makes the person a user with the role; other roles stay as they are. Whether the user is new."""
        base = {VIEWER, AUTHOR} if person.author else {VIEWER}
        known = self.user(person.subject)
        if known is None:
            self.make_user(person.subject, [roles[name] for name in sorted({*base, role})], secrets.token_urlsafe(32))
            return True
        had = {one["name"] for one in known["roles"]}
        wanted = (had - ({AUTHOR} if not person.author and self._alone(had, role) else set())) | base | {role}
        if wanted != had or not known["active"]:
            self._set_roles(known, wanted, roles)
        return False

    def drop_person(self, user: Json, role: str, roles: Mapping[str, int]) -> None:
        """Takes the role from a user; one that is left with nothing of ours may not sign in any more."""
        had = {one["name"] for one in user["roles"]}
        left = had - {role}
        if not any(name.startswith("controlroom ") and name not in (VIEWER, AUTHOR) for name in left):
            left -= {VIEWER, AUTHOR}
        self._set_roles(user, left, roles)

    def user(self, name: str) -> Json | None:
        return self.client.find("/security/users/", "username", name)

    def holders(self, role: str) -> list[Json]:
        """Users who have the role."""
        return [row for row in self.client.every("/security/users/") if role in {one["name"] for one in row["roles"]}]

    def make_user(self, name: str, role_ids: Sequence[int], password: str) -> None:
        self.client.post(
            "/security/users/",
            {
                "username": name, "first_name": name[:64], "last_name": "-",
                "email": f"{digest({'name': name})[:24]}@controlroom.invalid",
                "active": True, "password": password, "roles": list(role_ids),
            },
        )  # fmt: skip

    def _set_roles(self, user: Json, wanted: set[str], roles: Mapping[str, int]) -> None:
        # A user must have some role; Public has no rights here.
        ids = [roles[name] for name in sorted(wanted or {"Public"})]
        self.client.put(f"/security/users/{user['id']}", {"roles": ids, "active": bool(wanted)})

    def _alone(self, had: set[str], role: str) -> bool:
        ours = {name for name in had if name.startswith("controlroom ") and name not in (VIEWER, AUTHOR)}
        return ours <= {role}


def rule_faults(publication: Publication, found: Mapping[str, Json], dataset_ids: Sequence[int]) -> list[str]:
    """What is not as it must be with the rules that Superset has."""
    faults = []
    for rule in rules_of(publication):
        if (there := found.get(rule.name)) is None:
            faults.append(f"{rule.name} is missing")
            continue
        if (there["filter_type"], there["clause"]) != (rule.kind, rule.clause):
            faults.append(f"{rule.name} says {there['clause']!r}")
        if {one["name"] for one in there["roles"]} != set(rule.roles):
            faults.append(f"{rule.name} is for other roles")
        if {int(one["id"]) for one in there["tables"]} != set(dataset_ids):
            faults.append(f"{rule.name} is not on all datasets, or on others")
        if there.get("group_key") != "controlroom":
            faults.append(f"{rule.name} is in another group")
    return faults


def dataset_rights(seen: Sequence[Seen], known: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Access to the datasets. Superset names each right by database, table and id, and the id is what is sure."""
    suffixes = {f"(id:{one.superset_id})" for one in seen}
    return frozenset(
        (verb, name)
        for verb, name in known
        if verb == "datasource_access" and any(name.endswith(suffix) for suffix in suffixes)
    )
