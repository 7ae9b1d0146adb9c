"""What may be set of a destination."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.delivery.domain.destination import (
    Credentials,
    Destination,
    DestinationId,
    DestinationKind,
    RetrySchedule,
    directory,
)
from services.delivery.domain.errors import InvalidDestinationError
from services.delivery.domain.settings import Changes, Resettable, RetryChange, change
from services.delivery.domain.success import ANY_2XX, SuccessRule
from services.delivery.domain.tags import EVERYONE, TagFilter
from tests.unit.delivery.world import NOW

SECRET = "a secret of my own"
WEBHOOK = Destination(
    destination_id=DestinationId("d"),
    name="hook",
    kind=DestinationKind.WEBHOOK,
    created_at=NOW,
    url="https://hook.example/",
    secrets=(SECRET, "an older one, sixteen"),
    old_secrets_until=NOW,
)
TELECRM = replace(
    WEBHOOK,
    kind=DestinationKind.TELECRM,
    secrets=(),
    old_secrets_until=None,
    credentials=Credentials(token="t"),
    enterprise_id="acme",
)


def pointers(destination: Destination, changes: Changes) -> list[str]:
    with pytest.raises(InvalidDestinationError) as caught:
        change(destination, changes)
    return [each.pointer for each in caught.value.violations]


def test_what_is_not_given_stays() -> None:
    assert change(WEBHOOK, Changes()) == WEBHOOK


def test_what_is_given_changes() -> None:
    changes = Changes(
        name="crm",
        chunk_size=5,
        retry=RetryChange(timeout=timedelta(seconds=3)),
        headers={"Authorization": "Bearer x"},
        tags=TagFilter(any_of=("vip",)),
        idempotent=False,
    )

    changed = change(WEBHOOK, changes)

    assert changed == replace(
        WEBHOOK,
        name="crm",
        chunk_size=5,
        retry=RetrySchedule(timeout=timedelta(seconds=3)),
        headers={"Authorization": "Bearer x"},
        tags=TagFilter(any_of=("vip",)),
        idempotent=False,
    )


def test_a_secret_that_is_set_signs_alone() -> None:
    changed = change(WEBHOOK, Changes(secret="another, long enough"))

    assert (changed.secrets, changed.old_secrets_until) == (("another, long enough",), None)


def test_a_longest_delay_alone_shortens_the_first_one_too() -> None:
    longest = timedelta(seconds=2)

    changed = change(WEBHOOK, Changes(retry=RetryChange(max_delay=longest)))

    assert changed.retry == RetrySchedule(first_delay=longest, max_delay=longest)


def test_settings_go_back_to_their_defaults() -> None:
    rich = replace(WEBHOOK, headers={"X": "1"}, tags=TagFilter(any_of=("a",)), success=SuccessRule(statuses=(200,)))

    plain = change(rich, Changes(reset=frozenset(Resettable)))

    assert (plain.headers, plain.tags, plain.success, plain.fields) == ({}, EVERYONE, ANY_2XX, {})


@pytest.mark.parametrize(
    ("destination", "changes", "broken"),
    [
        (WEBHOOK, Changes(url=""), ["/url"]),
        (WEBHOOK, Changes(token="t", fields={"a": "b"}), ["/token", "/fields"]),
        (WEBHOOK, Changes(headers={"Webhook-Id": "1", "content-type": "x", "HOST": "y"}),
         ["/headers/Webhook-Id", "/headers/content-type", "/headers/HOST"]),
        (WEBHOOK, Changes(headers={"X-A": "1", "x-a": "2"}), ["/headers/x-a"]),
        (WEBHOOK, Changes(secret="whsec_***"), ["/secret"]),
        (WEBHOOK, Changes(retry=RetryChange(first_delay=timedelta(days=1))), ["/retry/first_delay"]),
        (TELECRM, Changes(token="", enterprise_id=""), ["/token", "/enterprise_id"]),
        (TELECRM, Changes(secret=SECRET, success=SuccessRule(statuses=(200,))), ["/secret", "/success"]),
        (TELECRM, Changes(headers={"Authorization": "x"}), ["/headers/Authorization"]),
        (directory(now=NOW), Changes(url="https://x.example"), ["/url"]),
        (directory(now=NOW), Changes(idempotent=False), ["/idempotent"]),
    ],
)  # fmt: skip
def test_every_broken_rule_is_named(destination: Destination, changes: Changes, broken: list[str]) -> None:
    assert sorted(pointers(destination, changes)) == sorted(broken)


def test_the_contact_book_takes_settings_of_its_pace() -> None:
    changed = change(directory(now=NOW), Changes(concurrency=2, tags=TagFilter(none_of=("test",))))

    assert (changed.concurrency, changed.tags) == (2, TagFilter(none_of=("test",)))


def test_old_secrets_sign_until_their_time_is_over() -> None:
    assert WEBHOOK.signing_secrets(at=NOW - timedelta(seconds=1)) == WEBHOOK.secrets
    assert WEBHOOK.signing_secrets(at=NOW) == (SECRET,)
    assert replace(WEBHOOK, old_secrets_until=None).signing_secrets(at=NOW) == (SECRET,)


def test_no_secret_is_printed() -> None:
    printed = repr(replace(WEBHOOK, credentials=Credentials(token="tok-1", api_key="key-1"), headers={"X": "head-1"}))
    printed += repr(Changes(secret="sec-1", token="tok-1", api_key="key-1", headers={"X": "head-1"}))

    for secret in (SECRET, "sec-1", "tok-1", "key-1", "head-1"):
        assert secret not in printed
