"""``contactsync gateway``: the files that containers are given, made from the contracts and the same code as ``up``."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The gateway, and what else containers are given.")
COMMITTED = Path(__file__).resolve().parents[2] / "gateway"


@app.command("render")
def render_for_containers(
    into: Annotated[Path, typer.Option(help="Folder for the files of gateway/.", file_okay=False)] = COMMITTED,
) -> None:
    """Write the configuration that docker-compose.yml mounts, and the manifests for Kubernetes."""
    from libs.cli.containers.files import container_files  # noqa: PLC0415 — gRPC, which few subcommands need
    from libs.cli.containers.kubernetes import manifests  # noqa: PLC0415 — as above

    for name, text in (container_files() | manifests()).items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_text(text)


@app.command("secrets")
def secrets_for_containers(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they lie; keep it, and keep it private.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long new certificates hold.")] = 90,
) -> None:
    """Make the keys, passwords and certificates of a hub in containers, or renew certificates that are near their end.

    Run it again every week: running services find new certificates by themselves.
    """
    from libs.cli.containers.secrets import make_secrets  # noqa: PLC0415 — cryptography, which few subcommands need

    made = make_secrets(folder, life=timedelta(days=days))
    typer.echo(f"Certificates made in {folder}: {', '.join(made) or 'none, all are good for a while'}.")
