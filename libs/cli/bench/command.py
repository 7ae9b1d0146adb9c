"""``contactsync bench``: what it costs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from libs.cli.options import Json
from libs.cli.output import err, print_json
from libs.cli.postgres import Postgres, PostgresFile, read_postgres

Number = TypeVar("Number", int, float)
app = typer.Typer(no_args_is_help=True, help="Benchmarks; they print JSON.")


@app.command("import")
def import_(
    *,
    sizes: Annotated[str, typer.Option(help="Contacts per request, comma-separated.")] = "1,10,100,1000",
    callers: Annotated[int, typer.Option(min=1, help="Callers in the closed loop.")] = 8,
    rate: Annotated[float, typer.Option(min=0, help="Imports a second instead, answered or not; 0: closed loop.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="How often every size is run.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each loop runs.")] = 4.0,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Command of a peer with the same API, with {port}, {data} and {sink}; may be repeated."),
    ] = None,
) -> None:
    """Imports of several sizes in a closed loop or at a rate, drained; in turn with the peers that are given."""
    from libs.cli.bench.imports import Plan, bench_imports  # noqa: PLC0415 — imports gRPC, which no other subcommand needs

    chosen = _numbers(sizes, int, option="--sizes")
    plan = Plan(sizes=chosen, callers=callers, rate=rate, rounds=rounds, seconds=seconds, peers=tuple(peer or ()))
    print_json(bench_imports(plan))


@app.command()
def tracing(
    *,
    sizes: Annotated[str, typer.Option(help="Contacts per request, comma-separated.")] = "1,100",
    shares: Annotated[str, typer.Option(help="Parts of the requests that are traced, comma-separated.")] = "0.01,0.1,1",
    imports: Annotated[int, typer.Option(min=1, help="Imports of each loop.")] = 1000,
    callers: Annotated[int, typer.Option(min=1, help="Callers in the closed loop.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is run.")] = 5,
) -> None:
    """The same imports without traces and at each share of traced ones, in turn."""
    from libs.cli.bench.tracing import Plan, bench_tracing  # noqa: PLC0415 — as above

    chosen = _numbers(sizes, int, option="--sizes")
    parts = _numbers(shares, float, option="--shares")
    plan = Plan(sizes=chosen, shares=parts, imports=imports, callers=callers, rounds=rounds)
    print_json(bench_tracing(plan))


@app.command()
def delivery(
    *,
    chunks: Annotated[int, typer.Option(min=1, help="Chunks per backlog.")] = 10000,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Contacts per chunk.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is run.")] = 3,
    dead: Annotated[int, typer.Option(min=0, help="Contacts that wait for a dead neighbour; 0: none.")] = 100000,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long a loop beside the neighbour runs.")] = 5.0,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Command of a peer, with {sink}, {data}, {chunks} and {size}; may be repeated."),
    ] = None,
) -> None:
    """Backlogs of chunks, drained to a sink, in turn with the peers; then what a dead destination costs the others."""
    from libs.cli.bench.delivery import Plan, bench_delivery  # noqa: PLC0415 — as above
    from libs.cli.bench.neighbour import Neighbour  # noqa: PLC0415 — as above

    neighbour = Neighbour(contacts=dead, rounds=rounds, seconds=seconds) if dead else None
    plan = Plan(chunks=chunks, size=size, rounds=rounds, neighbour=neighbour, peers=tuple(peer or ()))
    print_json(bench_delivery(plan))


@app.command()
def polling(
    *,
    contacts: Annotated[int, typer.Option(min=1, help="Contacts of the source.")] = 100_000,
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Contacts per page.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is run.")] = 3,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Command of a peer, with {source}, {data} and {page_size}; may be repeated."),
    ] = None,
) -> None:
    """A source, read whole by the hub and by the peers in turn."""
    from libs.cli.bench.polling import Plan, bench_polling  # noqa: PLC0415 — as above

    plan = Plan(contacts=contacts, page_size=page_size, rounds=rounds, peers=tuple(peer or ()))
    print_json(bench_polling(plan))


@app.command()
def directory(
    *,
    contacts: Annotated[int, typer.Option(min=1000, help="Contacts of the large book.")] = 1_000_000,
    small: Annotated[int, typer.Option(min=1000, help="Contacts of the small book.")] = 1000,
    calls: Annotated[int, typer.Option(min=1, help="How often every question is asked of each book.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides which contacts are asked for.")] = 1,
) -> None:
    """A large contact book and a small one, asked the same through the published APIs in turn."""
    from libs.cli.bench.directory import Plan, bench_directory  # noqa: PLC0415 — as above

    print_json(bench_directory(Plan(small=small, large=contacts, calls=calls, seed=seed)))


@app.command()
def scale(
    *,
    stored: Annotated[str, typer.Option(help="Numbers of contacts, ascending, comma-separated.")] = "1000,1000000",
    replicas: Annotated[str, typer.Option(help="Numbers of replicas on PostgreSQL, comma-separated.")] = "1,2,4",
    imports: Annotated[int, typer.Option(min=1, help="Imports of one contact in each loop.")] = 1000,
    rounds: Annotated[int, typer.Option(min=1, help="How often every loop is run.")] = 3,
    postgres: Postgres = "",
    postgres_file: PostgresFile = None,
) -> None:
    """Imports as contacts and replicas grow, on SQLite and, if one is given, on a PostgreSQL that may be filled."""
    from libs.cli.bench.scale import Plan, bench_scale  # noqa: PLC0415 — as above

    url = read_postgres(postgres, postgres_file)
    steps, counts = _numbers(stored, int, option="--stored"), _numbers(replicas, int, option="--replicas")
    plan = Plan(stored=steps, replicas=counts, imports=imports, rounds=rounds, on_postgresql=bool(url))
    print_json(bench_scale(plan, postgres=url))


@app.command("all")
def all_(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few and short rounds: some six minutes.")] = False,
    only: Annotated[str, typer.Option(help="Run these alone, comma-separated.")] = "",
    stored: Annotated[int, typer.Option(min=0, help="Contacts of the full book; 0: as the form has it.")] = 0,
    rounds: Annotated[int, typer.Option(min=0, help="How often everything is run; 0: as the form has it.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json-file", help="Write all figures there, as JSON.")] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Draw the goals there.")] = None,
    as_json: Json = False,
) -> None:
    """Everything that has a goal, in turn with the peers of the checkout; a table of what was met and what missed."""
    from libs.cli.bench.together.checkout import peers_here  # noqa: PLC0415 — as above
    from libs.cli.bench.together.forms import FULL, QUICK  # noqa: PLC0415 — as above
    from libs.cli.bench.together.run import parts_of, run_parts  # noqa: PLC0415 — as above
    from libs.cli.bench.together.shown import show  # noqa: PLC0415 — as above

    for file in (json_file, svg):
        if file and not file.parent.is_dir():  # found out now, and not after two hours
            raise typer.BadParameter(f"{file.parent} is no folder")
    form = QUICK if quick else FULL
    form = replace(form, stored=stored or form.stored, rounds=rounds or form.rounds)
    peers = peers_here()
    parts = parts_of(form, peers)
    names = only.split(",") if only else list(parts)
    if unknown := set(names) - set(parts):
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(parts)}", param_hint="--only")
    chosen = {name: parts[name] for name in names}
    report = run_parts(chosen, form, peers, tell=lambda name: err.print(f"{name} …"))
    show(report, json_file=json_file, svg=svg, as_json=as_json)


def _numbers(text: str, kind: type[Number], *, option: str) -> tuple[Number, ...]:
    try:
        return tuple(kind(each) for each in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text} is no list of numbers, such as 1,100", param_hint=option) from None
