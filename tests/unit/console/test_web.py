"""Who is let in, what every answer has, and whose forms are taken."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest

from libs.rpc import PeerRefused, PeerUnavailable
from services.console.visit import Act, GoTo, NotThere, Show, View, Visit
from tests.unit.console.web import KEY, Web, field

HOSTILE = "<script>alert(1)</script>"
FAULTS = {
    "gone": NotThere(),
    "refused": PeerRefused("STATE_CONFLICT", f"Not now {HOSTILE}"),
    "forbidden": PeerRefused("FORBIDDEN", "no"),
    "ended": PeerRefused("UNAUTHORIZED", "no"),
    "away": PeerUnavailable("x/Y", grpc.StatusCode.UNAVAILABLE),
    "broken": ValueError("+79001234567"),
}
DONE: list[str] = []


async def show_told(visit: Visit) -> View:
    return View("fault.html", {"told": visit.query.get("told", ""), "violations": []})


async def fail(visit: Visit) -> View:
    raise FAULTS[visit.path["how"]]


async def mend(visit: Visit) -> GoTo:
    DONE.append(visit.form["what"])
    return GoTo("/fault", done="done.rows_retried", count=3)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    DONE.clear()
    made = Web([Show("", show_told), Show("/fault", show_told), Show("/fails/{how}", fail), Act("/mend", mend)])
    yield made
    await made.browser.aclose()


async def test_every_page_wants_a_session_and_comes_back_after_it(web: Web) -> None:
    refused = await web.browser.get("/console/fault?told=x")
    entry = await web.browser.get(refused.headers["location"])
    entered = await web.post("/console/login", key=KEY, next=field(entry, "next"))

    assert (refused.status_code, refused.headers["location"]) == (
        303,
        "/console/login?next=%2Fconsole%2Ffault%3Ftold%3Dx",
    )
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/fault?told=x")
    assert (await web.browser.get("/console/fault?told=x")).status_code == 200


@pytest.mark.parametrize(
    "where", ["https://evil.example", "//evil.example", "/console//evil", "/console/\\evil", "/v1"]
)
async def test_signing_in_leads_nowhere_else(web: Web, where: str) -> None:
    entered = await web.post("/console/login", key=KEY, next=where)

    assert entered.headers["location"] == "/console"


async def test_wrong_key_is_told_and_gives_no_session(web: Web) -> None:
    refused = await web.post("/console/login", key="cs_wrong")

    assert refused.status_code == 401
    assert "This key opens nothing here." in refused.text
    assert "set-cookie" not in refused.headers
    assert "cs_wrong" not in refused.text


async def test_session_cookie_is_for_the_console_alone_and_holds_nothing_readable(web: Web) -> None:
    plain, secure = await web.sign_in(), await web.sign_in(**{"x-forwarded-proto": "https"})

    cookie = plain.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/console"} <= set(cookie.split("; "))
    assert "secure" not in cookie
    assert "secure" in secure.headers["set-cookie"].lower().split("; ")
    assert KEY not in plain.headers["set-cookie"]


async def test_address_is_the_gateways_word(web: Web) -> None:
    await web.sign_in(**{"x-contactsync-client": "203.0.113.9"})
    await web.sign_in(**{"x-contactsync-client": "nonsense"})

    assert [operator.address for operator in web.entry.asked] == ["203.0.113.9", ""]


async def test_session_ends_when_nothing_is_done_and_lives_on_otherwise(web: Web) -> None:
    await web.sign_in()
    for _ in range(4):
        web.later(minutes=50)
        assert (await web.browser.get("/console")).status_code == 200
    web.later(minutes=61)

    assert (await web.browser.get("/console")).status_code == 303


async def test_session_ends_for_good_after_half_a_day(web: Web) -> None:
    await web.sign_in()
    for _ in range(18):
        web.later(minutes=39)
        assert (await web.browser.get("/console")).status_code == 200
    web.later(minutes=39)

    assert (await web.browser.get("/console")).status_code == 303


async def test_cookie_of_a_session_that_was_left_opens_nothing(web: Web) -> None:
    await web.sign_in()
    stolen = web.browser.cookies["contactsync_session"]

    left = await web.post("/console/logout", csrf=await web.csrf())

    again = await web.browser.get("/console", headers={"cookie": f"contactsync_session={stolen}"})
    assert (left.status_code, again.status_code) == (303, 303)
    assert "contactsync_session" not in web.browser.cookies


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "é", "A" * 5000])
async def test_cookie_that_was_not_made_here_opens_nothing(web: Web, cookie: str) -> None:
    answer = await web.browser.get("/console", headers={b"cookie": f"contactsync_session={cookie}".encode()})

    assert answer.status_code == 303


async def test_form_of_the_session_is_taken_and_what_it_did_is_told(web: Web) -> None:
    await web.sign_in()

    sent = await web.post("/console/mend", what="it", csrf=await web.csrf())

    assert (sent.status_code, sent.headers["location"]) == (303, "/console/fault?done=done.rows_retried&count=3")
    assert DONE == ["it"]
    assert "3 rows are tried again." in (await web.browser.get(sent.headers["location"])).text


@pytest.mark.parametrize("csrf", ["", "another"])
async def test_form_without_the_sessions_token_is_refused(web: Web, csrf: str) -> None:
    await web.sign_in()

    refused = await web.post("/console/mend", what="it", csrf=csrf)
    left = await web.post("/console/logout", csrf=csrf)

    assert (refused.status_code, left.status_code, DONE) == (403, 403, [])
    assert (await web.browser.get("/console")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/console/mend", "/console/login"])
async def test_form_that_another_site_sends_is_refused_even_with_the_token(
    web: Web, path: str, headers: dict[str, str]
) -> None:
    await web.sign_in()
    form = {"csrf": await web.csrf(), "what": "it", "key": KEY}

    refused = await web.browser.post(path, data=form, headers=headers)

    assert (refused.status_code, DONE) == (403, [])


async def test_form_of_a_browser_on_our_own_page_is_taken(web: Web) -> None:
    await web.sign_in()
    own = {"origin": "http://hub.example", "sec-fetch-site": "same-origin"}

    sent = await web.browser.post("/console/mend", data={"csrf": await web.csrf(), "what": "it"}, headers=own)

    assert (sent.status_code, DONE) == (303, ["it"])


async def test_body_that_no_form_of_ours_has_is_refused(web: Web) -> None:
    await web.sign_in()
    csrf = await web.csrf()

    bodies = [
        await web.browser.post("/console/mend", json={"csrf": csrf, "what": "it"}),
        await web.post("/console/mend", csrf=csrf, what="x" * 70_000),
        await web.browser.get("/console/mend"),
    ]

    assert [each.status_code for each in bodies] == [403, 403, 405]
    assert DONE == []


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
