"""Who is let in, and whose forms are taken."""

import pytest

from tests.unit.console.conftest import DONE
from tests.unit.console.web import KEY, Web, field


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
