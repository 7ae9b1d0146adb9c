"""Sends contacts to the import API in requests that may be repeated without harm."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import orjson

from libs.cli.api import Api, ApiError, answer_of, segment
from libs.cli.importing.records import Contact, Record, Rejected

BATCH = 1000
# The import API names at most 100 rows of a refused request, so a request of 100 learns the reason of every row.
_SMALL_BATCH = 100
_ROW = re.compile(r"^/(\d+)(?:/|$)")


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job the hub accepted, or had accepted before for the same rows."""

    job_id: str
    correlation_id: str
    total: int
    invalid: int
    replayed: bool


def send_contacts(api: Api, contacts: Sequence[Contact], *, source: str) -> list[Accepted]:
    """Sends contacts of which each batch holds at least one that is valid. Raises ApiError when one is refused."""
    return [post_batch(api, batch, source=source) for batch in batches(contacts, BATCH)]


def send_records(
    api: Api, records: Iterable[Record], *, source: str, rejected: Callable[[Rejected], None]
) -> Iterator[Accepted]:
    """Sends records in order and hands each one that the hub refuses to ``rejected``.

    The idempotency key of a request is made of its rows and ``source``: the same file again repeats the same requests,
    and the hub answers with the jobs it has.
    """
    for batch in batches(records, BATCH):
        for accepted, sent in _send_batch(api, batch, source=source, rejected=rejected):
            for place, code, reason in _refused_rows(api, accepted):
                rejected(Rejected(sent[place], code, reason))
            yield accepted


def _send_batch(
    api: Api, batch: Sequence[Record], *, source: str, rejected: Callable[[Rejected], None]
) -> Iterator[tuple[Accepted, Sequence[Record]]]:
    """Sends a batch; when it is refused for some rows, hands those on and sends the rest."""
    while batch:
        try:
            yield post_batch(api, [record.contact for record in batch], source=source), batch
        except ApiError as error:
            faults = _rows_at_fault(error, len(batch))
            if not faults:
                raise
            if len(faults) < len(batch) and len(batch) > _SMALL_BATCH:
                for part in batches(batch, _SMALL_BATCH):
                    yield from _send_batch(api, part, source=source, rejected=rejected)
                return
            for place, (code, reason) in faults.items():
                rejected(Rejected(batch[place], code, reason))
            batch = [record for place, record in enumerate(batch) if place not in faults]
        else:
            return


def _rows_at_fault(error: ApiError, size: int) -> dict[int, tuple[str, str]]:
    """Place of each row that a refusal names, with code and reason."""
    if error.code != "validation_error":
        return {}
    faults: dict[int, tuple[str, str]] = {}
    for detail in error.details:
        named = _ROW.match(str(detail.get("pointer", "")))
        if named and int(named[1]) < size:
            faults.setdefault(int(named[1]), (str(detail.get("code", "")), str(detail.get("message", ""))))
    return faults


def post_batch(api: Api, contacts: Sequence[Contact], *, source: str) -> Accepted:
    """One request. Raises ApiError when it is refused."""
    body = orjson.dumps(list(contacts))
    key = f"{source}-{hashlib.sha256(body).hexdigest()}"
    response = api.send("POST", "/v1/contacts/import", content=body, headers={"Idempotency-Key": key})
    answer: dict[str, Any] = answer_of(response)
    return Accepted(
        job_id=answer["job_id"],
        correlation_id=answer["correlation_id"],
        total=answer["total_contacts"],
        invalid=answer["invalid_contacts"],
        replayed="idempotent-replayed" in response.headers,
    )


def _refused_rows(api: Api, accepted: Accepted) -> Iterator[tuple[int, str, str]]:
    """Place, code and reason of each row of an accepted job that was rejected."""
    token = ""
    while accepted.invalid:
        path = f"/admin/v1/jobs/{segment(accepted.job_id)}/rows"
        page = api.call("GET", path, state="rejected", page_size=1000, page_token=token)
        for row in page["rows"]:
            yield row["row_index"], row["code"], row["message"]
        token = page.get("next_page_token", "")
        if not token:
            return


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most ``size``."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
