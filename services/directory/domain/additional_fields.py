"""Additional fields: one JSON object as a text, of which each value stays as it was written, byte for byte."""

import json
import re
from collections.abc import Mapping

_DECODE = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\n\r]*")


def unite(known: str, given: str) -> str:
    """The known fields with the given ones over them, key by key; `known` itself when that changes nothing."""
    if given in (known, "{}"):
        return known
    if known == "{}":
        return given
    before = split(known)
    after = before | split(given)
    return known if after == before else join(after)


def split(text: str) -> dict[str, str]:
    """Each key with the text of its value. The text is a JSON object: whoever let it in has read it."""
    values: dict[str, str] = {}
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _DECODE(text, at)
        at = _after_space(text, text.index(":", at) + 1)
        _, end = _DECODE(text, at)
        values[key] = text[at:end]
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return values


def join(values: Mapping[str, str]) -> str:
    """What `split` took apart."""
    return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{value}" for key, value in values.items()) + "}"


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # the pattern matches the empty text
    return found.end()
