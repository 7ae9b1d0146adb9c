"""How a service process begins and ends."""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from libs.process.certificates import CertificateError
from libs.process.keys import KeyFileError
from libs.process.settings import ProcessSettings

AnySettings = TypeVar("AnySettings", bound=ProcessSettings)


def run_process(
    service: str,
    settings: type[AnySettings],
    serve: Callable[[AnySettings], Awaitable[None]],
    *,
    refusals: tuple[type[Exception], ...] = (),
    before: Callable[[AnySettings], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    `before` runs first, in a process of its own, which takes with it whatever memory that needs. If it fails, `serve`
    meets the same and tells it. What only the operator can mend (a setting, a key file, or one of ``refusals``) is told
    in one line on standard error and ends the process with EX_CONFIG: a supervisor does not try that again.
    """
    told: tuple[type[Exception], ...] = (KeyFileError, CertificateError, *refusals)
    try:
        given = settings.model_validate({})
        if before:
            _run_apart(before, given)
        # On asyncio's own loop an import costs an eighth more CPU.
        uvloop.run(_awaited(serve, given))
    except ValidationError as error:
        faults = ", ".join(f"CONTACTSYNC_{fault['loc'][0]}".upper() + f" ({_why(fault)})" for fault in error.errors())
        _refuse(service, f"these settings are missing or not valid: {faults}")
    except told as error:
        _refuse(service, str(error))


def _run_apart(work: Callable[[AnySettings], None], settings: AnySettings) -> None:
    """A fork is safe as long as this process has one thread, and elsewhere than on Linux not even then."""
    if sys.platform != "linux":
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        work(settings)
    finally:
        os._exit(0)


async def _awaited(serve: Callable[[AnySettings], Awaitable[None]], settings: AnySettings) -> None:
    await serve(settings)


def _why(fault: ErrorDetails) -> str:
    """In pydantic's words, or in those of our own checks: neither holds what a setting with a secret was given."""
    return "it is missing" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, ")


def _refuse(service: str, why: str) -> None:
    sys.stderr.write(f"{service} cannot start: {why}\n")
    sys.exit(os.EX_CONFIG)
