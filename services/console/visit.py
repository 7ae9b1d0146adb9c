"""What a page is: a function from a visit to what is shown, or to where one goes on."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlencode

from services.console.peers import Services
from services.console.words import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of an operator whose session is alive. Every call of `services` is made with the operator's key."""

    services: Services
    say: Speaker
    now: datetime
    path: Mapping[str, str] = field(default_factory=dict)
    """What the place holds of the route's path: {"job_id": …}."""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    """What an act was sent with; of a name given twice, the last. Its token has been checked."""


@dataclass(frozen=True, slots=True)
class View:
    """A page to show: a template and what it says. `is_live`: it is shown anew when it has changed."""

    template: str
    facts: Mapping[str, object]
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class GoTo:
    """A page to go to after an act. `done` is the word that says there what was done; `count` goes into it."""

    path: str
    done: str = ""
    count: int | None = None

    @property
    def url(self) -> str:
        """With what was done."""
        told = {"done": self.done} if self.done else {}
        if self.count is not None:
            told["count"] = str(self.count)
        return f"/console{self.path}{'?' if told else ''}{urlencode(told)}"


Showing: TypeAlias = Callable[[Visit], Awaitable[View]]
Acting: TypeAlias = Callable[[Visit], Awaitable[GoTo | View]]


@dataclass(frozen=True, slots=True)
class Show:
    """A page: GET of /console and this path. It changes nothing."""

    path: str
    showing: Showing


@dataclass(frozen=True, slots=True)
class Act:
    """A form's target: POST to /console and this path. A View shows what may be seen once only, as a new secret."""

    path: str
    acting: Acting


class NotThere(Exception):
    """The page is about something that there is not."""

    reason = "NOT_FOUND"
