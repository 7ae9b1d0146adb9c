"""By what a contact is found: its phones, then its e-mails, then its external ids, in that order."""

from itertools import chain

from services.directory.domain.contact import Email, Identity, Phone

_PHONE, _EMAIL, _EXTERNAL_ID = "phone:", "email:", "id:"


def phone_identity(number: str) -> Identity:
    """The number is in E.164."""
    return Identity(_PHONE + number)


def email_identity(address: str) -> Identity:
    """Whatever the case of the address."""
    return Identity(_EMAIL + address.casefold())


def external_identity(external_id: str) -> Identity:
    """The id as the other system writes it."""
    return Identity(_EXTERNAL_ID + external_id)


def is_email(identity: Identity) -> bool:
    """An e-mail may be shared by people, which a phone is not taken to be."""
    return identity.startswith(_EMAIL)


def is_normalised(number: str) -> bool:
    """Only an E.164 number identifies; whatever else stands in a phone's place is kept as it came."""
    return number[:1] == "+"


def identities_of(
    phone: str, phones: tuple[Phone, ...], emails: tuple[Email, ...], external_ids: tuple[str, ...]
) -> tuple[Identity, ...]:
    """In the order of look-up, each once: main phone, further phones, e-mails, external ids."""
    main = (phone_identity(phone),) if is_normalised(phone) else ()
    if not (phones or emails or external_ids):
        return main
    further = (phone_identity(each.number) for each in phones if is_normalised(each.number))
    addresses = (email_identity(each.email) for each in emails)
    foreign = (external_identity(each) for each in external_ids)
    return tuple(dict.fromkeys(chain(main, further, addresses, foreign)))
