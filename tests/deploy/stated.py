"""What ``compose.yaml`` states, as Compose would read it: variables put in, each service with its image's entry point."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.gate.repository import ROOT

FILE = ROOT / "compose.yaml"
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:?[-?])(?P<default>[^}]*))?\})")


@dataclass(frozen=True)
class Service:
    """Attributes:
    command: with the image's entry point before it, as the container's first process gets it.
    needs: service → the condition under which this one starts.
    check: the health check's words; empty for none.
    interval: seconds between two looks.
    grace: seconds from SIGTERM to SIGKILL.
    """

    name: str
    image: str
    command: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    secrets: tuple[str, ...]
    volumes: Mapping[str, str]
    needs: Mapping[str, str]
    check: tuple[str, ...]
    interval: float
    retries: int
    grace: float
    profiles: tuple[str, ...]


def stack(variables: Mapping[str, str] | None = None) -> dict[str, Service]:
    """The services, each after those that it needs."""
    services = {name: _service(name, stated) for name, stated in document(variables or {})["services"].items()}
    ordered: dict[str, Service] = {}
    while left := [each for each in services.values() if each.name not in ordered]:
        ready = [each for each in left if all(name in ordered for name in each.needs)]
        if not ready:
            raise ValueError(f"these wait for each other: {', '.join(each.name for each in left)}")
        ordered.update({each.name: each for each in ready})
    return ordered


def document(variables: Mapping[str, str]) -> Any:
    """The file as it is after its variables were put into its texts."""
    return _filled(YAML(typ="safe").load(FILE.read_text()), variables)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return interpolated(node, variables) if isinstance(node, str) else node


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """A text with its variables put in: ``${NAME}``, ``${NAME:-default}``, ``${NAME-default}``, ``${NAME:?why}``, ``$$``."""

    def value(found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        how, given = found["how"] or "", variables.get(found["name"])
        missing = given is None or (how.startswith(":") and not given)
        if missing and how.endswith("?"):
            raise ValueError(f"{found['name']}: {found['default']}")
        return (found["default"] or "") if missing else str(given)

    return _VARIABLE.sub(value, text)


def dockerfile(build: Mapping[str, str]) -> Path:
    return ROOT / build["context"] / build["dockerfile"]


def instructions(path: Path) -> list[tuple[str, str]]:
    """A Dockerfile's instructions, continued lines joined."""
    joined = re.sub(r"\\\n", " ", path.read_text())
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def _service(name: str, stated: Mapping[str, Any]) -> Service:
    of_image = instructions(dockerfile(stated["build"])) if "build" in stated else []
    last = dict(of_image)
    entry = json.loads(last["ENTRYPOINT"]) if "ENTRYPOINT" in last else []
    health = stated.get("healthcheck", {})
    kind, *check = health.get("test", [""])
    assert kind in ("", "CMD"), f"{name}: a health check by {kind}"
    return Service(
        name=name,
        image=stated["image"],
        command=(*entry, *map(str, stated["command"])),
        folder=last.get("WORKDIR", "/"),
        environment={key: str(value) for key, value in stated.get("environment", {}).items()},
        secrets=tuple(stated.get("secrets", ())),
        volumes=dict(one.split(":") for one in stated.get("volumes", ())),
        needs={one: each["condition"] for one, each in stated.get("depends_on", {}).items()},
        check=tuple(check),
        interval=_seconds(health.get("interval", "30s")),
        retries=int(health.get("retries", 3)),
        grace=_seconds(stated.get("stop_grace_period", "10s")),
        profiles=tuple(stated.get("profiles", ())),
    )


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))
