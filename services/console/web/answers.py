"""Answers: a page, the entry, or a fault, each in the operator's language."""

import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from libs.rpc import REASONS, PeerRefused, PeerUnavailable
from services.console.rendering import Renderer
from services.console.sessions import Session
from services.console.visit import NotThere, View
from services.console.web.asked import NotOurForm, speaker_of
from services.console.web.live import wants_live
from services.console.words import Speaker

_LOG = structlog.get_logger("services.console")

_PLAIN = {
    "FORBIDDEN": ("fault.forbidden", 403),
    "NOT_FOUND": ("fault.not_found", 404),
    "SERVICE_UNAVAILABLE": ("fault.unavailable", 503),
    "NOT_OUR_FORM": ("fault.form", 403),
}
"""What is told in our own words, by reason; every other refusal in the words of the service."""


class Answers:
    """Makes them from templates."""

    def __init__(self, renderer: Renderer, *, now: Callable[[], datetime]) -> None:
        self._renderer = renderer
        self._now = now

    def page(self, request: Request, view: View, *, session: Session | None, status: int = 200) -> Response:
        """The whole page."""
        return HTMLResponse(self.body(request, view, session=session, frame="base.html"), status)

    def body(self, request: Request, view: View, *, session: Session | None, frame: str) -> str:
        """The page inside its frame."""
        say = speaker_of(request)
        query = request.query_params
        facts = {
            "path": request.url.path,
            "query": request.url.query,
            "csrf": session.csrf if session else "",
            "is_live": view.is_live,
            "done": _done(say, query.get("done", ""), query.get("count", "")),
            **view.facts,
        }
        return self._renderer.render(view.template, facts, say=say, now=self._now(), frame=frame)

    def entry(self, request: Request, *, word: str, status: int = 200, seconds: int = 0) -> Response:
        """The sign-in page, which says this word if there is such a one."""
        say = speaker_of(request)
        told = say(word, seconds=seconds) if word.startswith("entry.") and say.knows(word) else ""
        view = View("login.html", {"told": told, "next": request.query_params.get("next", "")}, is_live=False)
        response = self.page(request, view, session=None, status=status)
        if seconds:
            response.headers["retry-after"] = str(seconds)
        return response

    def sign_in_first(self, request: Request) -> Response:
        """To the sign-in page and back; a stream of events is refused instead, since nobody would see the page.

        A link on another site brings no strict cookie: the page that answers asks once more, from here.
        """
        if request.method != "GET":
            return RedirectResponse(f"/console/login?{urlencode({'word': 'entry.ended'})}", 303)
        if wants_live(request):
            return Response(status_code=401)
        if request.headers.get("sec-fetch-site") == "cross-site":
            return self.page(request, View("again.html", {}, is_live=False), session=None)
        asked = f"{request.url.path}{'?' if request.url.query else ''}{request.url.query}"
        there = {} if asked == "/console" else {"next": asked}
        return RedirectResponse(f"/console/login?{urlencode(there)}" if there else "/console/login", 303)

    async def not_found(self, request: Request, _error: Exception) -> Response:
        """No such route."""
        return self._told(request, "fault.not_found", status=404)

    async def wrong_verb(self, request: Request, error: Exception) -> Response:
        """A route of another verb."""
        response = self._told(request, "fault.verb", status=405)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    def fault(self, request: Request, error: Exception, *, session: Session | None) -> Response:
        """What went wrong, without a word that is not for the operator."""
        match error:
            case PeerRefused(reason="UNAUTHORIZED"):
                return RedirectResponse(f"/console/login?{urlencode({'word': 'entry.ended'})}", 303)
            case PeerRefused() if error.reason not in _PLAIN:
                return self._refused(request, error, session=session)
            case PeerRefused() | PeerUnavailable() | NotThere() | NotOurForm():
                word, status = _PLAIN[error.reason]
                return self._told(request, word, status=status, session=session)
            case _:
                path, where = request.scope["route"].path, traceback.extract_tb(error.__traceback__)[-1]
                line = f"{Path(where.filename).name}:{where.lineno}"
                _LOG.error("page_failed", path=path, error_type=type(error).__qualname__, line=line)
                correlation_id = request.headers.get("x-correlation-id", "")
                return self._told(request, "fault.broken", status=500, session=session, id=correlation_id)

    def _refused(self, request: Request, refused: PeerRefused, *, session: Session | None) -> Response:
        wire = REASONS.get(refused.reason)
        status = wire.http_status if wire else 500
        violations = [(each.pointer, each.message) for each in refused.violations]
        told = speaker_of(request)("fault.refused", message=refused.message)
        return self.page(
            request,
            View("fault.html", {"told": told, "violations": violations}, is_live=False),
            session=session,
            status=status,
        )

    def _told(
        self, request: Request, word: str, *, status: int, session: Session | None = None, **places: object
    ) -> Response:
        told = speaker_of(request)(word, **places)
        view = View("fault.html", {"told": told, "violations": []}, is_live=False)
        return self.page(request, view, session=session, status=status)


def _done(say: Speaker, word: str, count: str) -> str:
    """What the last act did, as its page's URL says; only words that are meant for it."""
    if not word.startswith("done.") or not say.knows(word):
        return ""
    return say.count(word, int(count)) if count.isdecimal() and len(count) < 10 else say(word)
