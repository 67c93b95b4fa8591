"""Run by Apache Superset's own Python: brings the metadata database to the newest schema and makes the administrator.

One process instead of its three commands: each would load the whole application again. Harmless to repeat.
"""

import importlib
import os
import sys
from typing import Any


def main() -> None:
    application: Any = importlib.import_module("superset.app").create_app()
    with application.app_context():
        importlib.import_module("flask_migrate").upgrade()
        extensions: Any = importlib.import_module("superset.extensions")
        extensions.appbuilder.add_permissions(update_perms=True)
        extensions.security_manager.sync_role_definitions()
        _ensure_admin(extensions.security_manager)


def _ensure_admin(manager: Any) -> None:
    name, password = os.environ["CONTROLROOM_SUPERSET_ADMIN"], os.environ["CONTROLROOM_SUPERSET_ADMIN_PASSWORD"]
    user = manager.find_user(username=name)
    if user is None:
        made = manager.add_user(
            name, "Control", "Room", f"{name}@controlroom.invalid", manager.find_role("Admin"), password=password
        )
        if not made:
            sys.exit(f"the administrator {name} could not be made")
    else:
        manager.reset_password(user.id, password)


if __name__ == "__main__":
    main()
