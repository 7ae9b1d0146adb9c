"""Parameters of the contact source."""

from datetime import UTC, datetime

import pytest

from services.directory.domain.contact_source.asking import Paging, Unfit, read_paging, read_since


@pytest.mark.parametrize(
    ("limit", "page", "paging"),
    [
        (None, None, Paging(100, 1)),
        ("1", "1", Paging(1, 1)),
        ("1000", "999999999", Paging(1000, 999_999_999)),
        ("0010", "01", Paging(10, 1)),
    ],
)
def test_pages_that_may_be_asked_for(limit: str | None, page: str | None, paging: Paging) -> None:
    assert read_paging(limit, page) == paging


BAD = ["", "0", "-1", "1.5", "abc", "1e2", " 1", "+1", "١", "1001000000000", "9" * 30, "0x10", "null", "1,2"]


@pytest.mark.parametrize("text", [*BAD, "1001"])
def test_limits_that_may_not(text: str) -> None:
    assert read_paging(text, "1") == Unfit("limit must be a whole number from 1 to 1000")


@pytest.mark.parametrize("text", BAD)
def test_pages_that_may_not(text: str) -> None:
    assert read_paging("1", text) == Unfit("page must be a whole number from 1 to 1000000000")


@pytest.mark.parametrize(
    ("text", "since"),
    [("0", datetime(1970, 1, 1, tzinfo=UTC)), ("1744797148", datetime(2025, 4, 16, 9, 52, 28, tzinfo=UTC))],
)
def test_timestamps_are_whole_seconds(text: str, since: datetime) -> None:
    assert read_since(text) == since


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "abc", "1744797148000", "9" * 30, "2025-04-16"])
def test_other_timestamps_are_refused(text: str | None) -> None:
    assert isinstance(read_since(text), Unfit)
