"""Which rows are delivered, with which identity."""

from services.ingestion.domain.client import Duplicates
from services.ingestion.domain.judging import Judged, judge
from services.ingestion.domain.rows import Columns, Further, Rejection, decision_name, rejection, texts
from services.ingestion.peers.memory import MemoryNormalizer

GOOD, ALSO_GOOD, BAD = "89000000001", "89000000002", "nonsense"


async def judged(*rows: tuple[str, Further], duplicates: Duplicates = Duplicates.KEEP_ALL) -> Judged:
    columns = Columns(
        phones=[phone for phone, _ in rows],
        further={index: further for index, (_, further) in enumerate(rows) if further != Further()},
        phone_required=False,
    )
    normalized = await MemoryNormalizer().normalize(texts(columns), default_region="RU")
    return judge(columns, normalized, duplicates=duplicates)


async def test_any_identity_will_do_for_a_typed_row() -> None:
    found = await judged(
        (GOOD, Further()),
        ("", Further(phones=(BAD, ALSO_GOOD))),
        (BAD, Further(emails=("a@b.com",))),
        ("", Further(external_id="17")),
        (BAD, Further(phones=(BAD,), emails=("nobody",))),
        ("", Further()),
    )

    assert list(found.kept) == [0, 1, 2, 3]
    assert list(found.phones) == ["+79000000001", "+79000000002", "", "", "", ""]
    assert list(found.regions) == ["RU", "RU", "", "", "", ""]
    assert {row: (each.path, each.code) for row, each in found.rejected.items()} == {
        4: ("/phone", "not_a_number"),
        5: ("", "no_identity"),
    }


async def test_what_cannot_be_normalised_is_delivered_as_it_came_with_a_remark() -> None:
    found = await judged((BAD, Further(phones=(GOOD, BAD), emails=("x", "a@b.com"), external_id="1")))

    assert found.further[0] == Further(("+79000000001", BAD), ("x", "a@b.com"), "1")
    assert found.remarks == {
        0: ("/phone: not_a_number", "/phones/1: not_a_number", "/emails/0: not_an_email"),
    }


async def test_an_identity_is_the_phone_or_else_the_email_or_else_the_external_id() -> None:
    found = await judged(
        (GOOD, Further(emails=("a@b.com",), external_id="1")),
        ("+79000000001", Further()),
        ("", Further(emails=("a@b.com",), external_id="2")),
        ("", Further(emails=("a@b.com",))),
        ("", Further(external_id="1")),
        ("", Further(external_id="1")),
    )

    assert found.duplicate_of == {1: 0, 3: 2, 5: 4}
    assert list(found.kept) == [0, 1, 2, 3, 4, 5]


async def test_of_rows_with_one_identity_the_last_is_kept_where_asked_for() -> None:
    found = await judged(
        (GOOD, Further()), (BAD, Further()), (GOOD, Further()), (GOOD, Further()), duplicates=Duplicates.KEEP_LAST
    )

    assert list(found.kept) == [3]
    assert {row: each.code for row, each in found.rejected.items()} == {
        0: "superseded",
        1: "not_a_number",
        2: "superseded",
    }
    assert found.duplicate_of == {2: 0, 3: 0}


def test_a_refusal_that_only_a_newer_normalization_knows_rejects_the_row_in_general_words() -> None:
    assert rejection("/phone", 99) == Rejection("/phone", "invalid", "Invalid phone number")
    assert rejection("/emails/0", 99) == Rejection("/emails/0", "invalid", "Invalid e-mail address")


def test_a_decision_that_only_a_newer_normalization_knows_is_left_out() -> None:
    assert [decision_name(number) for number in (0, 1, 99)] == ["", "plus", ""]
