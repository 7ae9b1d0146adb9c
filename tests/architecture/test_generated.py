"""What is generated and committed is what its source makes today."""

from pathlib import Path

import pytest

from libs.cli.gateway import COMMITTED, container_files
from libs.contracts.generate import DESCRIPTOR_SET, GENERATED, generate_code, generate_descriptor_set


def _texts(root: Path, *packages: str) -> dict[str, str]:
    files = (path for package in packages for path in (root / package).rglob("*.py*") if path.suffix != ".pyc")
    return {str(path.relative_to(root)): path.read_text() for path in files}


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    generate_code(tmp_path)

    assert _texts(GENERATED, "contactsync", "buf") == _texts(tmp_path, "contactsync", "buf")


def test_descriptor_set_is_fresh(tmp_path: Path) -> None:
    generate_descriptor_set(tmp_path / "contracts.binpb")

    assert (tmp_path / "contracts.binpb").read_bytes() == DESCRIPTOR_SET.read_bytes()


@pytest.mark.parametrize("name", ["envoy.yaml", "nats.conf"])
def test_container_configuration_is_fresh(name: str) -> None:
    assert (COMMITTED / name).read_text() == container_files()[name]
