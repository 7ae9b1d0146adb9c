"""The answer matrix: what each way to answer means, at each kind of destination, and how much memory it takes.

`pytest -s -n 0 tests/integration/delivery/test_answers.py` prints the table.
"""

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from libs.egress import Outlet
from services.delivery.domain.answer import Answer, NoAnswer, Taken, classify
from services.delivery.domain.delivery import RowState
from services.delivery.domain.destination import Credentials, Destination, DestinationKind
from services.delivery.ports import Sender
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.sender.webhook import WebhookSender
from tests.fakes.raw import RawServer, Script, cut, hang, pour, say
from tests.integration.delivery.parcels import contact, destination, echoes, outlet, parcel
from tests.unit.delivery.world import HandClock

MIB = 1024 * 1024
MOST_MEMORY = 8 * MIB
"""Of both sides of the line together, in one process; what is sent at the least is a thousand times as much."""
JSON_OK = b'{"lead_id":"a1","id":1,"remarks":[]}'


@dataclass(frozen=True)
class Case:
    name: str
    script: Script
    classes: str
    """Of an idempotent webhook, of another webhook, of telecrm, of connect."""


def stream(*headers: str, block: bytes, gib: float = 1) -> Script:
    head = "\r\n".join(["HTTP/1.1 200 OK", *headers]).encode() + b"\r\n\r\n"
    return pour(head, block, times=int(gib * 1024 * MIB / len(block)))


ALL = "{0}, {0}, {0}, {0}"
GIVE_UP, RETRY, PAUSE = ALL.format("give up"), ALL.format("retry"), ALL.format("pause")
LOST = "retry, unknown, retry, retry"
TAKEN = "sent, sent, retry, retry"
"""By a webhook, whose success is its status; a system whose word matters is asked again when it cannot be read."""
REFUSED = "give up, give up, pause, pause"
HTML = b"<!doctype html><title>Sign in</title>"
METADATA = "Location: http://169.254.169.254/latest/meta-data/"
ZEROS = gzip.compress(bytes(64 * MIB))
CASES = [
    Case("200", say(200, body=JSON_OK), ALL.format("sent")),
    Case("201", say(201, body=JSON_OK), ALL.format("sent")),
    Case("204 without a body", say(204), TAKEN),
    Case("200 HTML", say(200, "Content-Type: text/html", body=HTML), TAKEN),
    Case("207 that cannot be read", say(207, body=b"<multistatus/>"), LOST),
    *(Case(f"{code} to a metadata address", say(code, METADATA), REFUSED) for code in (301, 302, 303, 307, 308)),
    Case("400", say(400), GIVE_UP),
    Case("401", say(401), PAUSE),
    Case("402", say(402), REFUSED),
    Case("403", say(403), PAUSE),
    Case("404", say(404), REFUSED),
    Case("408", say(408), RETRY),
    Case("409, also to the search", say(409), GIVE_UP),
    Case("410", say(410), PAUSE),
    Case("413", say(413), GIVE_UP),
    Case("415", say(415), GIVE_UP),
    Case("422", say(422), GIVE_UP),
    Case("425", say(425), RETRY),
    Case("429", say(429, "Retry-After: 5"), RETRY),
    Case("451", say(451), GIVE_UP),
    Case("500", say(500), RETRY),
    Case("501", say(501), RETRY),
    Case("502", say(502), LOST),
    Case("503", say(503, "Retry-After: Wed, 21 Oct 2099 07:28:00 GMT"), RETRY),
    Case("504", say(504), LOST),
    Case("599", say(599), RETRY),
    Case("hung", hang, LOST),
    Case("slow: a byte of the head, then nothing", pour(b"H", b"", times=0), LOST),
    Case("line cut", cut, LOST),
    Case("not HTTP", pour(b"220 mail.example ESMTP\r\n", b"", times=0), LOST),
    Case("body cut", pour(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", b"", times=0), TAKEN),
    Case("1 GiB body", stream("Content-Length: 1073741824", block=b"x" * 65536), TAKEN),
    Case("1 GiB body without length", stream("Connection: close", block=b"x" * 65536), TAKEN),
    Case("gzip bomb", say(200, "Content-Encoding: gzip", body=ZEROS), TAKEN),
    Case("gzip bomb of 1 GiB", stream("Content-Encoding: gzip", "Connection: close", block=ZEROS), TAKEN),
    Case("endless header", pour(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 65536, times=16384), LOST),
    Case("endless headers", pour(b"HTTP/1.1 200 OK\r\n", b"X-Some: header\r\n" * 4096, times=16384), LOST),
    Case("endless 1xx", pour(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2048, times=16384), LOST),
]  # fmt: skip


@pytest.fixture
async def way() -> AsyncIterator[Outlet]:
    async with outlet() as opened:
        yield opened


async def test_each_answer_has_its_class_and_none_takes_memory(way: Outlet) -> None:
    clock, remembered = HandClock(), echoes()
    senders: Mapping[DestinationKind, Sender] = {
        DestinationKind.WEBHOOK: WebhookSender(way, clock=clock),
        DestinationKind.TELECRM: TelecrmSender(way, clock=clock, echoes=remembered),
        DestinationKind.CONNECT: ConnectSender(way, clock=clock, echoes=remembered),
    }
    found, memory = {}, {}
    tracemalloc.start()
    for case in CASES:
        async with RawServer() as server:
            server.script = case.script
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            classes = [
                class_of(await senders[each.kind].send(parcel(each, contact(email="a@b.in"))), each)
                for each in destinations(server.url, timeout=2)
            ]
            found[case.name] = ", ".join(classes)
            memory[case.name] = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()

    print(table(found, memory))  # noqa: T201 - the table is for whoever runs this
    assert found == {case.name: case.classes for case in CASES}
    assert {name: used for name, used in memory.items() if used > MOST_MEMORY} == {}


def destinations(url: str, *, timeout: float) -> list[Destination]:
    credentials = Credentials(token="t", api_key="k")
    return [
        destination(DestinationKind.WEBHOOK, url, timeout=timeout, secrets=("s" * 32,)),
        destination(DestinationKind.WEBHOOK, url, timeout=timeout, secrets=("s" * 32,), idempotent=False),
        destination(DestinationKind.TELECRM, url, timeout=timeout, credentials=credentials, enterprise_id="e"),
        destination(DestinationKind.CONNECT, url, timeout=timeout, credentials=credentials),
    ]


def class_of(answer: Answer, of: Destination) -> str:
    """What becomes of the one contact."""
    if not isinstance(answer, Taken):
        assert isinstance(answer, NoAnswer) or answer.message
        return classify(answer, idempotent=of.idempotent).value
    words = {RowState.PENDING: "retry", RowState.FAILED: "give up", RowState.UNKNOWN: "unknown"}
    return words.get(RowState(answer.states[0]), "sent")


def table(found: Mapping[str, str], memory: Mapping[str, int]) -> str:
    head = ("answer", "webhook", "webhook, not idempotent", "telecrm", "connect", "peak KiB")
    rows = [(name, *classes.split(", "), str(memory[name] // 1024)) for name, classes in found.items()]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n" + "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)
    )
