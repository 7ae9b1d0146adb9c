"""An optional package stays out of what is imported without it, and can be imported afterwards."""

import sys
from pathlib import Path

import pytest

from libs.lean import without


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lean_option.py").write_text("")
    library = "try:\n    import lean_option\nexcept ImportError:\n    lean_option = None\n"
    (tmp_path / "lean_library.py").write_text(library)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("lean_option", "lean_library"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("packages")
def test_hidden_package_is_not_found_inside_and_found_afterwards() -> None:
    with without("lean_option"):
        import lean_library  # type: ignore[import-not-found]  # noqa: PLC0415 - made by the fixture
    import lean_option  # type: ignore[import-not-found]  # noqa: PLC0415 - as above

    assert lean_library.lean_option is None
    assert lean_option is sys.modules["lean_option"]


@pytest.mark.usefixtures("packages")
def test_package_that_is_imported_already_stays_to_be_seen() -> None:
    import lean_option  # noqa: PLC0415 - made by the fixture

    with without("lean_option"):
        import lean_library  # noqa: PLC0415 - as above

    assert lean_library.lean_option is lean_option
