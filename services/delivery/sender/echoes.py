"""What of a contact is remembered as written."""

from collections.abc import Callable

from services.delivery.domain.echo import Written, folded
from services.delivery.sender.contacts import Contact
from services.delivery.sender.spelling import Known

_REMEMBERED = {
    "phone": Known.PHONE,
    "email": Known.EMAIL,
    "first_name": Known.FIRST_NAME,
    "last_name": Known.LAST_NAME,
    "company": Known.COMPANY,
}


def written(remote_id: str, contact: Contact, *, takes: Callable[[Known], bool]) -> Written:
    """Return the record as it was written. `takes`: whether the system has a place for the field."""
    values = {name: folded(name, contact.text(what)) for name, what in _REMEMBERED.items() if takes(what)}
    return Written(remote_id=remote_id, values={name: value for name, value in values.items() if value})
