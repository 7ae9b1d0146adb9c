"""The description as one page for people: no script, nothing fetched, light and dark."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

Described = dict[str, Any]

_TITLE = "The APIs of contactsync"
_STYLE = (Path(__file__).parent / "page.css").read_text()


def as_html(apis: Mapping[str, Described]) -> str:
    """The page of all APIs, by the names of their files. The anchors of each begin with its name."""
    contents = "".join(_anchored(name, _contents(described)) for name, described in apis.items())
    parts = [
        _head(_TITLE),
        '<body><a class="skip" href="#content">Skip to the content</a>',
        f"<header><h1>{_TITLE}</h1></header>",
        f'<nav aria-label="Contents">{contents}</nav><main id="content">',
        *(_anchored(name, "\n".join(_api(name, described))) for name, described in apis.items()),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _api(name: str, described: Described) -> Iterator[str]:
    info = described["info"]
    yield f'<section id="about"><h2>{escape(info["title"])} <small>{escape(info["version"])}</small></h2>'
    yield _paragraphs(info["description"])
    yield f'<p>For programs: <a href="/openapi/{name}.yaml">the same as OpenAPI 3.1</a>.</p></section>'
    for verb, path, told in _operations(described):
        yield _operation(verb, path, told, described)
    yield '<h3 id="errors">Errors</h3>'
    for error, told in described["components"]["responses"].items():
        yield _response(error, told, f"error-{error}")
    yield '<h3 id="shapes">Shapes</h3>'
    for shape, schema in described["components"]["schemas"].items():
        yield _shape(shape, schema)


def _anchored(name: str, part: str) -> str:
    """The part with its anchors apart from those of another API."""
    return re.sub(r'( id="|href="#)', rf"\g<1>{name}-", part)


def _head(title: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
    )


def _operations(described: Described) -> Iterator[tuple[str, str, Described]]:
    for path, verbs in described["paths"].items():
        for verb, told in verbs.items():
            yield verb.upper(), path, told


def _contents(described: Described) -> str:
    routes = (
        f'<li><a href="#{told["operationId"]}">{escape(told["summary"])}</a></li>'
        for _, _, told in _operations(described)
    )
    last = '<li><a href="#errors">Errors</a></li><li><a href="#shapes">Shapes</a></li>'
    title = escape(described["info"]["title"])
    return f'<ul><li><a href="#about">{title}</a></li>{"".join(routes)}{last}</ul>'


def _operation(verb: str, path: str, told: Described, described: Described) -> str:
    parts = [
        f'<section id="{told["operationId"]}"><h3>{escape(told["summary"])}</h3>',
        f'<p class="route"><b>{verb}</b> <code>{escape(path)}</code></p>',
        _paragraphs(told["description"]),
        f"<p>{_needs(told, described)}</p>",
        _fields("Parameters", told["parameters"]),
    ]
    if "requestBody" in told:
        parts.append("<h4>Body</h4>" + _content(told["requestBody"]["content"]))
    parts.append("<h4>Answers</h4>")
    for status, answer in told["responses"].items():
        parts.append(_answer(status, answer, described))
    return "\n".join(parts) + "</section>"


def _needs(told: Described, described: Described) -> str:
    needed = {name: scopes for each in told["security"] for name, scopes in each.items()}
    if not needed:
        return "Needs no key."
    if "bearer" in needed:
        scopes = [scope for each in told["security"] for scope in each["bearer"]]
        return f"Needs a key with the scope {' or '.join(scopes)}."
    schemes = described["components"]["securitySchemes"]
    return escape(" ".join(f"Needs this: {schemes[name]['description']}" for name in needed))


def _answer(status: str, answer: Described, described: Described) -> str:
    if "$ref" not in answer:
        return _response(status, answer, "")
    name = answer["$ref"].rsplit("/", 1)[1]
    text = described["components"]["responses"][name]["description"]
    return f'<p><b>{status}</b> <a href="#error-{name}">{escape(name)}</a>: {escape(text)}</p>'


def _response(name: str, told: Described, anchor: str) -> str:
    headers = [{"name": header, "in": "header", **field} for header, field in told.get("headers", {}).items()]
    return (
        f"<details{_anchor(anchor)}><summary><b>{escape(name)}</b> {escape(told['description'])}</summary>"
        f"{_content(told['content'])}{_fields('Headers', headers)}</details>"
    )


def _content(content: Described) -> str:
    parts = []
    for media, told in content.items():
        parts.append(f"<p>{escape(media)}: {_type(told['schema'])}</p>")
        examples = {name: each["value"] for name, each in told.get("examples", {}).items()}
        examples |= {"example": told["example"]} if "example" in told else {}
        for name, value in examples.items():
            text = escape(json.dumps(value, ensure_ascii=False, indent=2))
            parts.append(f'<figure><figcaption>{escape(name)}</figcaption><pre tabindex="0">{text}</pre></figure>')
    return "".join(parts)


def _fields(title: str, fields: Iterable[Described]) -> str:
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(field['name'])}</code><br><small>{field['in']}"
        f"{'' if field['required'] else ', may be left out'}</small></th>"
        f"<td>{_type(field['schema'])}</td><td>{_paragraphs(field['description'])}</td></tr>"
        for field in fields
    )
    return _table(title, rows) if rows else ""


def _shape(name: str, schema: Described) -> str:
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(key)}</code>"
        f"{'' if key in schema['required'] else '<br><small>may be left out</small>'}</th>"
        f"<td>{_type(field)}</td><td>{_paragraphs(field.get('description', ''))}</td></tr>"
        for key, field in schema["properties"].items()
    )
    text = _paragraphs(schema["description"])
    return f'<section id="shape-{name}"><h4>{escape(name)}</h4>{text}{_table(name, rows)}</section>'


def _table(title: str, rows: str) -> str:
    head = "<tr><th scope='col'>Name</th><th scope='col'>Type</th><th scope='col'>Meaning</th></tr>"
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(title)}"><table>'
        f"<caption>{escape(title)}</caption><thead>{head}</thead><tbody>{rows}</tbody></table></div>"
    )


def _type(schema: Described) -> str:
    """A schema in a few words, with links to the shapes."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#shape-{name}">{escape(name)}</a>'
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "data" in schema.get("properties", {}):
        carried = schema["properties"]["data"]["contentSchema"]
        return f"events named {schema['properties']['event']['const']}, with data of {_type(carried)}"
    if "items" in schema:
        return f"array of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])} by name"
    return escape(_scalar(schema))


def _scalar(schema: Described) -> str:
    if "const" in schema:
        return f"always {json.dumps(schema['const'], ensure_ascii=False)}"
    kinds = schema.get("type", "anything")
    words = [" or ".join([kinds] if isinstance(kinds, str) else kinds)]
    words += [schema["format"]] if schema.get("format") not in {None, "int32"} else []
    words += [", ".join(str(each) or '""' for each in schema["enum"] if each is not None)] if "enum" in schema else []
    words += [f"{name} {schema[key]}" for key, name in _LIMITS.items() if key in schema]
    return "; ".join(words)


_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "shortest",
    "maxLength": "longest",
    "maxItems": "at most",
    "pattern": "pattern",
}


def _paragraphs(text: str) -> str:
    """Paragraphs, lists of lines that begin with a dash, and code between backquotes."""
    return "".join(_block(block) for block in text.strip().split("\n\n")) if text else ""


def _block(block: str) -> str:
    first, *items = block.split("\n- ")
    listed = "".join(f"<li>{_inline(item)}</li>" for item in items)
    return f"<p>{_inline(first)}</p>" + (f"<ul>{listed}</ul>" if listed else "")


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _anchor(name: str) -> str:
    return f' id="{name}"' if name else ""
