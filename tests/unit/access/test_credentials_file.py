import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.access.credentials_file import CredentialsFileError, JsonCredentialsFile
from services.access.domain.credentials import Credentials
from services.access.domain.key import KEY_RANDOM_BYTES, make_key

FIRST, SECOND = (
    Credentials(
        admin=make_key(bytes([n]) * KEY_RANDOM_BYTES, client_id="client"),
        client=make_key(bytes([n + 1]) * KEY_RANDOM_BYTES, client_id="client"),
    )
    for n in (1, 3)
)


def test_a_new_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"

    kept = JsonCredentialsFile(path).keep(FIRST)

    assert kept == FIRST
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {
        "admin": {"client_id": "admin", "api_key": FIRST.admin.text},
        "client": {"client_id": "default", "api_key": FIRST.client.text},
    }
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    file = JsonCredentialsFile(tmp_path / "credentials.json")
    file.keep(FIRST)

    assert file.keep(SECOND) == FIRST


def test_of_many_that_keep_at_once_all_give_what_one_kept(tmp_path: Path) -> None:
    file = JsonCredentialsFile(tmp_path / "credentials.json")
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(file.keep, [FIRST, SECOND] * 8))

    assert set(map(repr, kept)) == {repr(kept[0])}
    assert [each.admin.text for each in kept] == [file.keep(FIRST).admin.text] * 16


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '"x"',
        "\udcff",
        '{"admin": {"client_id": "admin", "api_key": "x"}}',
        '{"admin": 1, "client": 2}',
    ],
)
def test_a_file_that_is_something_else_is_refused_and_left(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_bytes(content.encode(errors="surrogateescape"))

    with pytest.raises(CredentialsFileError, match="Move it away"):
        JsonCredentialsFile(path).keep(FIRST)

    assert path.read_bytes() == content.encode(errors="surrogateescape")


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialsFileError, match="cannot be written"):
        JsonCredentialsFile(tmp_path / "missing" / "credentials.json").keep(FIRST)


def test_a_file_that_opens_nothing_is_forgotten(tmp_path: Path) -> None:
    file = JsonCredentialsFile(tmp_path / "credentials.json")
    file.keep(FIRST)

    file.forget()
    file.forget()

    assert list(tmp_path.iterdir()) == []
