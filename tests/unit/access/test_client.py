from dataclasses import replace
from datetime import timedelta

import pytest

from services.access.domain.client import (
    MOST_REMEMBERED,
    Client,
    make_client_id,
    parse_client_id,
    parse_name,
    revoke,
    rotate,
    update,
)
from services.access.domain.client_settings import ClientSettings
from services.access.domain.errors import InvalidClientError, KeyNotFoundError, TwoKeysLiveError
from services.access.domain.key import KeyId
from tests.unit.access.worlds import HOUR, KEY_IDS, NOW, a_client, a_key

DAY = timedelta(days=1)


def rotated(client: Client, key_id: KeyId, *, overlap: timedelta = DAY, after: timedelta = HOUR) -> Client:
    return rotate(client, key=a_key(key_id, created_at=NOW + after), overlap=overlap, now=NOW + after)


def seal(key_id: KeyId) -> bytes:
    return b"sealed for " + key_id.encode()


def test_rotation_lets_the_old_key_end_after_the_overlap() -> None:
    client = rotated(a_client(), KEY_IDS[1])

    old, new = client.keys
    assert old.expires_at == NOW + HOUR + DAY
    assert new.expires_at is None
    assert old.is_live(NOW + DAY)
    assert not old.is_live(NOW + HOUR + DAY)


def test_rotation_without_overlap_ends_the_old_key_at_once() -> None:
    client = rotated(a_client(), KEY_IDS[1], overlap=timedelta(0))

    assert [key.key_id for key in client.live_keys(NOW + HOUR)] == [KEY_IDS[1]]


def test_rotation_does_not_prolong_a_key_that_ends_sooner() -> None:
    client = rotated(a_client(a_key(expires_at=NOW + 2 * HOUR)), KEY_IDS[1])

    assert client.keys[0].expires_at == NOW + 2 * HOUR


def test_a_third_live_key_is_refused_until_the_oldest_ends() -> None:
    client = rotated(a_client(), KEY_IDS[1])

    with pytest.raises(TwoKeysLiveError) as refused:
        rotated(client, KEY_IDS[2], after=2 * HOUR)
    later = rotated(client, KEY_IDS[2], after=HOUR + DAY)

    assert refused.value.older_ends_at == NOW + HOUR + DAY
    assert [key.key_id for key in later.live_keys(NOW + HOUR + DAY)] == KEY_IDS[1:3]


def test_a_client_without_a_live_key_gets_one_by_rotation() -> None:
    client = rotated(revoke(a_client(), key_id=None, now=NOW), KEY_IDS[1])

    assert [key.key_id for key in client.live_keys(NOW + HOUR)] == [KEY_IDS[1]]


def test_revoking_one_key_leaves_the_other() -> None:
    client = revoke(rotated(a_client(), KEY_IDS[1]), key_id=KEY_IDS[0], now=NOW + 2 * HOUR)

    assert [key.key_id for key in client.live_keys(NOW + 2 * HOUR)] == [KEY_IDS[1]]


def test_revoking_all_ends_every_key() -> None:
    client = revoke(rotated(a_client(), KEY_IDS[1]), key_id=None, now=NOW + 2 * HOUR)

    assert client.live_keys(NOW + 2 * HOUR) == ()


def test_revoking_again_changes_nothing() -> None:
    once = revoke(a_client(), key_id=KEY_IDS[0], now=NOW)

    assert revoke(once, key_id=KEY_IDS[0], now=NOW + HOUR) == once


def test_revoking_a_key_of_nobody_is_refused() -> None:
    with pytest.raises(KeyNotFoundError):
        revoke(a_client(), key_id=KEY_IDS[5], now=NOW)


def test_an_ended_key_loses_its_secret_and_is_listed_for_30_days() -> None:
    client = a_client(replace(a_key(), sealed_secret=b"sealed"))

    ended = revoke(client, key_id=None, now=NOW)
    next_month = rotated(ended, KEY_IDS[1], after=timedelta(days=30))

    assert ended.keys[0].sealed_secret is None
    assert [key.key_id for key in next_month.keys] == [KEY_IDS[1]]


def test_ended_keys_do_not_pile_up() -> None:
    client = a_client()
    for number in range(1, len(KEY_IDS)):
        client = rotated(client, KEY_IDS[number], overlap=timedelta(0), after=number * HOUR)

    assert [key.key_id for key in client.keys] == KEY_IDS[-MOST_REMEMBERED - 1 :]


def test_turning_signing_on_seals_a_secret_to_each_live_key() -> None:
    client = rotated(a_client(a_key(expires_at=NOW)), KEY_IDS[1])

    signing = update(client, settings=ClientSettings(hmac=True), enabled=None, seal=seal, now=NOW + HOUR)

    assert [key.sealed_secret for key in signing.keys] == [None, seal(KEY_IDS[1])]


def test_settings_that_leave_signing_on_keep_its_secret() -> None:
    client = a_client(replace(a_key(), sealed_secret=b"first"), settings=ClientSettings(hmac=True))

    changed = update(client, settings=ClientSettings(hmac=True, rate=3.0), enabled=None, seal=seal, now=NOW)

    assert (changed.keys[0].sealed_secret, changed.settings.rate) == (b"first", 3.0)


def test_turning_signing_off_forgets_the_secrets() -> None:
    client = a_client(replace(a_key(), sealed_secret=b"first"), settings=ClientSettings(hmac=True))

    assert update(client, settings=ClientSettings(), enabled=None, seal=seal, now=NOW).keys[0].sealed_secret is None


def test_an_update_of_the_state_leaves_the_settings() -> None:
    client = a_client(settings=ClientSettings(rate=7.0))

    assert update(client, settings=None, enabled=False, seal=seal, now=NOW) == replace(client, enabled=False)


def test_ids_made_are_ids_read() -> None:
    client_id = make_client_id(bytes(range(10)))

    assert parse_client_id(client_id) == client_id
    with pytest.raises(ValueError, match="10 bytes"):
        make_client_id(b"")


@pytest.mark.parametrize("text", ["", "A", "a b", "a\x00", "ключ", "a" * 65, "a\n"])
def test_text_that_no_client_has_as_id_is_none(text: str) -> None:
    assert parse_client_id(text) is None


def test_a_name_is_trimmed() -> None:
    assert parse_name("  Отдел продаж ") == "Отдел продаж"


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\nb", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(InvalidClientError) as refused:
        parse_name(name)

    assert refused.value.violations[0].pointer == "/name"


def test_nothing_secret_is_in_a_clients_repr() -> None:
    client = a_client(replace(a_key(), digest=b"the digest", sealed_secret=b"the secret"))

    assert "the digest" not in repr(client)
    assert "the secret" not in repr(client)
