"""API clients: their keys and limits, and the switches that an operator has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contactsync.access.v1 import access_service_pb2 as wire
from contactsync.access.v1.client_pb2 import Client, KeyInfo
from contactsync.policy.v1.policy_pb2 import Scope
from google.protobuf.duration_pb2 import Duration

from libs.rpc import PeerRefused
from services.console.pages.forms import objection_of
from services.console.shown import moment
from services.console.visit import Act, GoTo, NotThere, Show, View, Visit

OVERLAPS = ("0", "3600", "86400", "604800")
"""Seconds that the old key may live on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key. `state` is a word of "key.…", `mark` its colour."""

    key_id: str
    state: str
    mark: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClient:
    """A client with its keys."""

    client: Client
    state: str
    mark: str
    scopes: Sequence[str]
    keys: Sequence[ShownKey]
    created_at: datetime | None

    @property
    def live_keys(self) -> Sequence[ShownKey]:
        """Those that open a door now."""
        return [each for each in self.keys if each.state != "ended"]

    @property
    def last_used_at(self) -> datetime | None:
        """None: never."""
        return max((each.last_used_at for each in self.keys if each.last_used_at), default=None)


async def show_all(visit: Visit) -> View:
    """Every client."""
    listed = await visit.services.ask(visit.services.access.ListClients, wire.ListClientsRequest())
    return View("clients/all.html", {"clients": [shown(each, now=visit.now) for each in listed.clients]})


async def show_one(visit: Visit) -> View:
    """One client: settings and keys."""
    return View("clients/one.html", {"each": await look_at(visit)})


async def look_at(visit: Visit) -> ShownClient:
    """The client that the path names."""
    request = wire.GetClientRequest(client_id=visit.path["client_id"])
    found = await visit.services.ask(visit.services.access.GetClient, request)
    return shown(found.client, now=visit.now)


async def enable(visit: Visit) -> GoTo:
    """Let it in again."""
    return await _switch(visit, is_on=True)


async def ask_to_disable(visit: Visit) -> View:
    """Whether it is really to be kept out."""
    return await _confirm(visit, "disable")


async def disable(visit: Visit) -> GoTo:
    """Keep it out; its keys stay."""
    return await _switch(visit, is_on=False)


async def ask_to_rotate(visit: Visit) -> View:
    """How long the old key is to live on."""
    return View(
        "clients/rotate.html", {"each": await look_at(visit), "overlaps": OVERLAPS, "objection": None}, is_live=False
    )


async def rotate(visit: Visit) -> View:
    """Make a new key, and show it this once."""
    overlap = visit.form.get("overlap", "")
    if overlap not in OVERLAPS:
        raise NotThere
    span = Duration()
    span.FromTimedelta(timedelta(seconds=int(overlap)))
    request = wire.RotateKeyRequest(client_id=visit.path["client_id"], overlap=span)
    try:
        made = await visit.services.ask(visit.services.access.RotateKey, request)
    except PeerRefused as refused:
        facts = {"each": await look_at(visit), "overlaps": OVERLAPS, "objection": objection_of(refused)}
        return View("clients/rotate.html", facts, is_live=False)
    return shown_once(shown(made.client, now=visit.now), made.api_key, made.hmac_secret)


def shown_once(each: ShownClient, api_key: str, hmac_secret: str) -> View:
    """A key and a secret that nobody can be shown again."""
    facts = {"each": each, "api_key": api_key, "hmac_secret": hmac_secret}
    return View("clients/key.html", facts, is_live=False)


async def ask_to_revoke(visit: Visit) -> View:
    """Whether the key, or all of them, are really to end."""
    return await _confirm(visit, "revoke")


async def revoke(visit: Visit) -> GoTo:
    """End one key, or all."""
    client_id, key_id = visit.path["client_id"], visit.form.get("key", "")
    request = wire.RevokeKeysRequest(client_id=client_id, key_id=key_id)
    await visit.services.ask(visit.services.access.RevokeKeys, request)
    return GoTo(f"/clients/{client_id}", done="done.key_revoked" if key_id else "done.keys_revoked")


async def _switch(visit: Visit, *, is_on: bool) -> GoTo:
    client_id = visit.path["client_id"]
    await visit.services.ask(
        visit.services.access.UpdateClient, wire.UpdateClientRequest(client_id=client_id, enabled=is_on)
    )
    return GoTo(f"/clients/{client_id}", done="done.client_enabled" if is_on else "done.client_disabled")


async def _confirm(visit: Visit, act: str) -> View:
    facts = {"each": await look_at(visit), "act": act, "key": visit.query.get("key", "")}
    return View("clients/confirm.html", facts, is_live=False)


def shown(client: Client, *, now: datetime) -> ShownClient:
    """What is shown of it everywhere."""
    return ShownClient(
        client=client,
        state="enabled" if client.enabled else "disabled",
        mark="good" if client.enabled else "idle",
        scopes=[Scope.Name(each).removeprefix("SCOPE_").lower() for each in client.settings.scopes],
        keys=[_shown_key(each, now=now) for each in client.keys],
        created_at=moment(client, "created_at"),
    )


def _shown_key(key: KeyInfo, *, now: datetime) -> ShownKey:
    expires_at = moment(key, "expires_at")
    if expires_at is None:
        state, mark = "live", "good"
    else:
        state, mark = ("ending", "warn") if expires_at > now else ("ended", "idle")
    return ShownKey(
        key_id=key.key_id,
        state=state,
        mark=mark,
        created_at=moment(key, "created_at"),
        expires_at=expires_at,
        last_used_at=moment(key, "last_used_at"),
    )


PAGES = (
    Show("/clients", show_all),
    Show("/clients/{client_id}", show_one),
    Act("/clients/{client_id}/enable", enable),
    Show("/clients/{client_id}/disable", ask_to_disable),
    Act("/clients/{client_id}/disable", disable),
    Show("/clients/{client_id}/rotate", ask_to_rotate),
    Act("/clients/{client_id}/rotate", rotate),
    Show("/clients/{client_id}/revoke", ask_to_revoke),
    Act("/clients/{client_id}/revoke", revoke),
)
