"""``controlroom pipeline``: which specs there are, whether they are valid, what they would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Pipelines: list, validate and show specs; versions and their promotion.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the specs that a name reaches, and the versions that runs have registered."""
    from controlroom.output import show
    from pipelines.catalogue import specs
    from pipelines.spec_source import load

    rows = []
    for name, path in sorted(specs().items()):
        pipeline = load(path)
        rows.append(
            {
                "pipeline": name,
                "phases": len(pipeline.phases),
                "owner": pipeline.owner,
                "schedule": pipeline.schedule and (pipeline.schedule.cron or pipeline.schedule.kind),
                "description": pipeline.description,
                "path": str(path),
            }
        )
    show(rows, ["pipeline", "phases", "owner", "schedule", "description"], json)


@app.command()
def validate(
    files: Annotated[list[str] | None, typer.Argument(help="Paths or names; all known specs without.")] = None,
    json: Json = False,
) -> None:
    """Check specs; every fault of every file is listed with its line."""
    from controlroom.output import show
    from ops.errors import BadInput, ControlRoomError
    from pipelines.catalogue import spec_path, specs
    from pipelines.spec_source import load

    paths = [spec_path(name) for name in files] if files else sorted(specs().values())
    rows: list[dict[str, object]] = []
    for path in paths:
        try:
            rows.append({"file": str(path), "valid": True, "phases": len(load(path).phases), "faults": None})
        except BadInput as error:
            rows.append({"file": str(path), "valid": False, "phases": None, "faults": error.message})
        except ControlRoomError as error:
            rows.append({"file": str(path), "valid": False, "phases": None, "faults": f"{error.code}: {error.message}"})
    if json:
        show(rows, [], True)
    else:
        for row in rows:
            typer.echo(f"valid: {row['file']} ({row['phases']} phases)" if row["valid"] else str(row["faults"]))
    if not all(row["valid"] for row in rows):
        raise typer.Exit(2)


@app.command("show")
def show_(pipeline: Annotated[str, typer.Argument(help="Name or path of a spec.")], json: Json = False) -> None:
    """Show a spec's phases in order, with what each reads and writes."""
    from controlroom.output import show, show_json
    from pipelines.catalogue import git_sha, spec_path
    from pipelines.spec import phase_inputs, phase_outputs, spec_sha256
    from pipelines.spec_source import load

    path: Path = spec_path(pipeline)
    spec = load(path)
    if json:
        show_json({**spec.to_json(), "spec_sha256": spec_sha256(spec), "git_sha": git_sha(path.parent)})
        return
    typer.echo(f"{spec.pipeline} · {spec.owner} · sha256 {spec_sha256(spec)[:12]}\n{spec.description}\n")
    rows = [
        {
            "phase": phase.name,
            "kind": str(phase.kind),
            "after": phase.depends_on,
            "reads": phase_inputs(phase),
            "writes": phase_outputs(phase),
        }
        for phase in spec.phases
    ]
    show(rows, ["phase", "kind", "after", "reads", "writes"], False)


@app.command()
def versions(pipeline: Annotated[str, typer.Argument(help="A pipeline's name.")], json: Json = False) -> None:
    """List the registered versions of a pipeline and the environments that run them."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        rows = [vars(each) for each in opened.tenancy.pipeline_versions(opened.project_id(), pipeline)]
    show(rows, ["version", "promoted_to", "git_sha", "sha256", "created_at"], json)


@app.command()
def promote(
    pipeline: Annotated[str, typer.Argument(help="A pipeline's name.")],
    version: Annotated[int, typer.Argument(help="See `controlroom pipeline versions`.")],
    env: Annotated[str, typer.Argument(help="stage or prod.")],
    note: Annotated[str, typer.Option(help="Why; it is kept in the log.")] = "",
) -> None:
    """Let a version run in stage (after dev) or prod (after stage). It must have succeeded below with all its checks."""
    from controlroom.session import session

    with session() as opened:
        opened.tenancy.promote_pipeline(opened.project_id(), pipeline, version, env, note)
    typer.echo(f"{env} runs version {version} of {pipeline}")
