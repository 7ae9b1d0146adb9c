"""``contactsync bench``: what it costs."""

import typer

app = typer.Typer(no_args_is_help=True, help="Benchmarks: print JSON.")
