"""Details from what was given, and from what was given over what is known."""

from collections.abc import Mapping

from services.directory.domain.additional_fields import unite
from services.directory.domain.contact import ContactType, Details, Email, Phone
from services.directory.domain.identity import identities_of, is_from_source, is_normalised, scopes_of
from services.directory.domain.spelling import Spelled, spelled_fields, spelled_type


def details_of(
    *,
    phone: str = "",
    phones: tuple[Phone, ...] = (),
    emails: tuple[Email, ...] = (),
    external_ids: tuple[str, ...] = (),
    first_name: str = "",
    last_name: str = "",
    company: str = "",
    type: ContactType = ContactType.NOT_GIVEN,  # noqa: A002 - the contract's name for it
    tags: tuple[str, ...] = (),
    additional_fields: str = "{}",
) -> Details:
    """Details with their identities."""
    identities = identities_of(phone, phones, emails, external_ids)
    return Details(
        phone, phones, emails, external_ids, first_name, last_name, company, type, tags, additional_fields, identities
    )  # fmt: skip


def describe(  # noqa: PLR0917 - by name they cost a seventh of reading a contact
    spelled_in: Mapping[str, object],
    phone: str,
    phones: tuple[Phone, ...],
    emails: tuple[Email, ...],
    external_id: str,
    first_name: str,
    last_name: str,
    company: str,
    type: ContactType,  # noqa: A002 - the contract's name for it
    tags: tuple[str, ...],
    additional_fields: str,
) -> Details:
    """A contact as it was given. What its own fields leave open is looked for in `spelled_in`, its additional fields.

    Without a main phone the first further one in E.164 is the main one. Of phones, e-mails and tags given twice the
    first stays.
    """
    if not phone and phones:
        phone = next((each.number for each in phones if is_normalised(each.number)), "")
    if spelled_in and not type:
        type = spelled_type(spelled_in)  # noqa: A001 - as above
    if spelled_in and (spelled := spelled_fields(spelled_in)):
        emails = (*emails, Email(spelled[Spelled.EMAIL])) if Spelled.EMAIL in spelled else emails
        first_name = first_name or spelled.get(Spelled.FIRST_NAME, "") or spelled.get(Spelled.FULL_NAME, "")
        last_name = last_name or spelled.get(Spelled.LAST_NAME, "")
        company = company or spelled.get(Spelled.COMPANY, "")
    phones, emails, tags = _each_phone_once(phones), _each_email_once(emails), _each_once(tags)
    external_ids = (external_id,) if external_id else ()
    identities = identities_of(phone, phones, emails, external_ids)
    return Details(
        phone, phones, emails, external_ids, first_name, last_name, company, type, tags, additional_fields, identities
    )  # fmt: skip


def let_go(known: Details, external_ids: tuple[str, ...]) -> Details | None:
    """What is known when the sources of these ids have it no more. None: no other source has it either."""
    gone = scopes_of(external_ids)
    if not gone:
        return None
    kept = tuple(each for each in known.external_ids if not gone.keys() & scopes_of((each,)))
    if not any(map(is_from_source, kept)):
        return None
    identities = identities_of(known.phone, known.phones, known.emails, kept)
    return known._replace(external_ids=kept, identities=identities)


def merge(known: Details, given: Details) -> Details:
    """What is known once `given` came over it; `known` itself when that changes nothing, so merging again never does.

    Given values win over known ones; absent ones keep them. Lists are united: phones, e-mails and external ids with the
    given ones first, tags with the known ones first. A main phone that gives way stays among the phones.
    """
    if given == known:
        return known
    phone = given.phone or known.phone
    merged = details_of(
        phone=phone,
        phones=_unite_phones(known, given, main=phone),
        emails=_each_email_once(given.emails + known.emails),
        external_ids=_each_once(given.external_ids + known.external_ids),
        first_name=given.first_name or known.first_name,
        last_name=given.last_name or known.last_name,
        company=given.company or known.company,
        type=given.type or known.type,
        tags=_each_once(known.tags + given.tags),
        additional_fields=unite(known.additional_fields, given.additional_fields),
    )
    return known if merged == known else merged


def _unite_phones(known: Details, given: Details, *, main: str) -> tuple[Phone, ...]:
    demoted = (Phone(known.phone),) if known.phone and known.phone != main else ()
    return _each_phone_once(given.phones + known.phones + demoted)


def _each_once(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts)) if len(texts) > 1 else texts


def _each_phone_once(phones: tuple[Phone, ...]) -> tuple[Phone, ...]:
    """The first of each number stays, with the first label that any of its kind has."""
    if len(phones) < 2:
        return phones
    labels: dict[str, str] = {}
    for phone in phones:
        labels[phone.number] = labels.get(phone.number) or phone.label
    return tuple(Phone(number, label) for number, label in labels.items())


def _each_email_once(emails: tuple[Email, ...]) -> tuple[Email, ...]:
    """The first spelling of each address stays, with the first label that any of its kind has."""
    if len(emails) < 2:
        return emails
    once: dict[str, Email] = {}
    for email in emails:
        address = email.email.casefold()
        kept = once.get(address, email)
        once[address] = kept if kept.label else Email(kept.email, email.label)
    return tuple(once.values())
