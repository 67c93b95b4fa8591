"""``controlroom cap | pool | price``: how much may be used, by whom, and what it costs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

cap_app = typer.Typer(help="Caps: list, set, remove, usage.", no_args_is_help=True)
pool_app = typer.Typer(help="Concurrency pools: list, set, remove.", no_args_is_help=True)
price_app = typer.Typer(help="What is used costs: list, set.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Cap = Annotated[str, typer.Argument(metavar="CAP", help="A cap's name.")]
Pool = Annotated[str, typer.Argument(metavar="POOL", help="A pool's name, as specs name it.")]
WholeOrg = Annotated[bool, typer.Option("--org", help="Of the whole org, not of the project of the settings.")]


def add_to(parent: typer.Typer) -> None:
    """Adds the groups."""
    parent.add_typer(cap_app, name="cap")
    parent.add_typer(pool_app, name="pool")
    parent.add_typer(price_app, name="price")


@cap_app.command("list")
def list_caps(json: Json = False) -> None:
    """List caps."""
    from controlroom.limit_desk import desk
    from controlroom.output import show

    with desk() as limits:
        rows = [vars(each) for each in limits.of.caps()]
    show(rows, ["key", "org", "project", "pipeline", "unit", "amount", "period"], json)


@cap_app.command("set")
def set_cap(
    cap: Cap,
    amount: Annotated[str, typer.Argument(help="How much, in the unit; money in the currency of the prices.")],
    unit: Annotated[str, typer.Option(help="runs, cpu_seconds, rows, bytes or money.")] = "runs",
    period: Annotated[str, typer.Option("--per", help="hour, day, week, month; of runs also concurrent.")] = "day",
    pipeline: Annotated[str | None, typer.Option(help="Only runs of this pipeline of the project.")] = None,
    org: WholeOrg = False,
) -> None:
    """Make a cap, or change how much one allows."""
    from controlroom.limit_desk import desk
    from ops.limits import decimal_of

    with desk() as limits:
        limits.of.set_cap(*limits.scope(org), cap, unit, decimal_of(amount, "AMOUNT"), period, pipeline)


@cap_app.command("remove")
def remove_cap(cap: Cap) -> None:
    """Remove a cap, and what was charged to it."""
    from controlroom.limit_desk import desk

    with desk() as limits:
        limits.of.remove_cap(limits.org, cap)


@cap_app.command("usage")
def usage(json: Json = False) -> None:
    """Show what is used of each cap, and when it is used up if it goes on so."""
    from controlroom.limit_desk import cap_line, desk
    from controlroom.output import show

    with desk() as limits:
        caps = limits.of.caps()
    rows = [vars(each) for each in caps] if json else [cap_line(each) for each in caps]
    show(rows, ["cap", "unit", "used", "of", "share", "period", "resets", "used_up"], json)


@pool_app.command("list")
def list_pools(json: Json = False) -> None:
    """List pools and the runs that hold slots of them."""
    from controlroom.limit_desk import desk
    from controlroom.output import show

    with desk() as limits:
        rows = [vars(each) for each in limits.of.pools()]
    show(rows, ["name", "org", "project", "slots", "used", "runs"], json)


@pool_app.command("set")
def set_pool(
    pool: Pool, slots: Annotated[int, typer.Argument(min=0, help="How many in all.")], org: WholeOrg = False
) -> None:
    """Make a pool, or change how many slots it has."""
    from controlroom.limit_desk import desk

    with desk() as limits:
        limits.of.set_pool(*limits.scope(org), pool, slots)


@pool_app.command("remove")
def remove_pool(pool: Pool, org: WholeOrg = False) -> None:
    """Remove a pool: specs that name it wait for nothing."""
    from controlroom.limit_desk import desk

    with desk() as limits:
        limits.of.remove_pool(*limits.scope(org), pool)


@price_app.command("list")
def list_prices(json: Json = False) -> None:
    """List prices, with those that were."""
    from controlroom.limit_desk import desk, price_line
    from controlroom.output import show

    with desk() as limits:
        prices = limits.of.prices()
    rows = [vars(each) for each in prices] if json else [price_line(each) for each in prices]
    show(rows, ["org", "unit", "price", "currency", "valid_from", "valid_until", "created_by"], json)


@price_app.command("set")
def set_price(
    unit: Annotated[str, typer.Argument(help="cpu_second, gb_hour, gb_read or gb_written; GB are 10^9 bytes.")],
    price: Annotated[str, typer.Argument(help="What one costs.")],
    currency: Annotated[str, typer.Argument(help="Three capital letters; the same for all prices of an org.")],
    valid_from: Annotated[datetime | None, typer.Option("--from", help="From when on (UTC); without, now.")] = None,
) -> None:
    """Set what a unit costs in the org from now on; what was used before keeps its price."""
    from controlroom.alert_desk import in_utc
    from controlroom.limit_desk import desk
    from ops.limits import decimal_of

    with desk() as limits:
        limits.of.set_price(limits.org, unit, decimal_of(price, "PRICE"), currency, in_utc(valid_from))
