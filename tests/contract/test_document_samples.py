"""The samples of import-api.txt, word for word, changed in base URL, key and secret only."""

import ast
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.partner import Partner, create_client

SAMPLES = Path(__file__).parent / "samples"
BASE_URL = "https://import-api.liddex.ru"
JOB_ID = re.compile(r"Job ID: ([0-9a-f-]{36})\n")

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH")


@pytest.fixture
def signer(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    """A client that signs."""
    with create_client(hub, admin, rate=1000, hmac=True) as partner:
        yield partner


def changed(name: str, changes: dict[str, str]) -> str:
    """The sample after the changes, each of which must have something to change."""
    text = (SAMPLES / f"{name}.txt").read_text()
    for word, instead in changes.items():
        assert word in text
        text = text.replace(word, instead)
    return text


def run(command: list[str], text: str, folder: Path) -> str:
    """What the program says to a script on its standard input."""
    shim = folder / "uuidgen"
    shim.write_text("#!/bin/sh\ncat /proc/sys/kernel/random/uuid\n")
    shim.chmod(0o755)
    environment = {
        "PATH": f"{os.environ['PATH']}:{folder}",
        "NODE_PATH": str(SAMPLES / "shims"),
        "NO_PROXY": "127.0.0.1",
    }
    finished = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def assert_accepted(answer: dict[str, Any], partner: Partner) -> None:
    assert answer["idempotency_status"] == "created"
    assert answer["valid_contacts"] == 1
    assert partner.finished(answer["job_id"])["sent_contacts"] == 1


@needs_curl
@pytest.mark.parametrize(
    ("name", "key"), [("idempotency.sh", "YOUR_API_KEY"), ("import.sh", "your-api-key-here")], ids=["short", "whole"]
)
def test_curl_sample_imports(hub: Hub, partner: Partner, tmp_path: Path, name: str, key: str) -> None:
    script = changed(name, {BASE_URL: hub.url, key: partner.api_key})

    answer = json.loads(run(["bash"], script, tmp_path))

    assert_accepted(answer, partner)


async def test_python_sample_imports(
    hub: Hub, partner: Partner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    script = changed("import.py", {BASE_URL: hub.url, "your-api-key-here": partner.api_key})

    await eval(compile(script, "import.py", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})

    told = JOB_ID.fullmatch(capsys.readouterr().out)
    assert told
    assert partner.finished(told[1])["sent_contacts"] == 1


@needs_node
def test_javascript_sample_imports(hub: Hub, partner: Partner, tmp_path: Path) -> None:
    script = changed("import.js", {BASE_URL: hub.url, "your-api-key-here": partner.api_key})

    told = JOB_ID.fullmatch(run(["node", "-"], script, tmp_path))

    assert told
    assert partner.finished(told[1])["sent_contacts"] == 1


def test_python_signature_opens(signer: Partner) -> None:
    made: dict[str, Any] = {}

    exec(compile(changed("signature.py", {"your-secret": signer.hmac_secret}), "signature.py", "exec"), made)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", made["timestamp"])
    answer = signer.http.post(
        "/v1/contacts/import", content=made["body"], headers=import_headers(signer) | made["headers"]
    )
    assert answer.status_code == 202, answer.text


@needs_node
def test_javascript_signature_opens(signer: Partner, tmp_path: Path) -> None:
    script = changed("signature.js", {"your-secret": signer.hmac_secret})

    told = json.loads(
        run(["node", "-"], f"{script}\nconsole.log(JSON.stringify([timestamp, body, signature]));", tmp_path)
    )

    timestamp, body, signature = told
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    headers = import_headers(signer) | {"X-Timestamp": timestamp, "X-Signature": signature}
    answer = signer.http.post("/v1/contacts/import", content=body.encode(), headers=headers)
    assert answer.status_code == 202, answer.text


def import_headers(partner: Partner) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {partner.api_key}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
