"""``python -m dashboard``: serves the page until it is stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from dashboard.asgi import app

HERE = Path(__file__).parent


def config(host: str, port: int) -> dict[str, object]:
    """Streamlit's options. A full collection after every rerun costs more than the rerun: the server collects instead."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "runner.postScriptGC": False,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "theme.base": str(HERE / "theme.toml"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Serve the control room's page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on")
    given = parser.parse_args()
    app.run(config=config(given.host, given.port))


if __name__ == "__main__":
    main()
