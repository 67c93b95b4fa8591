"""``controlroom score``: how good runs were, why, and what is asked of them."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Scores of runs: show, trend, what-if, weights, gates.", no_args_is_help=True)
weights_app = typer.Typer(help="How signals count: list, set.", no_args_is_help=True)
gate_app = typer.Typer(help="Scores that promotions ask for: set, remove, list.", no_args_is_help=True)
app.add_typer(weights_app, name="weights")
app.add_typer(gate_app, name="gate")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Run = Annotated[str, typer.Argument(help="The run's id or its beginning.")]
Env = Annotated[str, typer.Argument(help="dev, stage or prod.")]
OfPipeline = Annotated[str | None, typer.Option("--pipeline", help="Of this pipeline only, else of all others.")]


def add_to(parent: typer.Typer) -> None:
    """Adds the group."""
    parent.add_typer(app, name="score")


@app.command()
def show(run: Run, json: Json = False) -> None:
    """Show a run's score in a sentence, and what each signal gave to it."""
    from controlroom.score_page import print_score
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        print_score(Scores(opened.connection).of(opened.reads.resolve_run(run)), json)


@app.command("what-if")
def what_if(
    run: Run,
    weight: Annotated[list[str], typer.Option(help="SIGNAL=WEIGHT; as often as needed.")],
    json: Json = False,
) -> None:
    """Show the score that other weights would have given; nothing is changed."""
    from controlroom.score_page import print_score, weighed
    from controlroom.session import session
    from ops.scores import Scores

    weights = weighed(weight)
    with session() as opened:
        print_score(Scores(opened.connection).what_if(opened.reads.resolve_run(run), weights), json)


@app.command()
def trend(
    pipeline: Annotated[str, typer.Argument(help="A pipeline of the project.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """Show the scores of a pipeline's runs, newest first."""
    from controlroom import output
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        rows = [vars(row) for row in Scores(opened.connection).trend(opened.project_id(), pipeline, limit)]
    output.show(rows, ["created_at", "env", "status", "score", "run_id", "sentence"], json)


@weights_app.command("list")
def list_weights(json: Json = False) -> None:
    """List the signals and how they count."""
    from controlroom import output
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        rows = [vars(row) for row in Scores(opened.connection).weights()]
    output.show(rows, ["signal", "weight", "direction", "half_at", "free_until", "description"], json)


@weights_app.command("set")
def set_weight(
    signal: Annotated[str, typer.Argument(help="A signal, as `score weights list` has it.")],
    weight: Annotated[float, typer.Argument(help="0 or more; 0 takes it out of scores.")],
    half_at: Annotated[float | None, typer.Option(help="Beyond free-until: where half of its points are gone.")] = None,
    free_until: Annotated[float | None, typer.Option(help="Up to here it costs nothing.")] = None,
) -> None:
    """Change how a signal counts in scores that are given from now on, in the whole installation."""
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        Scores(opened.connection).set_weight(signal, weight, half_at, free_until)


@gate_app.command("set")
def set_gate(
    env: Env,
    min_score: Annotated[float, typer.Argument(min=0, max=100, help="The least score.")],
    pipeline: OfPipeline = None,
) -> None:
    """Ask a score of the run that earns a version its promotion to an environment."""
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        Scores(opened.connection).set_gate(opened.project_id(), env, pipeline, min_score)


@gate_app.command("remove")
def remove_gate(env: Env, pipeline: OfPipeline = None) -> None:
    """Ask no score any more."""
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        Scores(opened.connection).set_gate(opened.project_id(), env, pipeline, None)


@gate_app.command("list")
def list_gates(json: Json = False) -> None:
    """List the gates of your projects."""
    from controlroom import output
    from controlroom.session import session
    from ops.scores import Scores

    with session() as opened:
        rows = [vars(row) for row in Scores(opened.connection).gates()]
    output.show(rows, ["org", "project", "env", "pipeline", "min_score", "created_by", "created_at"], json)
