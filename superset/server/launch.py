"""How Apache Superset is started: its own Python, isolated from ours, with everything of a home in its environment.

``-I`` keeps the working directory off its path: our package of the same name must never be found there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ops.errors import StackFailed

HERE = Path(__file__).resolve().parent
LOGIN_PAGE = "/login/"
"""What readiness is asked by: /health says 200 while this page says 500."""
WORKERS, THREADS = 1, 8


@dataclass(frozen=True)
class Server:
    """One server of a home.

    Attributes:
        folder: what it keeps on disk: its cache and nothing else that matters.
        metadata_url: its database, as a role that owns it and nothing else.
    """

    venv: Path
    folder: Path
    metadata_url: str
    secret_key: str
    admin: str
    password: str
    https: bool = False

    @property
    def python(self) -> Path:
        """Its Python.

        Raises:
            StackFailed: Apache Superset is not installed.
        """
        python = self.venv / "bin" / "python"
        if not python.exists():
            raise StackFailed(
                f"Apache Superset is not installed in {self.venv}; `make superset` installs it, "
                "CONTROLROOM_SUPERSET_VENV names another place"
            )
        return python

    def environment(self) -> dict[str, str]:
        """What our configuration reads, to be added to the process's environment."""
        return {
            "SUPERSET_CONFIG_PATH": str(HERE / "config.py"),
            "SUPERSET_HOME": str(self.folder),
            "SUPERSET_SECRET_KEY": self.secret_key,
            "CONTROLROOM_SUPERSET_METADATA_URL": self.metadata_url,
            "CONTROLROOM_SUPERSET_ADMIN": self.admin,
            "CONTROLROOM_SUPERSET_ADMIN_PASSWORD": self.password,
            "CONTROLROOM_SUPERSET_HTTPS": "1" if self.https else "0",
            "FLASK_APP": "superset.app:create_app()",
        }

    def prepare_command(self) -> list[str]:
        """Brings its database to the newest schema."""
        return [str(self.python), "-I", str(HERE / "prepare.py")]

    def serve_command(self, port: int) -> list[str]:
        return [
            str(self.python), "-I", "-m", "gunicorn", "--worker-class", "gthread", "--workers", str(WORKERS),
            "--threads", str(THREADS), "--timeout", "120", "--bind", f"127.0.0.1:{port}", "superset.app:create_app()",
        ]  # fmt: skip

    def version(self) -> str:
        """Changes with whatever the database is prepared by."""
        return (HERE / "requirements.txt").read_text() + (HERE / "prepare.py").read_text()
