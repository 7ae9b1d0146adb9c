import orjson
import pytest

from libs.telemetry import Email, Masked, Phone, mask_text


def test_a_phone_shows_its_ends_only() -> None:
    phone = Phone("+79001234567")

    assert str(phone) == f"{phone}" == "+7900***4567"
    assert repr(phone) == "Phone(+7900***4567)"
    assert phone.reveal() == "+79001234567"


def test_a_short_phone_shows_nothing() -> None:
    assert str(Phone("+4412345")) == "***"


def test_an_email_shows_two_letters() -> None:
    assert str(Email("john@doe.example")) == "j***@d***"


def test_what_is_no_email_shows_nothing() -> None:
    assert str(Email("john")) == "***"


def test_json_never_holds_the_text() -> None:
    with pytest.raises(TypeError):
        orjson.dumps(Phone("+79001234567"))

    assert orjson.dumps(Phone("+79001234567"), default=str) == b'"+7900***4567"'


def test_equal_texts_of_one_kind_are_equal() -> None:
    assert Phone("+79001234567") == Phone("+79001234567")
    assert Email("a@b.example") != Masked("a@b.example")
    assert len({Phone("1"), Phone("1"), Phone("2")}) == 2


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("int('+79001234567x')", "int('+7900***4567x')"),
        ("call 8 (900) 123-45-67 now", "call 8900***4567 now"),
        ("phone=79001234567", "phone=7900***4567"),
        ("tel:+1-415-555-2671", "tel:+1415***2671"),
        ("from john@doe.example: no", "from j***@d***: no"),
        ("nats://user:pass@127.0.0.1:4222", "nats://***@127.0.0.1:4222"),
        ("postgresql://u:p%40@host/db", "postgresql://***@host/db"),
        ("+7 (900) 123\u201145\u201167", "+7900***4567"),
        ("8\u00a0900\u00a0123\u00a045\u00a067", "8900***4567"),
        ("+7_900_123_45_67", "+7900***4567"),
        (
            "\uff0b\uff17\uff19\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
            "\uff17\uff19\uff10\uff10***\uff14\uff15\uff16\uff17",
        ),
        ("http://crm.example/find?phone=%2B79001234567", "http://crm.example/find?phone=+7900***4567"),
        ("/find?phone=%2B7%20%28900%29%20123-45-67&x=1", "/find?phone=+7900***4567&x=1"),
        ("/find?email=john%2Bcrm%40doe.example", "/find?email=j***@d***"),
        ('"john doe"@doe.example', '"***@d***'),
        ("john\uff20doe.example", "j***@d***"),
        ("key cs_rruxnz2j3urh_4Zk9-x8Yw7v6u5t4s3r2q1 is", "key cs_*** is"),
        ("{'Authorization': 'Bearer eyJhbGciOi.J9-x_y'}", "{'Authorization': 'Bearer ***'}"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/=", "whsec_***"),
    ],
)
def test_contact_data_in_a_text_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "12345678-1234-4123-8123-123456789012.17",
        "2026-11-22 02:19:00.123456+00:00",
        "192.168.100.100:5432",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "1795315148053420",
        "127.0.0.1:21001 after 1234 ms",
        "$JS.ACK.DELIVERY.delivery.1.1.1.1795315148053420172.0",
    ],
)
def test_ids_times_and_addresses_stay(text: str) -> None:
    assert mask_text(text) == text
