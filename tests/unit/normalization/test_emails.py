import random
import sys
from subprocess import run

import email_validator
import pytest

from services.normalization.domain import Email, Refusal, RefusedEmail
from services.normalization.emails import LibraryEmails

PARTS = (
    *("a", "B", "Info", "ivan", "POSTMASTER", "-", ".", "+", "_", "!#$%&'*/=?^`{|}~", " ", "@", '"', "ü", "1"),
    *(".com", ".RU", ".a", ".1", "example", "localhost", ".local", ".invalid", ".test", "[1.2.3.4]"),
    *("xn--80a1acny.xn--p1ai", "почта.рф", "ab--c", "s" * 63, "s" * 64, "s" * 65),
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ivan.Petrov@Example.COM", "Ivan.Petrov@example.com"),
        (" ivan@example.com\n", "ivan@example.com"),
        ("ivan+crm@example.com", "ivan+crm@example.com"),
        ("Иван@Почта.РФ", "Иван@почта.рф"),
        ("ivan@xn--80a1acny.xn--p1ai", "ivan@почта.рф"),
        ("Info@Example.com", "info@example.com"),
        ("ivan@example.test", "ivan@example.test"),
    ],
)
def test_only_the_domain_is_folded(text: str, address: str) -> None:
    assert LibraryEmails().check(text) == Email(address)


@pytest.mark.parametrize(
    "text",
    [
        "ivan",
        "ivan@",
        "@example.com",
        "ivan@example",
        "ivan@example.com, petr@example.com",
        "Ivan <ivan@example.com>",
        '"ivan petrov"@example.com',
        "ivan@[127.0.0.1]",
        "ivan..petrov@example.com",
        "ivan@localhost",
        "ivan\x00@example.com",
        "write to ivan@example.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert LibraryEmails().check(text) == RefusedEmail(Refusal.NOT_AN_EMAIL)


def test_nothing_is_empty_and_much_is_too_long() -> None:
    emails = LibraryEmails()

    assert emails.check(" \t") == RefusedEmail(Refusal.EMPTY)
    assert emails.check("a" * 309 + "@example.com") == RefusedEmail(Refusal.TOO_LONG)


@pytest.mark.parametrize("seed", range(4))
def test_plain_addresses_come_out_as_the_library_has_them(seed: int) -> None:
    chance = random.Random(seed)
    emails = LibraryEmails()

    for _ in range(5000):
        text = "".join(chance.choices(PARTS, k=chance.randint(1, 3))) + "@" + "".join(chance.choices(PARTS, k=2))

        assert emails.check(text) == asked(text), text


def asked(text: str) -> Email | RefusedEmail:
    try:
        found = email_validator.validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError:
        return RefusedEmail(Refusal.NOT_AN_EMAIL)
    return Email(found.normalized)


def test_the_library_is_not_imported_before_the_first_address() -> None:
    program = "import sys, services.normalization.emails; sys.exit('email_validator' in sys.modules)"

    assert run([sys.executable, "-c", program], check=False).returncode == 0
