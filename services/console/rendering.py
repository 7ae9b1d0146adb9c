"""Templates, and what they may say."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.console import shown
from services.console.words import Speaker

_HERE = Path(__file__).parent
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Asset:
    """A file of ours that pages fetch. Its URL changes with it, so that browsers may keep it."""

    def __init__(self, path: Path) -> None:
        self.body = path.read_bytes()
        self.media_type = _MEDIA[path.suffix]
        self.url = f"/console/static/{path.name}?v={hashlib.sha256(self.body).hexdigest()[:12]}"


class Renderer:
    """Renders templates. Everything that is shown is escaped, unless a template made it."""

    def __init__(self, *, jaeger_url: str) -> None:
        self.assets = {path.name: Asset(path) for path in sorted((_HERE / "static").iterdir())}
        # Nothing is loaded again: templates change with the release.
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            asset={name: asset.url for name, asset in self.assets.items()},
            trace_url=partial(shown.trace_url, jaeger_url),
            traces_url=partial(shown.traces_url, jaeger_url),
            utc=shown.utc,
            line=shown.line,
        )

    def render(self, template: str, facts: Mapping[str, object], *, say: Speaker, now: datetime, frame: str) -> str:
        """The template inside `frame`: "base.html" for the whole page, "live.html" for the part that changes."""
        return self._templates.get_template(template).render(
            {
                **facts,
                "frame": frame,
                "say": say,
                "now": now,
                "hint": lambda at: shown.hint(say, at, now=now),
                "span": partial(shown.span, say),
                "brief": partial(shown.brief, say),
            }
        )
