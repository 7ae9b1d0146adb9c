"""Rows of a job as the import API shows them."""

from collections.abc import Sequence
from typing import Any

import orjson
from msgspec import Raw

from services.ingestion.domain.errors import TooLarge
from services.ingestion.domain.job import RejectedRow
from services.ingestion.domain.row_view import RowView
from services.ingestion.domain.rows import decision_name
from services.ingestion.domain.status import destination_counts
from services.ingestion.handler.following import RowPage
from services.ingestion.wire.contacts_json import encode
from services.ingestion.wire.pages import row_token

_LARGEST_ANSWER = 8 << 20


def rows_page(page: RowPage) -> bytes:
    """A page of rows, with the counts of all rows of the job."""
    counted = destination_counts(page.record)
    return encode(
        {
            "job_id": page.record.job.job_id,
            "total_contacts": page.record.job.total,
            "states": {
                destination: {state.name.lower(): count for state, count in counts.items()}
                for destination, counts in counted.items()
            },
            "rows": [_row(row) for row in page.rows],
            "next_cursor": row_token(page.rows[-1].row_index) if page.more else None,
        }
    )


def _row(row: RowView) -> dict[str, Any]:
    worst = row.worst
    return {
        "row_index": row.row_index,
        "state": worst.state.name.lower(),
        "reason": row.message or worst.reason or None,
        "code": row.code or None,
        "pointer": row.pointer or None,
        "original_phone": row.original_phone,
        "normalized_phone": row.normalized_phone or None,
        "region": row.region or None,
        "decided_by": decision_name(row.decided_by) or None,
        "metadata_version": row.metadata_version,
        "duplicate_of": row.duplicate_of,
        "unknown_keys": list(orjson.loads(row.unknown)) if row.unknown else [],
        "remarks": row.remarks,
        "submitted": Raw(row.submitted) if row.submitted else None,
        "destinations": [
            {
                "destination_id": each.destination_id,
                "state": each.state.name.lower(),
                "reason": each.reason or None,
            }
            for each in row.destinations
            if each.destination_id
        ],
    }


def rejected_rows(rows: Sequence[RejectedRow]) -> bytes:
    """The rows as they were submitted, in one array. Raises TooLarge."""
    body = b"[" + b",".join(row.submitted for row in rows) + b"]"
    if len(body) > _LARGEST_ANSWER:
        message = "The array would have over 8 MiB; read the rows by pages, with state=rejected"
        raise TooLarge(message=message, fields={"limit": str(_LARGEST_ANSWER)})
    return body
