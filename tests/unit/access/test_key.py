import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.domain.key import (
    FAMILY,
    KEY_RANDOM_BYTES,
    NO_KEY_ID,
    SECRET_RANDOM_BYTES,
    make_hmac_secret,
    make_key,
    parse_key,
    parse_key_id,
)

RANDOM = bytes(range(KEY_RANDOM_BYTES))


@given(st.binary(min_size=KEY_RANDOM_BYTES, max_size=KEY_RANDOM_BYTES))
def test_every_key_made_is_read_back(random: bytes) -> None:
    key = make_key(random, client_id="client")

    assert parse_key(key.text) == key.key_id
    assert parse_key_id(key.key_id) == key.key_id
    assert re.fullmatch(r"cs_[a-z2-7]{12}_[A-Za-z0-9_-]{49}", key.text)


@given(st.integers(0, 64), st.characters(codec="ascii"))
def test_a_key_with_one_character_changed_is_none(position: int, character: str) -> None:
    text = make_key(RANDOM, client_id="client").text
    changed = text[:position] + character + text[position + 1 :]

    assert (parse_key(changed) is None) == (changed != text)


@given(st.binary(min_size=KEY_RANDOM_BYTES, max_size=KEY_RANDOM_BYTES), st.text(max_size=9))
def test_the_ids_of_a_clients_keys_begin_alike(random: bytes, client_id: str) -> None:
    one, other = make_key(RANDOM, client_id=client_id), make_key(random, client_id=client_id)

    assert one.key_id[:FAMILY] == other.key_id[:FAMILY]


@given(st.text(max_size=80))
def test_other_text_is_no_key(text: str) -> None:
    assert parse_key(text) is None


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} ", "{}x", "Bearer {}"])
def test_a_key_with_anything_around_it_is_none(around: str) -> None:
    assert parse_key(around.format(make_key(RANDOM, client_id="client").text)) is None


def test_no_key_has_the_id_that_stands_for_malformed_ones() -> None:
    assert parse_key_id(NO_KEY_ID) is None


def test_a_keys_text_is_not_in_its_repr() -> None:
    key = make_key(RANDOM, client_id="client")

    assert key.text not in repr(key)


@pytest.mark.parametrize("count", [0, KEY_RANDOM_BYTES - 1, KEY_RANDOM_BYTES + 1])
def test_a_key_of_other_than_its_random_bytes_is_not_made(count: int) -> None:
    with pytest.raises(ValueError, match="40 bytes"):
        make_key(bytes(count), client_id="client")


def test_an_hmac_secret_holds_all_its_random_bytes() -> None:
    assert make_hmac_secret(bytes(range(SECRET_RANDOM_BYTES))) == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    with pytest.raises(ValueError, match="32 bytes"):
        make_hmac_secret(b"")
