"""Generates what is made of the contracts and committed: ``python -m libs.contracts.generate``.

Messages by protoc, typed stubs by mypy-protobuf, the gateway's descriptor set, and the OpenAPI description of its REST
routes with the page for people. The one place that knows how;
``tests/architecture`` runs it into a temporary folder and compares.
"""

import os
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
THIRD_PARTY = ROOT / "libs" / "contracts" / "third_party"
GENERATED = ROOT / "libs" / "contracts"
DESCRIPTOR_SET = ROOT / "gateway" / "contracts.binpb"
OPENAPI = ROOT / "gateway" / "openapi"


def generate_code(into: Path) -> None:
    """Writes the packages ``contactsync`` and ``buf`` under ``into``."""
    _run_protoc(
        [f"--{kind}={into}" for kind in ("python_out", "mypy_out", "grpc_python_out")]
        + [f"--mypy_grpc_out=only_async:{into}", *_ours()]
    )
    _run_protoc([f"--{kind}={into}" for kind in ("python_out", "mypy_out")] + ["buf/validate/validate.proto"])
    for package in ("contactsync", "buf"):
        _mark_packages(into / package)


def generate_descriptor_set(into: Path) -> None:
    """Writes all files of the contracts, imports included, as one ``google.protobuf.FileDescriptorSet``."""
    _run_protoc(["--include_imports", f"--descriptor_set_out={into}", *_ours()])


def generate_openapi(into: Path) -> None:
    """Writes a file per API and ``docs.html``. Reads the generated code of the contracts, so that comes first."""
    from libs.openapi import apis, document, page  # noqa: PLC0415 - they import what generate_code writes

    with tempfile.TemporaryDirectory() as folder:
        commented = Path(folder) / "commented.binpb"
        _run_protoc(["--include_imports", "--include_source_info", f"--descriptor_set_out={commented}", *_ours()])
        files = document.read_files(commented)
    described = {api.name: document.document(files, api) for api in apis.APIS}
    for name, each in described.items():
        (into / f"{name}.yaml").write_text(document.as_yaml(each))
    (into / "docs.html").write_text(page.as_html(described))


def _ours() -> list[str]:
    return sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))


def _run_protoc(arguments: list[str]) -> None:
    plugins = Path(sys.executable).parent
    os.environ["PATH"] = f"{plugins}{os.pathsep}{os.environ['PATH']}"
    well_known = Path(protoc.__file__).parent / "_proto"
    command = ["protoc", f"-I{PROTO}", f"-I{THIRD_PARTY}", f"-I{well_known}", *arguments]
    if protoc.main(command) != 0:
        raise SystemExit("protoc refused the contracts; its words are above")


def _mark_packages(root: Path) -> None:
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        if folder.name != "__pycache__":
            (folder / "__init__.py").touch()


if __name__ == "__main__":
    generate_code(GENERATED)
    generate_descriptor_set(DESCRIPTOR_SET)
    generate_openapi(OPENAPI)
