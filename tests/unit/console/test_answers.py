"""What every answer has, and what goes wrong is told."""

import asyncio

import httpx
import pytest

from tests.unit.console.conftest import HOSTILE
from tests.unit.console.web import Web


@pytest.mark.parametrize("path", ["/console", "/console/login", "/console/nothing", "/console/fails/broken"])
async def test_every_answer_is_guarded_and_kept_nowhere(web: Web, path: str) -> None:
    await web.sign_in()

    headers = (await web.browser.get(path)).headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


async def test_assets_are_kept_for_as_long_as_they_stay_the_same(web: Web) -> None:
    page = (await web.browser.get("/console/login")).text
    url = page.partition('href="/console/static/console.css')[2].partition('"')[0]

    asset = await web.browser.get(f"/console/static/console.css{url}")
    missing = await web.browser.get("/console/static/..%2Fmain.py")

    assert (asset.status_code, asset.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in asset.headers["cache-control"]
    assert missing.status_code == 404


async def test_whatever_is_shown_is_escaped(web: Web) -> None:
    await web.sign_in()

    told = await web.browser.get("/console/fault", params={"told": HOSTILE})
    searched = await web.browser.get("/console/login", params={"next": f'"/>{HOSTILE}', "word": HOSTILE})
    refused = await web.browser.get("/console/fails/refused")

    assert HOSTILE not in told.text + searched.text + refused.text
    assert "&lt;script&gt;" in told.text


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ("gone", 404, "what it was about is gone"),
        ("refused", 409, "Not now"),
        ("forbidden", 403, "Your key does not allow this."),
        ("away", 503, "does not answer now"),
        ("broken", 500, "The console made a mistake."),
    ],
)
async def test_what_goes_wrong_is_told(web: Web, how: str, status: int, told: str) -> None:
    await web.sign_in()

    answer = await web.browser.get(f"/console/fails/{how}")

    assert (answer.status_code, told in answer.text) == (status, True)
    assert "+79001234567" not in answer.text


async def test_key_that_was_revoked_ends_the_session(web: Web) -> None:
    await web.sign_in()

    answer = await web.browser.get("/console/fails/ended")
    entry = await web.browser.get(answer.headers["location"])

    assert answer.status_code == 303
    assert entry.url.path == "/console/login"
    assert "Your session has ended." in entry.text
    assert "contactsync_session" not in web.browser.cookies


async def test_language_is_the_browsers_until_one_is_chosen(web: Web) -> None:
    asked = await web.browser.get("/console/login", headers={"accept-language": "de, ru-RU;q=0.9, en;q=0.8"})
    chosen = await web.browser.get("/console/login?next=%2Fconsole%2Fx&lang=ru")
    kept = await web.browser.get("/console/login", headers={"accept-language": "en"})

    assert '<html lang="ru">' in asked.text
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/console/login?next=%2Fconsole%2Fx")
    assert '<html lang="ru">' in kept.text
    assert '<html lang="en">' in (await web.browser.get("/console/login?lang=xx", follow_redirects=True)).text


async def test_link_on_another_site_is_followed_although_it_brings_no_cookie(web: Web) -> None:
    answer = await web.browser.get("/console/fault?told=x", headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in answer.text


async def test_live_page_is_refused_without_a_session_and_ends_with_the_process(web: Web) -> None:
    stream = {"accept": "text/event-stream"}
    refused = await web.browser.get("/console", headers=stream)
    await web.sign_in()

    asking = asyncio.create_task(web.browser.get("/console", headers=stream))
    await asyncio.sleep(0)
    web.stopping.set()
    answer = await asking

    assert refused.status_code == 401
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


async def test_page_with_a_slash_behind_it_is_the_page(web: Web) -> None:
    answer: httpx.Response = await web.browser.get("/console/")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
