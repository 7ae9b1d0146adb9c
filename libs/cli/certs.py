"""``contactsync certs``: a certificate for each process of the hub, and the keys by which services know each other."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from libs.cli.options import Json
from libs.cli.output import print_json
from libs.cli.stack.folder import write_private


def certs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they lie, and the authority's key.")],
    *,
    also: Annotated[list[str] | None, typer.Option(help="Another name, as of who dials services over gRPC.")] = None,
    host: Annotated[list[str] | None, typer.Option(help="A host name or address that new ones hold too.")] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long new certificates hold.")] = 30,
    as_json: Json = False,
) -> None:
    """Make a private authority and a certificate for each service, the console, the gateway and the operator.

    Run it again before they end, as every week: those of which less than a third is left are made anew, and running
    processes find them. DIR/NAME.keys holds what each service signs with.
    """
    from libs.cli.stack.authority import Authority  # noqa: PLC0415 — cryptography, which few subcommands need
    from libs.cli.stack.certificates import keys_text, names_of  # noqa: PLC0415 — gRPC, likewise
    from libs.cli.stack.plan import SERVICES  # noqa: PLC0415 — as above

    authority = Authority(folder, life=timedelta(days=days))
    known = (path.stem for path in folder.glob("*.pem") if path.stem != "ca")
    names = dict.fromkeys((*names_of(SERVICES), *(also or ()), *known))
    made = authority.issue(names, now=datetime.now(UTC), hosts=host or ())
    hub_key = folder / "service.key"
    if not hub_key.exists():
        write_private(hub_key, secrets.token_hex(32))
    for service in SERVICES:
        text = keys_text(service, bytes.fromhex(hub_key.read_text()), SERVICES)
        write_private(folder / f"{service}.keys", text)
    if as_json:
        print_json({"made": made, "ca": str(folder / "ca.pem")})
    else:
        typer.echo(f"Made in {folder}: {', '.join(made) or 'nothing, all are good for a while'}.")
