"""Nothing of a contact is logged, traced or told, whatever a system says of it."""

from typing import Any

import pytest
import structlog

from services.delivery.domain.answer import NoAnswer, Taken
from services.delivery.domain.destination import Credentials, DestinationKind
from services.delivery.sender.connect.sender import ConnectSender
from services.delivery.sender.directory import DirectorySender
from services.delivery.sender.dispatch import Senders
from services.delivery.sender.telecrm.sender import TelecrmSender
from services.delivery.sender.webhook import WebhookSender
from tests.fakes.connect import ConnectFake
from tests.fakes.line import Line, Say
from tests.fakes.telecrm import TelecrmFake
from tests.integration.delivery.parcels import contact, destination, echoes, outlet, parcel
from tests.unit.delivery.world import HandClock

PHONE, NAME, EMAIL, CITY = "+919876543210", "Ashalata", "ashalata@b.in", "Kozhikode"
SAID = f"{NAME} ({PHONE}, {EMAIL}) of {CITY} is not welcome"
CREDENTIALS = Credentials(token="sync-token", api_key="connect-key")
ANSWERS: list[Any] = [
    Say(200, {"failed": [{"index": 0, "error": SAID, "code": NAME}]}),
    Say(201, {"lead_id": "a1", "remarks": [{"field": NAME, "remark": SAID}, {"field": SAID, "status": "IGNORED"}]}),
    Say(400, {"error": {"code": "VALIDATION_ERROR", "message": SAID, "details": [{"field": SAID, "message": SAID}]}}),
    Say(400, {"error": SAID}),
    Say(401, {"error": {"code": SAID, "message": SAID}}),
    Say(409, {"error": {"code": "LEAD_ALREADY_EXISTS", "message": SAID}}),
    Say(422, SAID.encode()),
    Say(429, {"error": SAID}, {"Retry-After": "1"}),
    Say(500, SAID.encode(), {"X-Said": SAID}),
]


@pytest.mark.parametrize("kind", [DestinationKind.WEBHOOK, DestinationKind.TELECRM, DestinationKind.CONNECT])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: str(answer.status))
async def test_what_a_system_says_of_a_contact_stays_with_the_answer(kind: DestinationKind, answer: Say) -> None:
    line: Line = ConnectFake() if kind is DestinationKind.CONNECT else TelecrmFake()
    line.tricked = lambda request: request.method == "POST" and not request.path.endswith("/search")
    line.tricks.extend([answer] * 3)
    async with line, outlet() as way:
        clock = HandClock()
        senders = Senders(
            {
                DestinationKind.DIRECTORY: DirectorySender.__new__(DirectorySender),
                DestinationKind.WEBHOOK: WebhookSender(way, clock=clock),
                DestinationKind.TELECRM: TelecrmSender(way, clock=clock, echoes=echoes()),
                DestinationKind.CONNECT: ConnectSender(way, clock=clock, echoes=echoes()),
            }
        )
        base = f"{line.url}/autoupdate/v2" if kind is DestinationKind.TELECRM else line.url
        to = destination(kind, base, credentials=CREDENTIALS, enterprise_id="ent-1", secrets=("s" * 32,))

        with structlog.testing.capture_logs() as logs:
            said = await senders.send(parcel(to, contact(PHONE, name=NAME, email=EMAIL, city=CITY)))

    reasons = "" if not isinstance(said, Taken) else str(said.failures)
    told = f"{logs} {said!r} {reasons} {said.message}"
    assert not [word for word in (PHONE, PHONE[1:], NAME, EMAIL, CITY, "sync-token", "connect-key") if word in told]
    assert isinstance(said, NoAnswer) or said.body or answer.status == 201
