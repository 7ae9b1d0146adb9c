"""The console's pages under /console, each behind a session."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from libs.process.settings import Network
from libs.rpc import PeerRefused, serve_item
from services.console.peers import Operator, Services, serving
from services.console.rendering import Renderer
from services.console.sessions import Session, Sessions
from services.console.visit import Act, GoTo, Show, View, Visit
from services.console.web.answers import Answers
from services.console.web.asked import NotOurForm, address_of, call_of, read_form, speaker_of
from services.console.web.cookies import Cookies
from services.console.web.entry import Entry
from services.console.web.guard import Guarded
from services.console.web.live import Live, wants_live

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
_LOGIN = "/console/login"
_YEAR_SECONDS = 365 * 86_400


class Site:
    """Everything under /console."""

    def __init__(
        self,
        pages: Sequence[Show | Act],
        *,
        services: Services,
        sessions: Sessions,
        entry: Entry,
        renderer: Renderer,
        gateways: Sequence[Network],
        now: Callable[[], datetime],
        stopping: asyncio.Event,
    ) -> None:
        """`gateways` are the networks whose word for a browser's address is believed. `stopping` ends live pages."""
        self._pages = pages
        self._services = services
        self._sessions = sessions
        self._entry = entry
        self._renderer = renderer
        self._gateways = gateways
        self._now = now
        self._answers = Answers(renderer, now=now)
        self._cookies = Cookies(sessions)
        self._live = Live(stopping=stopping)

    def application(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route("/console/healthz", self._tell_health),
            Route("/console/static/{name}", self._give_asset),
            Route("/console/", _go_home),
            Route("/console/login", self._spoken(self._show_entry)),
            Route("/console/login", self._spoken(self._sign_in), methods=["POST"]),
            Route("/console/logout", self._spoken(self._sign_out), methods=["POST"]),
            *(self._route(page) for page in self._pages),
        ]
        app = Starlette(routes=routes, exception_handlers={404: self._answers.not_found, 405: self._answers.wrong_verb})
        app.router.redirect_slashes = (
            False  # it would name a scheme and a host, which a proxy in front may have changed
        )
        return Guarded(app)

    def _route(self, page: Show | Act) -> Route:
        path = f"/console{page.path}"
        match page:
            case Show():
                return Route(path, self._spoken(self._showing(page)))
            case Act():
                return Route(path, self._spoken(self._acting(page)), methods=["POST"])

    async def _tell_health(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _give_asset(self, request: Request) -> Response:
        asset = self._renderer.assets.get(request.path_params["name"])
        if asset is None:
            return PlainTextResponse("no such file", 404)
        kept = {"cache-control": f"public, max-age={_YEAR_SECONDS}, immutable"}
        return Response(asset.body, media_type=asset.media_type, headers=kept)

    def _spoken(self, endpoint: Endpoint) -> Endpoint:
        """?lang=… chooses a language for good and goes on without it; whatever goes wrong is told in it."""

        async def speak(request: Request) -> Response:
            if request.method == "GET" and "lang" in request.query_params:
                return self._cookies.choose_language(request)
            try:
                return await endpoint(request)
            except Exception as error:  # noqa: BLE001 - this is the last door
                return self._tell(request, error)

        return speak

    def _tell(self, request: Request, error: Exception) -> Response:
        """What went wrong. A key that opens nothing any more takes its session along."""
        session = self._session(request)
        response = self._answers.fault(request, error, session=session)
        if session and isinstance(error, PeerRefused) and error.reason == "UNAUTHORIZED":
            self._sessions.end(session)
            return self._cookies.forget(response)
        return response

    async def _show_entry(self, request: Request) -> Response:
        if self._session(request):
            return RedirectResponse(_own_path(request.query_params.get("next", "")), 303)
        return self._answers.entry(request, word=request.query_params.get("word", ""))

    async def _sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        operator = self._operator(request, form.get("key", "").strip())
        if refused := await self._entry.judge(operator):
            return self._answers.entry(request, word=refused.word, status=refused.status, seconds=refused.seconds)
        response = RedirectResponse(_own_path(form.get("next", "")), 303)
        return self._cookies.write(request, response, self._sessions.begin(operator.key))

    async def _sign_out(self, request: Request) -> Response:
        session = self._session(request)
        if session:
            await self._own_form(request, session)
            self._sessions.end(session)
        return self._cookies.forget(RedirectResponse(f"{_LOGIN}?word=entry.left", 303))

    def _showing(self, page: Show) -> Endpoint:
        async def show(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                return self._answers.sign_in_first(request)

            async def look(*, traced: bool) -> View:
                with serving(self._operator(request, session.key)), _call(request, traced=traced):
                    return await page.showing(self._visit(request, {}))

            if wants_live(request):
                return self._live.stream(
                    look,
                    render=lambda view: self._answers.body(request, view, session=session, frame="live.html"),
                    is_live=lambda: self._sessions.is_live(session),
                )
            response = self._answers.page(request, await look(traced=True), session=session)
            return self._cookies.renew(request, response, session)

        return show

    def _acting(self, page: Act) -> Endpoint:
        async def act(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                return self._answers.sign_in_first(request)
            form = await self._own_form(request, session)
            with serving(self._operator(request, session.key)), _call(request, traced=True):
                came = await page.acting(self._visit(request, form))
            response: Response
            match came:
                case GoTo():
                    response = RedirectResponse(came.url, 303)
                case View():
                    response = self._answers.page(request, came, session=session)
            return self._cookies.renew(request, response, session)

        return act

    def _session(self, request: Request) -> Session | None:
        return self._cookies.read(request)

    async def _own_form(self, request: Request, session: Session) -> dict[str, str]:
        form = dict(await read_form(request))
        if not session.allows(form.pop("csrf", "")):
            raise NotOurForm
        return form

    def _operator(self, request: Request, key: str) -> Operator:
        return Operator(key, address_of(request, self._gateways))

    def _visit(self, request: Request, form: dict[str, str]) -> Visit:
        return Visit(
            services=self._services,
            say=speaker_of(request),
            now=self._now(),
            path=request.path_params,
            query=dict(request.query_params),
            form=form,
        )


async def _go_home(_request: Request) -> Response:
    return RedirectResponse("/console", 303)


def _call(request: Request, *, traced: bool) -> serve_item:
    return serve_item(call_of(request, traced=traced), f"console {request.method} {request.scope['route'].path}")


def _own_path(path: str) -> str:
    """A page of the console to go to after signing in; whatever else is asked for, the overview."""
    return path if path.startswith("/console/") and "//" not in path and "\\" not in path else "/console"
