"""What a request says beside its path: from where it comes, in which language, and what its form holds."""

import secrets
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from contactsync.call.v1.call_pb2 import CallContext
from starlette.requests import Request

from libs.process.settings import Network
from services.console.words import WORDS, Speaker, choose_language

LANGUAGE_COOKIE = "contactsync_language"
_FORM_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


class NotOurForm(Exception):
    """A form that another site sent, or one that no browser sends."""

    reason = "NOT_OUR_FORM"


def address_of(request: Request, gateways: Sequence[Network]) -> str:
    """Where the browser is: the gateway's word, or who called when it was no gateway. Empty: nobody says."""
    try:
        peer = ip_address(request.client.host if request.client else "")
        if any(peer.version == network.version and peer in network for network in gateways):
            return str(ip_address(request.headers.get("x-contactsync-client", "").strip()))
    except ValueError:
        return ""
    return str(peer)


def is_secure(request: Request) -> bool:
    """Whether the browser came by https."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def speaker_of(request: Request) -> Speaker:
    """In the language that was chosen, or that the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return Speaker(choose_language(chosen, request.headers.get("accept-language", "")), WORDS)


def call_of(request: Request, *, traced: bool) -> CallContext:
    """The request as the calls it makes carry it. Not traced: they belong to a trace that nobody records."""
    correlation_id = request.headers.get("x-correlation-id", "")
    unrecorded = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    given = request.headers.get("traceparent", "")
    return CallContext(correlation_id=correlation_id, traceparent=given if traced and given else unrecorded)


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that one of our own pages sent. Raises NotOurForm otherwise."""
    if not _is_our_own(request) or request.headers.get("content-type", "").partition(";")[0] != _FORM:
        raise NotOurForm
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _FORM_BYTES:
            raise NotOurForm
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise NotOurForm from None


def _is_our_own(request: Request) -> bool:
    """By what browsers say of where a form was sent from; whatever else sends forms has no session to abuse."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        return False
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
