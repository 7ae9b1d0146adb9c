"""A hub whose processes speak TLS with each other: everything works as without, and who has no certificate does not."""

import json
import socket
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import httpx
import pytest
from contactsync.ingestion.v1 import ingestion_service_pb2
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from cryptography import x509

from gateway.certificates import Certificate, Outside
from libs.cli.stack.authority import Authority
from libs.cli.stack.certificates import operator_of
from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.plan import SERVICES
from libs.cli.stack.ports import choose_free
from libs.cli.stack.shape import Shape
from libs.rpc.tls import identity_of
from tests.e2e.test_import_path import mobile
from tests.fixtures.hub import admin_of
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.places import choose_place, grown
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")


@dataclass(frozen=True)
class Place:
    """A hub with TLS inside, HTTPS outside, and a client of it."""

    hub: Hub
    partner: Partner
    https: str
    ca: Path

    def import_one(self) -> None:
        answer = self.partner.post([{"phone": mobile()}])
        assert answer.status_code == 202, answer.text
        assert self.partner.finished(answer.json()["job_id"])["sent_contacts"] == 1

    def job_over_grpc(self, channel: grpc.Channel) -> grpc.StatusCode:
        """What a caller of the typed API hears who shows the partner's key."""
        asked = ingestion_service_pb2.GetJobRequest(job_id=str(uuid.uuid4()))
        metadata = (("authorization", f"Bearer {self.partner.api_key}"),)
        stub = IngestionServiceStub(channel)  # type: ignore[arg-type]  # the stubs know asyncio's channels only
        with channel, pytest.raises(grpc.RpcError) as heard:
            stub.GetJob(asked, metadata=metadata, timeout=60)
        code: grpc.StatusCode = heard.value.code()
        return code


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data, public = tmp_path_factory.mktemp("tls"), Authority(tmp_path_factory.mktemp("public"))
    choose_place(data)
    public.issue(["edge"], now=datetime.now(UTC))
    shown = public.files("edge")
    listen = f"127.0.0.1:{choose_free(['https'])['https']}"
    secret = data / "run" / "outside.yaml"
    outside = Outside(listen=listen, shown=Certificate(cert=shown.cert, key=shown.key, secret=secret))
    with (
        running_hub(data, port=0, shape=grown(Shape(tls=True)), outside=outside) as hub,
        admin_of(hub) as admin,
        create_client(hub, admin, rate=1000) as partner,
    ):
        yield Place(hub, partner, f"https://{listen}", shown.ca)


def test_import_travels_through_every_service(place: Place) -> None:
    place.import_one()


def test_callers_may_come_over_https(place: Place) -> None:
    trusted = ssl.create_default_context(cafile=str(place.ca))
    headers = {"Authorization": f"Bearer {place.partner.api_key}"}

    with httpx.Client(base_url=place.https, verify=trusted, headers=headers, timeout=30, trust_env=False) as client:
        answer = client.get(f"/v1/contacts/import/{uuid.uuid4()}")

    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"


def test_key_opens_the_typed_api_to_who_has_a_certificate_of_the_hub(place: Place) -> None:
    operator = operator_of(place.hub.plan.folder, tls=True)

    heard = place.job_over_grpc(operator.to("ingestion").blocking_channel(place.hub.plan.address("ingestion"), ()))

    assert heard is grpc.StatusCode.NOT_FOUND


def test_key_alone_opens_nothing_over_a_services_own_port(place: Place) -> None:
    heard = place.job_over_grpc(grpc.insecure_channel(place.hub.plan.address("ingestion")))

    assert heard is grpc.StatusCode.UNAVAILABLE


def test_doctor_finds_services_and_certificates_well(place: Place) -> None:
    command = [sys.executable, "-m", "libs.cli.main", "doctor", "--data", str(place.hub.plan.folder.root), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)

    wells = {each["check"]: each["well"] for each in json.loads(told.stdout)["findings"]}
    assert {name: wells[name] for name in (*SERVICES, "gateway", "contracts", "certificates")} == dict.fromkeys(
        (*SERVICES, "gateway", "contracts", "certificates"), True
    )


def test_renewed_certificates_are_taken_up_while_everything_works(place: Place) -> None:
    folder = place.hub.plan.folder.root / "certs"
    for path in folder.glob("*.pem"):
        if path.name != "ca.pem":
            path.unlink()

    made = place.hub.plan.certificates.renew(datetime.now(UTC))

    assert set(made) >= {"gateway", "ingestion", "delivery"}
    wait_for(
        lambda: serial_at(place.hub, "ingestion") == serial_in(folder / "ingestion.pem"), what="the new certificate"
    )
    place.import_one()


def serial_in(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


def serial_at(hub: Hub, service: str) -> int:
    """Of the certificate that a service shows to the operator who connects now."""
    certs = hub.plan.folder.root / "certs"
    context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    context.load_cert_chain(certs / "operator.pem", certs / "operator.key")
    context.set_alpn_protocols(["h2"])
    host, _, port = hub.plan.address(service).rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=identity_of(service)) as connection,
    ):
        encoded = connection.getpeercert(binary_form=True)
    assert encoded is not None
    return x509.load_der_x509_certificate(encoded).serial_number
