"""``contactsync``: the one command of the hub's operator."""

import errno
import sys

import typer

from libs.cli import (
    certs,
    clients,
    contacts,
    demo,
    destinations,
    gateway,
    importing,
    jobs,
    log_level,
    metrics,
    restart,
    sources,
    trace,
    up,
    workspaces,
)
from libs.cli.api import ApiError, NoHub
from libs.cli.bench import command as bench
from libs.cli.doctor.command import doctor
from libs.cli.keeping.backup import backup
from libs.cli.keeping.migrate import migrate_data
from libs.cli.keeping.restore import restore
from libs.cli.output import err
from libs.cli.stack.errors import CannotStart

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("import")(importing.import_file)
app.command("doctor")(doctor)
app.command("certs")(certs.certs)
app.command("metrics")(metrics.metrics)
app.command("trace")(trace.trace)
app.command("log-level")(log_level.log_level)
app.command("restart")(restart.restart)
app.command("migrate-data")(migrate_data)
app.command("backup")(backup)
app.command("restore")(restore)
app.add_typer(jobs.app, name="jobs")
app.add_typer(clients.app, name="clients")
app.add_typer(contacts.app, name="contacts")
app.add_typer(destinations.app, name="destinations")
app.add_typer(sources.app, name="sources")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(gateway.app, name="gateway")
app.add_typer(bench.app, name="bench")


def run() -> None:
    """Runs the command; what the operator can mend is said in a sentence, and nothing else is caught."""
    try:
        app()
    except CannotStart as error:
        fail(error.what, error.remedy)
    except ApiError as error:
        fail(str(error), *(f"{each.get('pointer', '')}: {each.get('message', '')}" for each in error.details))
    except NoHub as error:
        fail(str(error))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            fail("the disk is full", "Make room, or name another place, and start the same command again.")
        if error.filename is None:
            raise
        fail(f"{error.filename}: {error.strerror}")


def fail(*lines: str) -> None:
    """Says why on standard error and exits with 1."""
    for line in lines:
        err.print(line, markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    run()
