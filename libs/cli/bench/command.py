"""``contactsync bench``: what it costs."""

from typing import Annotated

import typer

from libs.cli.output import print_json

app = typer.Typer(no_args_is_help=True, help="Benchmarks; they print JSON.")


@app.callback()
def _only_groups() -> None:
    """Keeps ``import`` a subcommand while it is the only one."""


@app.command("import")
def import_(
    *,
    sizes: Annotated[str, typer.Option(help="Contacts per request, comma-separated.")] = "1,10,100,1000",
    callers: Annotated[int, typer.Option(min=1, help="Callers in the closed loop.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="How often every size is run.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each loop runs.")] = 4.0,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Command of a peer with the same API, with {port}, {data} and {sink}; may be repeated."),
    ] = None,
) -> None:
    """Imports of several sizes in a closed loop, drained; in turn with the peers that are given."""
    from libs.cli.bench.imports import Plan, bench_imports  # noqa: PLC0415 — imports gRPC, which no other subcommand needs

    chosen = tuple(int(size) for size in sizes.split(","))
    plan = Plan(sizes=chosen, callers=callers, rounds=rounds, seconds=seconds, peers=tuple(peer or ()))
    print_json(bench_imports(plan))
