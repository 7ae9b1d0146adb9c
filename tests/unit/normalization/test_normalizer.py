"""Large requests are worked in slices, small ones get in between."""

import asyncio

from services.normalization.domain import Email, Phone, Refusal, RefusedEmail, RefusedPhone
from services.normalization.emails import LibraryEmails
from services.normalization.handler import LARGE, SLICE, Normalizer
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones


class RecordingPhones:
    """Refuses everything and remembers in which order it was asked."""

    metadata_version = "0"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def knows(self, region: str) -> bool:
        return True

    def parse(self, text: str, default_region: str) -> Phone | RefusedPhone:
        self.asked.append(text)
        return RefusedPhone(Refusal.EMPTY)


class NoEmails:
    def check(self, text: str) -> Email | RefusedEmail:
        return RefusedEmail(Refusal.EMPTY)


async def test_a_small_request_overtakes_a_large_one() -> None:
    phones = RecordingPhones()
    normalizer = Normalizer(phones=phones, emails=NoEmails())

    await asyncio.gather(
        normalizer.phones(["large"] * 10 * LARGE, default_region="RU"),
        normalizer.phones(["small"], default_region="RU"),
    )

    assert phones.asked.index("small") == SLICE


async def test_a_request_that_is_not_large_is_done_at_a_stretch() -> None:
    phones = RecordingPhones()
    normalizer = Normalizer(phones=phones, emails=NoEmails())

    await asyncio.gather(*(normalizer.phones([name] * LARGE, default_region="RU") for name in "ab"))

    assert phones.asked == ["a"] * LARGE + ["b"] * LARGE


async def test_large_requests_take_turns() -> None:
    phones = RecordingPhones()
    normalizer = Normalizer(phones=phones, emails=NoEmails())

    await asyncio.gather(*(normalizer.phones([name] * 8 * SLICE, default_region="RU") for name in "ab"))

    assert phones.asked[::SLICE] == ["a", "b"] * 8


async def test_a_cancelled_large_request_leaves_the_turn_to_others() -> None:
    phones = RecordingPhones()
    normalizer = Normalizer(phones=phones, emails=NoEmails())
    cancelled = asyncio.create_task(normalizer.phones(["a"] * 10 * LARGE, default_region="RU"))
    await asyncio.sleep(0)

    cancelled.cancel()
    columns = await normalizer.phones(["b"] * 2 * LARGE, default_region="RU")

    assert len(columns.e164) == 2 * LARGE


async def test_results_come_in_the_order_asked() -> None:
    normalizer = Normalizer(phones=CompiledPhones(LibraryPhones()), emails=LibraryEmails())
    texts = [f"+7900{number:07}" if number % 3 else f"no {number}" for number in range(2 * LARGE + 1)]

    columns = await normalizer.phones(texts, default_region="RU")
    emails = await normalizer.emails(["A@B.com", "nobody"])

    assert columns.e164 == [text if text.startswith("+") else "" for text in texts]
    assert [bool(refusal) for refusal in columns.refusals] == [not e164 for e164 in columns.e164]
    assert (emails.addresses, list(emails.refusals)) == (["A@b.com", ""], [0, Refusal.NOT_AN_EMAIL])


async def test_columns_tell_what_each_phone_came_to() -> None:
    normalizer = Normalizer(phones=LibraryPhones(), emails=LibraryEmails())

    columns = await normalizer.phones(["+44 20 7946 0958", "89001234567", "", "+7 900 1"], default_region="RU")

    assert columns.e164 == ["+442079460958", "+79001234567", "", ""]
    assert columns.regions == ["GB", "RU", "", ""]
    assert bytes(columns.decided_by) == b"\x01\x04\x00\x01"
    assert bytes(columns.refusals) == b"\x00\x00\x01\x03"
