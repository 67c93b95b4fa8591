"""The command as a person calls it: a process with a home and a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    def json(self) -> object:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    home: Path
    database_url: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTROLROOM_")}
        ours = {"CONTROLROOM_HOME": str(self.home), "CONTROLROOM_DATABASE_URL": self.database_url}
        return {**clean, **ours, "CONTROLROOM_LEASE_SECONDS": "3", "COLUMNS": "200", **self.more}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "controlroom", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.home, env=self.environment,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Answer:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=100)
        return Answer(process.returncode, out, err)
