"""``python -m dashboard``: serves the page until it is stopped."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from pathlib import Path

from dashboard.asgi import application
from dashboard.data.source import settings
from ops.errors import ControlRoomError, SettingsInvalid
from ops.settings import Settings

HERE = Path(__file__).parent


def config(given: Settings, host: str, port: int) -> dict[str, object]:
    """Streamlit's options. A full collection after every rerun costs more than the rerun: the server collects instead.

    Raises:
        SettingsInvalid: nobody would be asked who they are, on an address that others reach.
    """
    if given.sign_in == "none" and not _is_loopback(host):
        raise SettingsInvalid(
            f"CONTROLROOM_SIGN_IN=none makes whoever reaches the page its operator, and {host} can be reached from "
            "elsewhere; serve it on 127.0.0.1, or set accounts or oidc"
        )
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        # A website that makes its own name point to this machine must not become its operator.
        "server.allowedHosts": ["127.0.0.1", "localhost", "::1"] if given.sign_in == "none" else [],
        "runner.postScriptGC": False,
        # Nothing is drawn by merely standing in a page's file, so none of them need be searched for it.
        "runner.magicEnabled": False,
        # What is drawn again as it was is named by its hash instead of being sent; Streamlit does so from 10 kB only.
        "global.minCachedMessageSize": 400,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "theme.base": str(HERE / "theme.toml"),
    }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Serve the control room's page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on")
    given = parser.parse_args()
    try:
        options = config(settings(), given.host, given.port)
        app = application(settings(), f"http://{given.host}:{given.port}")
    except ControlRoomError as error:
        print(f"{error.code}: {error}", file=sys.stderr)  # noqa: T201 - a person or a log reads it
        sys.exit(2)
    app.run(config=options)


if __name__ == "__main__":
    main()
