"""What a field of each type shows of a value, through whatever entrance it came."""

from typing import Any

import pytest

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.showing import shown_value


@pytest.mark.parametrize(
    ("type_", "kept", "shown"),
    [
        (FieldType.TEXT, 5, "5"),
        (FieldType.TEXT, True, "true"),
        (FieldType.TEXT, " as it is ", " as it is "),
        (FieldType.PHONE, "+919999999999", "919999999999"),
        (FieldType.NUMBER, "41", 41),
        (FieldType.NUMBER, " -1.5 ", -1.5),
        (FieldType.NUMBER, 7, 7),
        (FieldType.RATING, "4", 4),
        (FieldType.RATING, 4.0, 4),
        (FieldType.DATE, 1577836800000, 1577836800000),
        (FieldType.DATE, "1577836800000", 1577836800000),
        (FieldType.DATE, 1577836800000.0, 1577836800000),
        (FieldType.DATE, "2020-01-01", 1577836800000),
        (FieldType.DATE, "2020-01-01T05:30:00+05:30", 1577836800000),
        (FieldType.DATE, "01/01/2020", 1577836800000),
        (FieldType.MONEY, 1200, "1200"),
        (FieldType.MONEY, 10.5, "10.5"),
        (FieldType.MONEY, 10.0, "10"),
        (FieldType.MONEY, "10.50", "10.50"),
        (FieldType.DROPDOWN, 7, "7"),
        (FieldType.TAGS, "VIP", ["VIP"]),
        (FieldType.TAGS, ["VIP", 7], ["VIP", "7"]),
    ],
)
def test_what_reads_as_a_value_of_the_type_is_shown_as_one(type_: FieldType, kept: Any, shown: Any) -> None:
    told = shown_value(kept, type_)

    assert told == shown
    assert type(told) is type(shown)


@pytest.mark.parametrize(
    ("type_", "kept"),
    [
        (FieldType.TEXT, {"a": 1}),
        (FieldType.TEXT, ["a"]),
        (FieldType.PHONE, 919999999999),
        (FieldType.NUMBER, "many"),
        (FieldType.NUMBER, True),
        (FieldType.RATING, 6),
        (FieldType.RATING, "high"),
        (FieldType.RATING, 2.5),
        (FieldType.DATE, "soon"),
        (FieldType.DATE, "2020-13-01"),
        (FieldType.DATE, "9999-12-31T23:59:59-14:00"),
        (FieldType.DATE, 1.5),
        (FieldType.MONEY, "a lot"),
        (FieldType.MONEY, None),
        (FieldType.TAGS, [{}]),
    ],
)
def test_what_does_not_is_not_shown(type_: FieldType, kept: Any) -> None:
    assert shown_value(kept, type_) is None
