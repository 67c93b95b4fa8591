"""``controlroom conformance``: does an executor keep the contract?"""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the front door."""
    app.command()(conformance)


def conformance(
    url: Annotated[str, typer.Option(help="PostgREST's; on Supabase it ends in /rest/v1.")],
    token: Annotated[
        str, typer.Option(envvar="CONTROLROOM_CONFORMANCE_TOKEN", help="A JSON Web Token of an editor of the project.")
    ],
    project: Annotated[str, typer.Option(help="ORG/PROJECT whose runs only the executor under test claims.")],
    capability: Annotated[
        list[str] | None, typer.Option(help="Capability that the runs need; as often as needed.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; as often as needed.")] = None,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds that a quick run may take, its wait included.")
    ] = 30.0,
    apikey: Annotated[str | None, typer.Option(envvar="SUPABASE_ANON_KEY", help="Of Supabase's gateway.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a running executor, of any language, by the contract; ends with 1 if it breaks a rule."""
    from controlroom.conformance.door import Door
    from controlroom.conformance.rules import examine
    from controlroom.conformance.trial import Trial
    from controlroom.output import show_json
    from ops.errors import BadInput

    org, slash, name = project.partition("/")
    if not (org and slash and name):
        raise BadInput(f"--project is {project}; write ORG/PROJECT")
    verdicts = []
    with Door(url, token, apikey) as door:
        trial = Trial.of(door, org, name, capabilities=tuple(capability or ()), patience_seconds=patience)
        for verdict in examine(trial, rule or ()):
            verdicts.append(verdict)
            if not json:
                typer.echo(f"{'FAIL' if verdict.broken else 'ok  '} {verdict.rule}: {verdict.promise}")
                if verdict.broken:
                    typer.echo(f"     {verdict.broken}")
    broken = sum(verdict.broken is not None for verdict in verdicts)
    if json:
        show_json(verdicts)
    else:
        typer.echo(f"{len(verdicts) - broken} of {len(verdicts)} rules kept")
    if broken:
        raise typer.Exit(1)
