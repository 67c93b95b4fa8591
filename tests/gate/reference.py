"""Pages that are made from the code: ``python -m tests.gate.reference`` writes them, a test compares them.

``docs/cli.md`` from the commands' own help, ``docs/settings.md`` from the settings' descriptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic_core import PydanticUndefined
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from controlroom.cli import EXIT_CODES, app
from ops.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
MADE = "<!-- made by `make docs`; do not edit -->"


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command with its whole name, in the order of the help."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    yield from _below("controlroom", root)


def _below(name: str, group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    for child, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below(f"{name} {child}", command)
        else:
            assert isinstance(command, TyperCommand)
            yield f"{name} {child}", command


def options(command: TyperCommand) -> list[TyperOption]:
    return [each for each in command.params if isinstance(each, TyperOption)]


def cli_page() -> str:
    parts = ["# The command line", MADE, EXIT_CODES.replace("\n", " ") + ".", _TRACEBACK]
    for name, command in commands():
        arguments = [each for each in command.params if isinstance(each, TyperArgument)]
        usage = " ".join([name, *(_usage(each) for each in arguments)])
        parts.append(f"## `{usage}`\n\n{command.help}")
        lines = [f"| `{_usage(each)}` | {each.help or ''} |" for each in arguments]
        lines += [f"| `{_spelled(each)}` | {each.help} |" for each in options(command)]
        if lines:
            parts.append("\n".join(["| | |", "|---|---|", *lines]))
    return "\n\n".join(parts) + "\n"


_TRACEBACK = "An error is one line, `CODE: what, which value, the way out`; `--debug` anywhere adds the traceback."


def _usage(argument: TyperArgument) -> str:
    name = str(argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def _spelled(option: TyperOption) -> str:
    spelled = " / ".join([*option.opts, *option.secondary_opts])
    return spelled if option.is_flag else f"{spelled} {str(option.name).upper()}"


def settings_page() -> str:
    """One line a setting, with its default."""
    lines = []
    for name, field in Settings.model_fields.items():
        fixed = field.default is not PydanticUndefined and field.default is not None
        default = f"`{field.default}`" if fixed else ""
        lines.append(f"| `CONTROLROOM_{name.upper()}` | {field.description} | {default} |")
    head = ["| variable | meaning | default |", "|---|---|---|"]
    return "\n\n".join(["# Settings", MADE, _ABOUT, "\n".join([*head, *lines])]) + "\n"


_ABOUT = (
    "All are environment variables, all optional; wrong ones are refused together. S3 is reached by the standard `AWS_*` "
    "variables, an existing Ray cluster by `RAY_ADDRESS`. `CONTROLROOM_HOME` defaults to the nearest `.controlroom` directory "
    "from the working directory upward, else `~/.controlroom`.\n\n"
    "Secrets are named by specs and never written there: `secret://env/NAME` is the variable `CONTROLROOM_SECRET_NAME` and "
    "no other, `secret://file/PATH` a file below `HOME/secrets`."
)

PAGES = {"cli.md": cli_page, "settings.md": settings_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make())
