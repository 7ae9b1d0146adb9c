"""What a field of each type may hold."""

from typing import Any

import pytest

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.values import Dropped, Unfit, read_value
from tests.unit.directory.telecrm.worlds import facts, workspace

WORKSPACE = workspace()
FACTS = facts(WORKSPACE)
GOOD: list[tuple[FieldType, Any, Any]] = [
    (FieldType.TEXT, "  Jane  Doe ", "  Jane  Doe "),
    (FieldType.TEXT, "", ""),
    (FieldType.EMAIL, " jane.doe@example.com ", "jane.doe@example.com"),
    (FieldType.EMAIL, "Jane+tag@sub.example.co.in", "Jane+tag@sub.example.co.in"),
    (FieldType.EMAIL, "иван@почта.рф", "иван@почта.рф"),
    (FieldType.PHONE, "9999999999", "919999999999"),
    (FieldType.PHONE, "+919999999999", "919999999999"),
    (FieldType.NUMBER, 156, 156),
    (FieldType.NUMBER, -1.5, -1.5),
    (FieldType.DATE, 1672561800000, 1672561800000),
    (FieldType.DATE, -1, -1),
    (FieldType.DATE, "01/01/2023", 1672531200000),
    (FieldType.DATE, "29/02/2024 10:30:00", 1709202600000),
    (FieldType.DROPDOWN, "Website", "Website"),
    (FieldType.DROPDOWN, "Nobody knew this", "Nobody knew this"),
    (FieldType.TAGS, ["VIP", "Returning", "VIP"], ["VIP", "Returning"]),
    (FieldType.TAGS, [], []),
    (FieldType.MONEY, "1000", "1000"),
    (FieldType.MONEY, "10.50", "10.50"),
    (FieldType.WEBSITE, "https://example.com/a?b=c", "https://example.com/a?b=c"),
    (FieldType.MEDIALINK, "https://cdn.example.com/file.pdf", "https://cdn.example.com/file.pdf"),
    (FieldType.ACTIVE_USERS, "Agent@Company.com", "Agent@Company.com"),
    (FieldType.RATING, 1, 1),
    (FieldType.RATING, 5, 5),
    (FieldType.STATUS, "Contacted", "Contacted"),
    (FieldType.LOST_REASON, "Too expensive", "Too expensive"),
]
BAD_VALUES: dict[FieldType, list[Any]] = {
    FieldType.TEXT: [1, 1.5, True, ["a"], {"a": 1}, "x" * 1_000_000],
    FieldType.EMAIL: ["", "jane", "jane@", "@example.com", "jane@example", "a b@example.com", "a@b@example.com",
                      "a..b@example.com", "x" * 400 + "@example.com"],
    FieldType.PHONE: ["", "99999", "call me", 919999999999, "++919999999999"],
    FieldType.NUMBER: ["156", True, float("inf"), float("nan"), [1]],
    FieldType.DATE: ["", "2026-01-01T10:30:00Z", "2026-01-01", "1/1/2023", "31/02/2023", "01/13/2023",
                     "01/01/2023 25:00:00", "01/01/2023 10:30", "tomorrow", "1672561800000", 1.5, True, 10**18,
                     -(10**18), "01/01/0001", "٠١/٠١/٢٠٢٣"],
    FieldType.DROPDOWN: ["", "  ", 1, ["Website"], "x" * 300],
    FieldType.TAGS: ["VIP, Returning", [1], [""], [["VIP"]], {"VIP": True}],
    FieldType.MONEY: [1000, 10.5, "", "ten", "1,000", "1e3", "NaN", "₹1000", True],
    FieldType.WEBSITE: ["", "example.com", "ftp://example.com", "https://", "https://x", "javascript:alert(1)",
                        "http://[::1", "http://a b.com", 5],
    FieldType.MEDIALINK: ["", "file:///etc/passwd", "cdn.example.com/file.pdf", []],
    FieldType.ACTIVE_USERS: ["", "stranger@company.com", "agent", 5],
    FieldType.RATING: [0, 6, -1, "3", 3.5, 3.0, True, [3]],
}  # fmt: skip
BAD: list[tuple[FieldType, Any]] = [(kind, value) for kind, values in BAD_VALUES.items() for value in values]


@pytest.mark.parametrize(("kind", "given", "kept"), GOOD)
def test_a_value_that_fits_its_type_is_kept(kind: FieldType, given: Any, kept: Any) -> None:
    assert read_value(given, kind, FACTS) == kept


@pytest.mark.parametrize(("kind", "given"), [*BAD, *((kind, None) for kind, _, _ in GOOD)])
def test_a_value_that_does_not_fit_is_told_without_itself(kind: FieldType, given: Any) -> None:
    found = read_value(given, kind, FACTS)

    assert isinstance(found, Unfit | Dropped)
    assert found.remark
    assert not isinstance(given, str) or len(given) < 4 or given not in found.remark


@pytest.mark.parametrize("label", ["fresh", "Old", "Nothing", 5, None, ["Fresh"], ""])
def test_a_status_that_is_not_an_active_one_is_dropped(label: Any) -> None:
    assert isinstance(read_value(label, FieldType.STATUS, FACTS), Dropped)


@pytest.mark.parametrize("label", ["too expensive", "No such reason", 5])
def test_a_lost_reason_that_is_not_an_active_one_is_dropped(label: Any) -> None:
    assert isinstance(read_value(label, FieldType.LOST_REASON, FACTS), Dropped)
