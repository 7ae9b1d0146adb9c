"""The hub's supervisord: ``python -m libs.cli.stack.nursery --configuration FILE``.

It imports once what the services import, and each of them begins as a fork of it: they share those pages, and none
waits for its imports. Any other program is executed, as ever; and so is a service once a file that was imported has
changed, so that what restarts after an upgrade is what is installed.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from setproctitle import getproctitle, setproctitle, setthreadtitle
from supervisor import loggers
from supervisor.options import ServerOptions
from supervisor.supervisord import go

from libs.cli.stack.child import STARTED_SECONDS, end_with
from libs.cli.stack.preloaded import Preloaded

_LATER = ("libs.rpc.server", "libs.storage.opening", "libs.storage.sqlite.database", "alembic.operations")
"""What services import only when they have begun."""
_OWN = ("CONTACTSYNC_", "SUPERVISOR_")
"""How variables begin that a service reads itself, and late."""


class LossyLog(loggers.RotatingFileHandler):  # type: ignore[misc]  # supervisor has no types
    """Loses lines while they cannot be written: supervisord would end by it, and every program with it."""

    def emit(self, record: loggers.LogRecord) -> None:
        """Writes a line, if there is room for it."""
        try:
            super().emit(record)
        except (OSError, ValueError):  # when its turn comes, the file is closed, and then what waits has no room
            with suppress(OSError):
                self.stream = Path(self.baseFilename).open("ab")  # noqa: SIM115 - closed by whoever replaces it

    def handleError(self) -> None:  # noqa: N802 - supervisor's
        """Nothing: where complaints go there is no room either."""


class NurseryOptions(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    """Supervisord, but for how it begins a program."""

    def __init__(self) -> None:
        super().__init__()
        self._preloaded: Preloaded | None = None
        self._forks = False

    def check_execv_args(self, filename: str, argv: Sequence[str], st: os.stat_result | None) -> None:
        """Is asked by supervisord right before it forks: what is decided here is not paid by each child."""
        super().check_execv_args(filename, argv, st)
        module = module_of(argv)
        if module and self._preloaded is None and sys.platform == "linux":
            self._preloaded = Preloaded()
            self._preloaded.load([*self._modules(), *_LATER])
        self._forks = self._preloaded is not None and self._preloaded.has(module)

    def execve(self, filename: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Becomes the program, in the child, whose group and outputs are its own by now."""
        end_with(os.getppid())
        if self._forks and _others(env) == _others(os.environ):
            for channel in self.get_socket_map().values():
                channel.socket.detach()  # closed by now; its number will be that of another
            begin(module_of(argv), argv, env)
        super().execve(filename, argv, env)

    def _modules(self) -> list[str]:
        programs = [program for group in self.process_group_configs for program in group.process_configs]
        return [module for program in programs if (module := module_of(shlex.split(program.command)))]


def module_of(command: Sequence[str]) -> str:
    """The module whose `main` the command runs, where it is a service of ours; else empty."""
    match command:
        case [sys.executable, "-m", module] if module.startswith("services."):
            return module
    return ""


def begin(module: str, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Runs the module's `main` as the process that the command would have become."""
    setproctitle(" ".join(command))
    setthreadtitle(Path(command[0]).name)
    _forget_signals()
    os.environ.clear()
    os.environ.update(environment)
    loaded = sys.modules[module]
    sys.argv = [str(loaded.__file__)]
    status = _status_of(loaded.main)
    sys.stdout.flush()
    sys.stderr.flush()
    if status == os.EX_CONFIG:
        time.sleep(STARTED_SECONDS)  # it is not to be tried again
    # Nothing else of the parent's is ended here: its files and connections are not ours.
    os._exit(status)


def _others(environment: Mapping[str, str]) -> dict[str, str]:
    """What interpreters and libraries read when they begin, which a fork cannot do again."""
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


def _forget_signals() -> None:
    """As exec does: what was ignored stays so."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _status_of(main: Callable[[], None]) -> int:
    """As the interpreter ends a program."""
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - told like any that nobody catches
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def main() -> None:
    """Runs until SIGTERM."""
    getproctitle()  # finds the place of the title while it is as the kernel made it
    setthreadtitle("supervisord")
    loggers.RotatingFileHandler = LossyLog
    options = NurseryOptions()
    options.realize()
    options.first, options.test = True, False
    go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    main()
