from pathlib import Path

import pytest

from libs.process import KeyFileError, read_key_file


def test_a_key_file_is_read_with_the_newline_behind_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32 + "\n")

    assert read_key_file("SETTING", tmp_path / "key", exactly=32) == b"\xab" * 32


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("ab" * 31, "holds 31 bytes"),
        ("ab" * 33, "holds 33 bytes"),
        ("zz" * 32, "hex"),
        ("é" * 64, "hex"),
        ("", "0 bytes"),
    ],
)
def test_a_key_file_of_another_form_is_refused_without_showing_it(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "key").write_text(content)

    with pytest.raises(KeyFileError, match=problem) as refused:
        read_key_file("SETTING", tmp_path / "key", exactly=32)

    assert not content or content not in str(refused.value)


def test_a_missing_key_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"SETTING names .*/key, which cannot be read .* make one: python3"):
        read_key_file("SETTING", tmp_path / "key")
