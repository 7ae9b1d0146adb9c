"""What of a contact is remembered as written."""

from collections.abc import Callable
from typing import Any

from services.delivery.domain.echo import Written, folded
from services.delivery.sender.spelling import Known

_REMEMBERED = {
    "phone": Known.PHONE,
    "email": Known.EMAIL,
    "first_name": Known.FIRST_NAME,
    "last_name": Known.LAST_NAME,
    "company": Known.COMPANY,
}


def written(remote_id: str, *, value_of: Callable[[Known], Any]) -> Written:
    """Return the record as it was written. `value_of` gives what its field got; no text: nothing."""
    values = {name: value_of(what) for name, what in _REMEMBERED.items()}
    texts = {name: folded(name, value) for name, value in values.items() if isinstance(value, str)}
    return Written(remote_id=remote_id, values={name: value for name, value in texts.items() if value})
