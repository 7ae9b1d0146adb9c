"""A new client, and the limits of one, as forms."""

from collections.abc import Mapping

from contactsync.access.v1 import access_service_pb2 as wire
from contactsync.access.v1.client_pb2 import ClientSettings, DuplicatePolicy
from contactsync.delivery.v1.delivery_service_pb2 import ListDestinationsRequest
from contactsync.policy.v1.policy_pb2 import SCOPE_IMPORT, SCOPE_READ, Scope

from libs.rpc import PeerRefused
from services.console.pages.clients import look_at, shown, shown_once
from services.console.pages.forms import Changed, NotANumber, Objection, chosen, objection_of
from services.console.visit import Act, GoTo, Show, View, Visit

_SCOPES = ("import", "read", "admin")
_DUPLICATES = ("keep_all", "keep_last")
_NEW = ClientSettings(scopes=[SCOPE_IMPORT, SCOPE_READ], default_region="RU", destination_ids=["directory"], rate=10)


async def ask_for_new(visit: Visit) -> View:
    """An empty form with the defaults."""
    return await _form(visit, _fields(_NEW), None)


async def create(visit: Visit) -> View:
    """Create it, and show its key this once."""
    try:
        settings = _changed(_NEW, visit.form)
        request = wire.CreateClientRequest(name=visit.form.get("name", "").strip(), settings=settings)
        made = await visit.services.ask(visit.services.access.CreateClient, request)
    except NotANumber as error:
        return await _form(visit, _fields(_NEW), _not_a_number(visit, error))
    except PeerRefused as refused:
        return await _form(visit, _fields(_NEW), objection_of(refused))
    return shown_once(shown(made.client, now=visit.now), made.api_key, made.hmac_secret)


async def ask(visit: Visit) -> View:
    """Its limits as they are."""
    return await _form_of_one(visit, None)


async def change(visit: Visit) -> GoTo | View:
    """Store what was changed; what was not stays as it is now."""
    each = await look_at(visit)
    try:
        settings = _changed(each.client.settings, visit.form)
        request = wire.UpdateClientRequest(client_id=each.client.id, settings=settings)
        made = await visit.services.ask(visit.services.access.UpdateClient, request)
    except NotANumber as error:
        return await _form_of_one(visit, _not_a_number(visit, error))
    except PeerRefused as refused:
        return await _form_of_one(visit, objection_of(refused))
    if made.hmac_secret:
        return shown_once(shown(made.client, now=visit.now), "", made.hmac_secret)
    return GoTo(f"/clients/{each.client.id}", done="done.client_changed")


def _changed(settings: ClientSettings, form: Mapping[str, str]) -> ClientSettings:
    """The settings with what differs in the form from what it was made with."""
    made, changed = ClientSettings(), Changed({**form, **_gathered(form)})
    made.CopyFrom(settings)
    if (scopes := changed.text("scopes")) is not None:
        made.ClearField("scopes")
        made.scopes.extend(Scope.Value(f"SCOPE_{each.upper()}") for each in scopes.split() if each in _SCOPES)
    if (destinations := changed.text("destinations")) is not None:
        made.ClearField("destination_ids")
        made.destination_ids.extend(destinations.split())
    if (networks := changed.text("networks")) is not None:
        made.ClearField("allowed_networks")
        made.allowed_networks.extend(networks.replace(",", " ").split())
    if (rate := changed.number("rate")) is not None:
        made.rate = rate
    if (region := changed.text("region")) is not None:
        made.default_region = region.upper()
    if (workspace := changed.text("workspace")) is not None:
        made.workspace_id = workspace
    if (duplicates := changed.text("duplicates")) in _DUPLICATES:
        made.duplicates = DuplicatePolicy.Value(f"DUPLICATE_POLICY_{duplicates.upper()}")
    if (signs := changed.yes("hmac")) is not None:
        made.hmac = signs
    return made


def _gathered(form: Mapping[str, str]) -> dict[str, str]:
    """What was ticked, as one text each."""
    return {name: " ".join(sorted(chosen(form, f"{name}:"))) for name in ("scopes", "destinations")}


def _fields(settings: ClientSettings) -> dict[str, str]:
    """The settings as a form holds them."""
    return {
        "name": "",
        "scopes": " ".join(sorted(Scope.Name(each).removeprefix("SCOPE_").lower() for each in settings.scopes)),
        "destinations": " ".join(sorted(settings.destination_ids)),
        "networks": "\n".join(settings.allowed_networks),
        "rate": f"{settings.rate:g}" if settings.rate else "",
        "region": settings.default_region,
        "workspace": settings.workspace_id,
        "duplicates": _policy(settings.duplicates),
        "hmac": "yes" if settings.hmac else "no",
    }


def _policy(duplicates: DuplicatePolicy.ValueType) -> str:
    name = DuplicatePolicy.Name(duplicates).removeprefix("DUPLICATE_POLICY_").lower()
    return name if name in _DUPLICATES else _DUPLICATES[0]


async def _form_of_one(visit: Visit, objection: Objection | None) -> View:
    each = await look_at(visit)
    return await _form(visit, _fields(each.client.settings), objection, each=each)


async def _form(visit: Visit, now_is: dict[str, str], objection: Objection | None, *, each: object = None) -> View:
    """What was typed stays where it was not taken."""
    listed = await visit.services.ask(visit.services.delivery.ListDestinations, ListDestinationsRequest())
    typed = {**now_is, **visit.form, **(_gathered(visit.form) if visit.form else {})}
    facts = {
        "each": each,
        "now_is": now_is,
        "typed": typed,
        "scopes": _SCOPES,
        "duplicates": _DUPLICATES,
        "destinations": [(found.id, found.name) for found in listed.destinations],
        "objection": objection,
    }
    return View("clients/form.html", facts, is_live=False)


def _not_a_number(visit: Visit, error: NotANumber) -> Objection:
    return Objection(visit.say("form.not_a_number"), [(error.name, "")])


PAGES = (
    Show("/new-client", ask_for_new),
    Act("/new-client", create),
    Show("/clients/{client_id}/edit", ask),
    Act("/clients/{client_id}/edit", change),
)
