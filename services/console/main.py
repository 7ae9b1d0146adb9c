"""Runs the console: `python -m services.console.main`."""

import asyncio
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from libs.process import read_key_file, run_process
from libs.rpc import Tls
from libs.sealing import Seal
from libs.telemetry import configure_telemetry
from services.console.pages import PAGES
from services.console.peers import Services
from services.console.rendering import Renderer
from services.console.sessions import Sessions
from services.console.settings import Settings
from services.console.web import Site
from services.console.web.entry import Entry

SERVICE = "console"
_GRACE_SECONDS = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    run_process(SERVICE, Settings, serve)


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    stopping = asyncio.Event()
    async with running(settings, stopping=stopping) as application:
        server = _WebServer(_config(settings, application), stopping)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        await server.serve()


@asynccontextmanager
async def running(settings: Settings, *, stopping: asyncio.Event) -> AsyncIterator[ASGIApp]:
    """Give the application put together; what it stands on is closed behind it. `stopping` ends its live pages."""
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(configure_telemetry(service=SERVICE, **settings.telemetry()).close)
        services = Services(settings.services, tls=Tls(settings.tls_files()))
        stack.push_async_callback(services.close)
        seal = Seal(master_key, purpose="console-session", random=secrets.token_bytes)
        site = Site(
            PAGES,
            services=services,
            sessions=Sessions(seal, random=secrets.token_bytes, now=_utc_now),
            entry=Entry(services, monotonic=time.monotonic),
            renderer=Renderer(jaeger_url=settings.jaeger_url),
            gateways=settings.gateway_networks(),
            now=_utc_now,
            stopping=stopping,
        )
        yield site.application()


class _WebServer(Server):
    """Stops as the hub's other processes do: on the first signal, and ends as a process that did nothing wrong."""

    def __init__(self, config: Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def stop(self) -> None:
        self._stopping.set()
        self.should_exit = True

    async def main_loop(self) -> None:
        """Looks at the clock, for the date that answers tell, once a second and not ten times."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not at all: they are taken by the loop, since uvicorn would raise them again when all is done."""
        yield


def _config(settings: Settings, application: ASGIApp) -> Config:
    host, _, port = settings.listen.rpartition(":")
    return Config(
        application,
        host=host,
        port=int(port),
        loop="none",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Behind the gateway: who asks is told by its own header, not by X-Forwarded-For.
        proxy_headers=False,
        limit_concurrency=512,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
