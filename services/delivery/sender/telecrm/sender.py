"""A telecrm workspace, by its Sync API: create, and where the lead exists search it and write what differs.

Creating first costs a new lead one call. Searching first would cost it two, and would tell nothing more: the 409 leads
to the same search, which gives what is stored, so that a lead that is as it should be is not written again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from libs.egress import Outlet, Unanswered
from services.delivery.domain.answer import Answer
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.domain.destination import Destination
from services.delivery.domain.echo import Written
from services.delivery.ports import Clock, Echoes, Lookup, Sender
from services.delivery.sender.api import Api, Said, member
from services.delivery.sender.contacts import Contact, read_parcel
from services.delivery.sender.echoes import written
from services.delivery.sender.part import (
    Part,
    RowEnd,
    Trouble,
    again,
    failed,
    trouble_of,
    unsupported,
)
from services.delivery.sender.spelling import Known
from services.delivery.sender.telecrm.fields import (
    Lead,
    differing,
    is_same_identifier,
    searched,
    write_lead,
)
from services.delivery.sender.telecrm.remarks import blamed, error_code, ignored, lead_id, listed
from services.delivery.sender.telecrm.workspace import EMAIL, Workspace, Workspaces

LABELS = frozenset({"status", "lostreason"})
"""Types whose values are labels that a workspace has or has not."""
CANNOT_DELETE = "telecrm's API cannot delete a lead."
MOST_REFUSED = 5
"""Values of one update that are left out one by one; then it is refused whole."""
LOST_IN_BETWEEN = "The lead is said to exist, and a search does not find it."
_LEAD_REFUSALS = frozenset({"INVALID_LEAD", "VALIDATION_ERROR", "BAD_REQUEST"})


class TelecrmSender(Sender, Lookup):
    """Idempotent whatever becomes of an answer: a lead is found again by its identifier."""

    def __init__(self, outlet: Outlet, *, clock: Clock, echoes: Echoes) -> None:
        self._outlet = outlet
        self._clock = clock
        self._echoes = echoes
        self._workspaces = Workspaces(clock)

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """Write each lead."""
        opened = await self._open(parcel)
        if isinstance(opened, Trouble):
            return opened.answer(b"", idempotent=parcel.destination.idempotent)
        part = Part(read_parcel(parcel), idempotent=parcel.destination.idempotent, identified_by=opened.identified_by)
        answer = await part.send(opened.write)
        await self._echoes.remember(parcel.destination, opened.wrote)
        return answer

    @override
    async def look_up(self, parcel: Parcel) -> Answer | None:
        """Search each lead: one that has what was sent arrived."""
        opened = await self._open(parcel)
        if isinstance(opened, Trouble):
            return opened.answer(b"", idempotent=True)
        return await Part(read_parcel(parcel), idempotent=True).send(opened.look_up)

    async def _open(self, parcel: Parcel) -> "_Leads | Trouble":
        destination = parcel.destination
        api = Api(
            self._outlet,
            clock=self._clock,
            parcel=parcel,
            base=base_url(destination),
            headers={"Authorization": f"Bearer {destination.credentials.token}"},
            until=self._clock.now() + destination.part_timeout,
        )
        workspace = await self._workspaces.ask(api, base_url(destination), destination.credentials.token)
        if isinstance(workspace, Trouble):
            return workspace
        return _Leads(api, workspace, destination.fields)


def base_url(destination: Destination) -> str:
    """Return where the workspace's paths begin. The URL may name the workspace itself."""
    path = f"/enterprise/{quote(destination.enterprise_id, safe='')}"
    base = destination.url.rstrip("/")
    return base if not destination.enterprise_id or base.endswith(path) else base + path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    lead_id: str
    values: Mapping[str, Any]


class _Leads:
    """The leads of one workspace, while one part is written."""

    def __init__(self, api: Api, workspace: Workspace, field_map: Mapping[str, str]) -> None:
        self._api = api
        self._workspace = workspace
        self._field_map = field_map
        self.wrote: list[Written] = []

    @property
    def identified_by(self) -> Known:
        """What contacts are told apart by there."""
        return Known.EMAIL if self._workspace.identifier.kind == EMAIL else Known.PHONE

    async def write(self, contact: Contact) -> RowEnd:
        """Create or update."""
        lead = self._read(contact)
        if isinstance(lead, RowEnd):
            return lead
        answer = await self._api.ask("POST", "/lead", {"fields": lead.values})
        if isinstance(answer, Said) and answer.status == 409:
            return await self._write_known(lead, answer)
        end = self._created(answer, lead)
        if end.state is RowState.CREATED and isinstance(answer, Said):
            self._note(lead, lead_id(answer.data))
        return end

    async def look_up(self, contact: Contact) -> RowEnd:
        """Search, and write nothing."""
        lead = self._read(contact)
        if isinstance(lead, RowEnd):
            return lead
        found = await self._search(lead)
        if isinstance(found, RowEnd):
            return found
        if found is None or differing(lead, self._workspace, found.values):
            return again(Trouble(status=404, message="It did not arrive.", wrote=False))
        return RowEnd(state=RowState.CREATED)

    def _read(self, contact: Contact) -> Lead | RowEnd:
        if contact.deleted:
            return unsupported(CANNOT_DELETE)
        lead = write_lead(contact, self._workspace, self._field_map)
        if not lead.identifier:
            return failed(f"It has no {self._workspace.identifier.name}, by which the workspace identifies a lead.")
        return lead

    def _created(self, answer: Said | Unanswered, lead: Lead) -> RowEnd:
        if isinstance(answer, Unanswered) or not 200 <= answer.status < 300 or answer.data is None:
            return _unwritten(answer, lead, wrote=True)
        left_out = ignored(answer, lead.values)
        if not lead_id(answer.data):
            return failed(f"telecrm took the request and made no lead. {_without(left_out)}".strip(), answer.body)
        if self._workspace.identifier.name in left_out:
            return failed(
                f"telecrm left out {self._workspace.identifier.name}, which identifies the lead.", answer.body
            )
        return RowEnd(
            state=RowState.CREATED,
            reason=_remarked(left_out, lead.homeless),
            body=answer.body if left_out else b"",
        )

    async def _write_known(self, lead: Lead, conflict: Said) -> RowEnd:
        found = await self._search(lead)
        if isinstance(found, RowEnd):
            return found
        if found is None:
            return again(Trouble(status=conflict.status, message=LOST_IN_BETWEEN, wrote=False), conflict.body)
        remote_id = found.lead_id or lead_id(conflict.data) or lead_id(conflict.member("error"))
        changes = differing(lead, self._workspace, found.values)
        if not changes:
            self._note(lead, remote_id)
            return RowEnd(state=RowState.UNCHANGED, reason=_remarked((), lead.homeless))
        if not remote_id:
            return failed("The lead exists, and telecrm does not tell its id.", conflict.body)
        answer, refused = await self._update(remote_id, changes)
        end = _updated(answer, lead, changes, self._workspace, refused)
        if end.state is RowState.UPDATED:
            self._note(lead, remote_id)
        return end

    async def _update(self, remote_id: str, changes: Mapping[str, Any]) -> tuple[Said | Unanswered, Sequence[str]]:
        """Write what telecrm takes of it, and tell what not: of a new lead it leaves bad values out by itself."""
        rest, refused = dict(changes), list[str]()
        while True:
            answer = await self._api.ask("POST", f"/lead/{quote(remote_id, safe='')}", {"fields": rest})
            named = blamed(answer, rest) if isinstance(answer, Said) and _is_of_values(answer) else ()
            if not named or len(named) == len(rest) or len(refused) >= MOST_REFUSED:
                return answer, refused
            refused += named
            rest = {name: value for name, value in rest.items() if name not in named}

    async def _search(self, lead: Lead) -> _Found | RowEnd | None:
        identifier = self._workspace.identifier
        wanted = {"fields": {identifier.name: searched(identifier, lead.identifier)}}
        answer = await self._api.ask("POST", "/lead/search?skip=0&limit=10", wanted)
        if isinstance(answer, Unanswered) or answer.status != 200 or answer.data is None:
            return _unwritten(answer, lead, wrote=False)
        rows = answer.data if isinstance(answer.data, list) else answer.member("data")
        found = [_found(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        if len(found) == 1 and found[0].values.get(identifier.name) is None:
            return found[0]  # a row that does not show the identifier: the search was for nothing else
        same = [
            each for each in found if is_same_identifier(identifier, lead.identifier, each.values.get(identifier.name))
        ]
        return next(iter(same), None)

    def _note(self, lead: Lead, remote_id: str) -> None:
        def value_of(what: Known) -> Any:
            target = self._workspace.known(what)
            return None if target is None else lead.values.get(target.name)

        if remote_id:
            self.wrote.append(written(remote_id, value_of=value_of))


def _found(row: Mapping[str, Any]) -> _Found:
    """Live rows have the id and the status beside the fields."""
    fields = member(row, "fields")
    values = {"status": row.get("status")} | fields if isinstance(fields, dict) else row
    return _Found(lead_id=lead_id(row), values=values)


def _is_of_values(answer: Said) -> bool:
    return answer.status == 400 and error_code(answer) == "VALIDATION_ERROR"


def _updated(
    answer: Said | Unanswered, lead: Lead, changes: Mapping[str, Any], workspace: Workspace, refused: Sequence[str]
) -> RowEnd:
    if isinstance(answer, Said) and answer.status == 404:
        return again(Trouble(status=404, message="The lead was deleted while it was being written."), answer.body)
    if isinstance(answer, Unanswered) or not 200 <= answer.status < 300 or answer.data is None:
        return _unwritten(answer, lead, wrote=True)
    left_out = [*refused, *ignored(answer, lead.values), *_not_stored(answer, changes, workspace)]
    if left_out and set(changes) <= set(left_out):
        return failed(f"telecrm changed nothing of the lead. {_without(left_out)}", answer.body)
    reason = _remarked(list(dict.fromkeys(left_out)), lead.homeless)
    return RowEnd(state=RowState.UPDATED, reason=reason, body=answer.body if left_out else b"")


def _not_stored(answer: Said, changes: Mapping[str, Any], workspace: Workspace) -> Sequence[str]:
    """An update answers with all that is stored, and drops without a word what it does not know, such as a status."""
    stored = answer.member("fields")
    if not isinstance(stored, dict) or not stored:
        return []
    labels = {field.name for field in workspace.fields.values() if field.kind in LABELS}
    dropped = {name for name in labels & changes.keys() if stored.get(name, changes[name]) != changes[name]}
    return [name for name in changes if stored.get(name) is None or name in dropped]


def _unwritten(answer: Said | Unanswered, lead: Lead, *, wrote: bool) -> RowEnd:
    """Read an answer that is no success: of this lead, of all, or of the moment."""
    if isinstance(answer, Unanswered):
        return again(trouble_of(answer, wrote=wrote))
    code = error_code(answer)
    if answer.is_passing:
        return again(trouble_of(answer, wrote=wrote), answer.body)
    if answer.is_of_destination and code not in _LEAD_REFUSALS:
        return again(trouble_of(answer, wrote=wrote, by_destination=True), answer.body)
    named = listed(blamed(answer, lead.values))
    because = f"{answer.status} {code}".strip() + (f", about {named}" if named else "")
    return failed(f"telecrm refused the lead ({because}).", answer.body)


def _remarked(left_out: Sequence[str], homeless: Sequence[str]) -> str:
    said = [_without(left_out)] if left_out else []
    if homeless:
        said.append(f"The workspace has no field for: {listed(homeless)}.")
    return " ".join(said)


def _without(left_out: Sequence[str]) -> str:
    return f"telecrm left out: {listed(left_out)}." if left_out else ""
