"""Whatever the headers hold, the answer is in the one envelope, with the right status, from processes that live on."""

import gzip

import pytest

from libs.cli.stack.hub import Hub
from tests.contract.raw_http import RawAnswer, exchange
from tests.contract.refusals import assert_refused, headers
from tests.fixtures.partner import Partner, from_address, loopback_address

pytestmark = pytest.mark.usefixtures("processes")

GOOD = b'[{"phone":"+79001234567"}]'
MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8",
        'application/json; charset="utf-8"', "Application/JSON",
    ],
)  # fmt: skip
def test_content_type_is_json_in_utf_8(partner: Partner, content_type: str) -> None:
    answer = partner.http.post("/v1/contacts/import", content=GOOD, headers=headers(partner, Content_Type=content_type))

    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    "content_type",
    [
        None, "", "text/plain", "text/json", "application/jsonp", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x", "application/xml", "application/json; charset=windows-1251",
        "application/json; charset=utf-16", "application/json, text/plain", "application/json; charset=",
        "application/x-protobuf",
    ],
)  # fmt: skip
def test_other_content_types_are_refused(partner: Partner, content_type: str | None) -> None:
    answer = partner.http.post("/v1/contacts/import", content=GOOD, headers=headers(partner, Content_Type=content_type))

    assert_refused(answer, 400, "validation_error")


def test_packed_body_is_told_that_it_must_not_be(partner: Partner) -> None:
    packed = headers(partner, Content_Encoding="gzip")

    answer = partner.http.post("/v1/contacts/import", content=gzip.compress(GOOD), headers=packed)

    assert "Content-Encoding" in assert_refused(answer, 400, "validation_error")["message"]


@pytest.mark.parametrize("host", [["Host: hub"], []], ids=["with a host", "without"])
def test_http_1_0_is_served_as_proxies_speak_it(hub: Hub, partner: Partner, host: list[str]) -> None:
    head = ["POST /v1/contacts/import HTTP/1.0", f"Content-Length: {len(GOOD)}", *host, *lines(partner)]

    answer = exchange(hub.plan.port, "\r\n".join([*head, "", ""]).encode() + GOOD, address=loopback_address())

    assert answer.status_code == 202


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+json", "application/grpc-web"])
def test_grpc_over_rest_is_no_way_in(partner: Partner, content_type: str) -> None:
    answer = partner.http.post("/v1/contacts/import", content=GOOD, headers=headers(partner, Content_Type=content_type))

    assert_refused(
        answer, answer.status_code, "unsupported_media_type" if answer.status_code == 415 else "validation_error"
    )


def raw(hub: Hub, *lines: str | bytes, body: bytes = GOOD, address: str | None = None) -> RawAnswer:
    """A POST with just these header lines beside Host and Content-Length."""
    sent = [line if isinstance(line, bytes) else line.encode() for line in lines]
    head = [b"POST /v1/contacts/import HTTP/1.1", b"Host: hub", b"Content-Length: %d" % len(body), *sent]
    return exchange(hub.plan.port, b"\r\n".join([*head, b"", body]), address=address or loopback_address())


def lines(partner: Partner, *, without: str = "") -> list[str]:
    return [f"{name}: {value}" for name, value in headers(partner).items() if name != without]


@pytest.mark.parametrize(
    "line", ["^y: 1", "a!b: 1", "grpc-previous-rpc-attempts: x", "grpc-status: 3", "grpc-trace-bin: ?", "x.y-1: 1"]
)
def test_header_that_grpc_would_stumble_over_does_no_harm(hub: Hub, partner: Partner, line: str) -> None:
    assert raw(hub, *lines(partner), line).status_code == 202


# An empty second one is not seen: Envoy drops it when it joins the two.
@pytest.mark.parametrize("second", ["Bearer x", "x", None])
def test_two_authorization_headers_are_refused(hub: Hub, partner: Partner, second: str | None) -> None:
    twice = f"Authorization: {f'Bearer {partner.api_key}' if second is None else second}"

    assert_refused(raw(hub, *lines(partner), twice), 401, "unauthorized")
    assert_refused(raw(hub, twice, *lines(partner)), 401, "unauthorized")


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer  ", "bearer", "", " ", "Bearer,", "Bearer \t"])
def test_empty_bearer_is_refused(hub: Hub, partner: Partner, value: str) -> None:
    answer = raw(hub, *lines(partner, without="Authorization"), f"Authorization: {value}")

    assert_refused(answer, 401, "unauthorized")


@pytest.mark.parametrize("name", ["api_key", "access_token", "authorization", "key", "token"])
def test_key_in_the_query_opens_nothing(hub: Hub, partner: Partner, name: str) -> None:
    with from_address(hub, loopback_address()) as http:
        answer = http.post(
            "/v1/contacts/import", params={name: partner.api_key}, content=GOOD,
            headers=headers(partner, Authorization=None),
        )  # fmt: skip

    assert_refused(answer, 401, "unauthorized")
    assert partner.api_key not in answer.text


@pytest.mark.parametrize("repeated", ["Idempotency-Key: other", "X-Correlation-ID: a\r\nX-Correlation-ID: b"])
def test_header_that_must_be_one_is_refused_twice(hub: Hub, partner: Partner, repeated: str) -> None:
    assert_refused(raw(hub, *lines(partner), repeated), 400, "validation_error")


@pytest.mark.parametrize(
    "bomb",
    [
        [f"X-Filler-{number}: x" for number in range(100)],
        [f"X-Filler-{number}: x" for number in range(10_000)],
        [f"X-Filler: {'x' * 40_000}"],
        [f"X-Filler: {'x' * MEGABYTE}"],
        [f"{'X' * 40_000}: x"],
    ],
    ids=["hundred", "ten thousand", "long", "a megabyte", "long name"],
)
def test_header_bomb_is_refused(hub: Hub, partner: Partner, bomb: list[str]) -> None:
    assert_refused(raw(hub, *bomb, *lines(partner)), 431, "headers_too_large")


@pytest.mark.parametrize(
    "line",
    [
        b"X-Filler: a\x00b", b"X Filler: x", b": x", b"X-Filler\x00: x", b"no colon at all", b"X_Filler: x",
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Content-Length: 1",
    ],
)  # fmt: skip
def test_malformed_header_is_refused(hub: Hub, partner: Partner, line: bytes) -> None:
    answer = raw(hub, *lines(partner), line)

    assert answer.status_code in {400, 501}
    assert_refused(answer, answer.status_code, "validation_error" if answer.status_code == 400 else "not_implemented")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"POST", 400),
        (b"NONSENSE /v1/contacts/import HTTP/1.1", 405),
        (b"POST /v1/contacts%2Fimport HTTP/1.1", 400),
        (b"POST /v1/contacts/../../etc HTTP/1.1", 404),
        (b"POST //v1//nowhere HTTP/1.1", 404),
        (b"BREW /v1/contacts/import HTTP/1.1", 405),
        (b"\x16\x03\x01\x02\x00", 400),
    ],
)
def test_malformed_request_line_is_refused(hub: Hub, partner: Partner, request_line: bytes, status: int) -> None:
    head = b"\r\n".join([request_line, b"Host: hub", b"Content-Length: 0", b"", b""])

    answer = exchange(hub.plan.port, head, address=loopback_address())

    words = {404: "not_found", 405: "method_not_allowed"}
    assert_refused(answer, status, words.get(status, "validation_error"))
