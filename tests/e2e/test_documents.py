"""The documents that the gateway serves, and the verbs that they say each path takes."""

import re

import httpx
import pytest

from gateway.documents import FOLDER
from libs.cli.stack.hub import Hub
from tests.fixtures.shapes import APIS, described

HTML = "text/html; charset=utf-8"
DOCUMENTS = {"/docs": "docs.html", **{f"/openapi/{api}.yaml": f"{api}.yaml" for api in APIS}}
PATHS = [
    *((api, path, tuple(verbs)) for api in APIS for path, verbs in described(api)["paths"].items()),
    *(("import", path, ("get", "head")) for path in DOCUMENTS),
]


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST", "GET"])
@pytest.mark.parametrize(("api", "path", "described_verbs"), PATHS)
def test_other_verbs_are_405_with_the_described_ones_in_allow(
    hub: Hub, api: str, path: str, described_verbs: tuple[str, ...], verb: str
) -> None:
    verbs = sorted(each.upper() for each in described_verbs)
    if verb in verbs:
        return

    refused = httpx.request(verb, hub.url + path.replace("{", "").replace("}", ""), trust_env=False)

    assert refused.status_code == 405
    assert refused.headers["allow"].split(", ") == verbs
    told = refused.json()["error"]
    word = told["code"].lower() if api == "sync" else told.split(";")[0].lower().replace(" ", "_")
    assert word == "method_not_allowed"


@pytest.mark.parametrize(("path", "file"), DOCUMENTS.items())
def test_documents_are_served_as_they_are(hub: Hub, path: str, file: str) -> None:
    got, head = (httpx.request(verb, f"{hub.url}{path}?page=1", trust_env=False) for verb in ("GET", "HEAD"))

    assert got.status_code == head.status_code == 200
    assert (
        got.headers["content-type"] == head.headers["content-type"] == (HTML if path == "/docs" else "application/yaml")
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.content == (FOLDER / file).read_bytes()
    assert head.content == b""


def test_page_fetches_nothing_and_runs_nothing() -> None:
    page = (FOLDER / "docs.html").read_text()

    assert "<script" not in page
    assert " src=" not in page
    assert "url(" not in page
    links = set(re.findall(r'href="([^"]*)"', page))
    assert {link for link in links if not link.startswith("#")} == {f"/openapi/{api}.yaml" for api in APIS}
    anchors = re.findall(r' id="([^"]*)"', page)
    assert len(set(anchors)) == len(anchors)
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
