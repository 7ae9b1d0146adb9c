"""What merging keeps, and that merging again changes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.contact import ContactType, Details, Email, Phone
from services.directory.domain.details import describe, details_of, merge
from services.directory.domain.identity import identities_of
from tests.fixtures.book import person

_TEXTS = st.sampled_from(["", "a", "б", "Ц", "x y"])
_NUMBERS = st.sampled_from(["+79001234567", "+79001234568", "+14155550100", "112"])
_ADDRESSES = st.sampled_from(["a@example.com", "A@example.com", "b@example.com"])
_FIELDS = st.sampled_from(["{}", '{"a":1}', '{ "a" : 2 }', '{"b":[1, 2],"a":1}', '{"\\u0431":null}', '{"б":"ё\\"}"}'])


@st.composite
def details(draw: st.DrawFn) -> Details:
    return describe(
        draw(st.dictionaries(st.sampled_from(["email", "firstName", "name", "company"]), _TEXTS | _ADDRESSES)),
        draw(st.just("") | _NUMBERS),
        tuple(draw(st.lists(st.builds(Phone, _NUMBERS, _TEXTS), max_size=4))),
        tuple(draw(st.lists(st.builds(Email, _ADDRESSES, _TEXTS), max_size=4))),
        draw(_TEXTS),
        draw(_TEXTS),
        draw(_TEXTS),
        draw(_TEXTS),
        draw(st.sampled_from(ContactType)),
        tuple(draw(st.lists(_TEXTS, max_size=4))),
        draw(_FIELDS),
    )


@given(details(), details())
def test_merging_the_same_again_changes_nothing(known: Details, new: Details) -> None:
    once = merge(known, new)

    assert merge(once, new) is once


@given(details())
def test_a_contact_merged_with_itself_is_itself(known: Details) -> None:
    assert merge(known, known) is known


@given(details(), details())
def test_merging_loses_no_identity_and_no_tag(known: Details, new: Details) -> None:
    merged = merge(known, new)

    assert set(known.identities) | set(new.identities) == set(merged.identities)
    assert set(known.tags) | set(new.tags) == set(merged.tags)
    assert merged.identities == identities_of(merged.phone, merged.phones, merged.emails, merged.external_ids)


@given(details(), details())
def test_given_values_win_and_absent_ones_keep_what_is_known(known: Details, new: Details) -> None:
    merged = merge(known, new)

    for name in ("phone", "first_name", "last_name", "company", "type"):
        assert getattr(merged, name) == (getattr(new, name) or getattr(known, name))
    assert merged.phones[: len(new.phones)] == tuple(
        Phone(each.number, each.label or _label_of(known, each.number)) for each in new.phones
    )


def _label_of(known: Details, number: str) -> str:
    return next((each.label for each in known.phones if each.number == number), "")


def test_tags_are_united_in_the_order_they_came() -> None:
    merged = merge(person(tags=("b", "a")), person(tags=("c", "a")))

    assert merged.tags == ("b", "a", "c")


def test_a_main_phone_that_gives_way_stays_among_the_phones_with_its_label() -> None:
    known = details_of(phone="+1", phones=(Phone("+1", "home"), Phone("+2", "work")))

    merged = merge(known, details_of(phone="+2"))

    assert merged.phone == "+2"
    assert merged.phones == (Phone("+1", "home"), Phone("+2", "work"))


def test_labels_given_win_and_known_ones_stay_where_none_is_given() -> None:
    known = details_of(phones=(Phone("+1", "home"), Phone("+2", "work")), emails=(Email("a@b.c", "private"),))

    merged = merge(known, details_of(phones=(Phone("+2"), Phone("+1", "fax")), emails=(Email("A@b.c"),)))

    assert merged.phones == (Phone("+2", "work"), Phone("+1", "fax"))
    assert merged.emails == (Email("A@b.c", "private"),)


def test_a_contact_never_prints_what_it_knows() -> None:
    known = person(first_name="Иван", phones=(Phone("+79001234567"),))

    assert "Иван" not in repr(known)
    assert "7900" not in repr(known) + repr(known.phones) + str(known)
