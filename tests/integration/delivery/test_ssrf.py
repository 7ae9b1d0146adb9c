"""No sender makes a connection to a forbidden address, however it is spelled, resolved or pointed to."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from libs.egress import EgressRules, Outlet, parse_networks
from services.delivery.domain.answer import NoAnswer
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.ports import Sender
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.sender.webhook import WebhookSender
from tests.fakes.raw import RawServer, say
from tests.integration.delivery.parcels import contact, destination, echoes, parcel
from tests.unit.delivery.world import HandClock
from tests.unit.egress.test_rules import FORMS

FORBIDDEN = "The receiver's address is one that the hub may not call."
KINDS = [DestinationKind.WEBHOOK, DestinationKind.TELECRM, DestinationKind.CONNECT]
NAMES = ["receiver.example", "127.0.0.1.nip.example", "metadata.google.internal"]


@dataclass
class Trap:
    """Listens where it is forbidden to call, and notes every address that a connection is tried to."""

    port: int
    listeners: list[RawServer]
    tried: list[str]

    @property
    def connections(self) -> int:
        return sum(listener.connections for listener in self.listeners)


@pytest.fixture
async def trap(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trap]:
    tried: list[str] = []
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def noted(sock: socket.socket, address: Any) -> None:
        tried.append(str(address[0]))
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", noted)
    async with AsyncExitStack() as stack:
        hosts = ("127.0.0.1", "::1") if speaks_ipv6() else ("127.0.0.1",)
        listeners = [await stack.enter_async_context(RawServer(host=host)) for host in hosts]
        yield Trap(listeners[0].port, listeners, tried)


def speaks_ipv6() -> bool:
    """Containers often do not. What is tried is noted in either case."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


async def send_all(url: str, rules: EgressRules) -> list[object]:
    """What the senders of all kinds answer for one destination."""
    outlet, clock = Outlet.open(rules), HandClock()
    senders: dict[DestinationKind, Sender] = {
        DestinationKind.WEBHOOK: WebhookSender(outlet, clock=clock),
        DestinationKind.TELECRM: TelecrmSender(outlet, clock=clock, echoes=echoes()),
        DestinationKind.CONNECT: ConnectSender(outlet, clock=clock, echoes=echoes()),
    }
    credentials = Credentials(token="t", api_key="k")
    try:
        return [
            await senders[kind].send(
                parcel(
                    destination(kind, url, timeout=15, credentials=credentials, secrets=("s" * 32,)),
                    contact(email="a@b.in"),
                )
            )
            for kind in KINDS
        ]
    finally:
        await outlet.close()


def at_port(url: str, port: int) -> str:
    """The same address, where the trap listens."""
    return re.sub(r"^(http://[^/]+)", rf"\g<1>:{port}", url)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """What names resolve to, answer by answer; the last stays."""
    left = list(answers)

    def resolved(host: object, port: object, *_: object, **__: object) -> list[object]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_of_a_forbidden_address_is_saved_or_called(trap: Trap, form: str) -> None:
    url = at_port(form, trap.port)

    objection = await EgressRules().objection(url)
    answers = await send_all(url, EgressRules())

    assert objection is not None
    assert all(isinstance(answer, NoAnswer) and not answer.reached for answer in answers)
    assert (trap.connections, trap.tried) == (0, [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1"])
async def test_a_name_that_was_public_when_it_was_saved_is_not_called_once_it_is_rebound(
    trap: Trap, monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    url = f"http://{name}:{trap.port}/"
    resolve_to(monkeypatch, ["93.184.216.34"], [address])

    objection = await EgressRules().objection(url)
    answers = await send_all(url, EgressRules())

    assert objection is None
    assert answers == [NoAnswer(message=FORBIDDEN, reached=False)] * len(KINDS)
    assert (trap.connections, trap.tried) == (0, [])


async def test_one_forbidden_address_among_public_ones_is_enough(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "127.0.0.1"])

    objection = await EgressRules().objection(f"http://receiver.example:{trap.port}/")
    answers = await send_all(f"http://receiver.example:{trap.port}/", EgressRules())

    assert objection is not None
    assert answers == [NoAnswer(message=FORBIDDEN, reached=False)] * len(KINDS)
    assert (trap.connections, trap.tried) == (0, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "form", ["http://127.0.0.1:{}/", "//127.0.0.1:{}/", "http://[::1]:{}/", "http://2130706433:{}/"]
)
async def test_a_redirect_is_followed_nowhere(trap: Trap, status: int, form: str) -> None:
    where = form.format(trap.port)
    async with RawServer(host="127.0.0.2") as redirecting:
        redirecting.script = say(status, f"Location: {where}", f"Refresh: 0; url={where}", "Connection: close")

        await send_all(redirecting.url, EgressRules(parse_networks("127.0.0.2/32")))

    assert redirecting.asked == len(KINDS)
    assert trap.connections == 0
    assert set(trap.tried) == {"127.0.0.2"}


async def test_the_trap_would_have_caught_it(trap: Trap) -> None:
    await send_all(f"http://127.0.0.1:{trap.port}/", EgressRules(parse_networks("127.0.0.0/8")))

    assert trap.connections > 0
    assert set(trap.tried) == {"127.0.0.1"}
