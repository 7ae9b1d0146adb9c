"""The two cookies: the session and the language."""

from typing import TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.sessions import WHOLE, Session, Sessions
from services.console.web.asked import LANGUAGE_COOKIE, is_secure

_SESSION_COOKIE = "contactsync_session"
_PATH = "/console"
_YEAR_SECONDS = 365 * 86_400
AnyResponse = TypeVar("AnyResponse", bound=Response)


class Cookies:
    """Reads them from requests and writes them into answers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def read(self, request: Request) -> Session | None:
        """The session that is alive. None: the browser shows none."""
        cookie = request.cookies.get(_SESSION_COOKIE)
        return self._sessions.read(cookie) if cookie else None

    def write(self, request: Request, response: AnyResponse, session: Session) -> AnyResponse:
        """Gives the browser the session."""
        response.set_cookie(
            _SESSION_COOKIE,
            self._sessions.write(session),
            max_age=round(WHOLE.total_seconds()),
            path=_PATH,
            secure=is_secure(request),
            httponly=True,
            samesite="strict",
        )
        return response

    def renew(self, request: Request, response: AnyResponse, session: Session) -> AnyResponse:
        """Lets the session live on, since its operator did something."""
        renewed = self._sessions.renewed(session)
        return self.write(request, response, renewed) if renewed else response

    def forget(self, response: AnyResponse) -> AnyResponse:
        """Takes the session from the browser."""
        response.delete_cookie(_SESSION_COOKIE, path=_PATH, httponly=True, samesite="strict")
        return response

    def choose_language(self, request: Request) -> Response:
        """Keeps ?lang=… and goes to the same page without it."""
        url = request.url.remove_query_params("lang")
        response = RedirectResponse(f"{url.path}{'?' if url.query else ''}{url.query}", 303)
        response.set_cookie(
            LANGUAGE_COOKIE,
            request.query_params["lang"][:2],
            max_age=_YEAR_SECONDS,
            path=_PATH,
            secure=is_secure(request),
            samesite="lax",
        )
        return response
