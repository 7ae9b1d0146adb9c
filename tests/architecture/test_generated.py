"""What is generated and committed is what its source makes today."""

from pathlib import Path

from libs.cli.containers.files import container_files
from libs.cli.containers.kubernetes import manifests
from libs.cli.gateway import COMMITTED
from libs.contracts.generate import (
    DESCRIPTOR_SET,
    GENERATED,
    OPENAPI,
    generate_code,
    generate_descriptor_set,
    generate_openapi,
)
from libs.openapi.document import read_files, undescribed


def _texts(root: Path, *packages: str) -> dict[str, str]:
    files = (path for package in packages for path in (root / package).rglob("*.py*") if path.suffix != ".pyc")
    return {str(path.relative_to(root)): path.read_text() for path in files}


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    generate_code(tmp_path)

    assert _texts(GENERATED, "contactsync", "buf") == _texts(tmp_path, "contactsync", "buf")


def test_descriptor_set_is_fresh(tmp_path: Path) -> None:
    generate_descriptor_set(tmp_path / "contracts.binpb")

    assert (tmp_path / "contracts.binpb").read_bytes() == DESCRIPTOR_SET.read_bytes()


def test_openapi_description_and_its_page_are_fresh(tmp_path: Path) -> None:
    generate_openapi(tmp_path)

    for made in tmp_path.iterdir():
        assert made.read_text() == (OPENAPI / made.name).read_text()
    assert {file.name for file in OPENAPI.iterdir()} == {file.name for file in tmp_path.iterdir()}


def test_every_route_with_raw_bodies_is_described() -> None:
    assert undescribed(read_files(DESCRIPTOR_SET)) == []


def test_configuration_and_manifests_of_containers_are_fresh() -> None:
    made = container_files() | manifests()

    assert {name: (COMMITTED / name).read_text() for name in made} == made
    assert {f"deploy/{file.name}" for file in (COMMITTED / "deploy").glob("*.yaml")} <= set(made)
