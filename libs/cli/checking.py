"""Whether what an operator wrote is what it should be: words of a few, and JSON by its keys and types."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import typer

Check = Callable[[Any], bool]
Keys = Mapping[str, Any]
"""By key what its value must be, with a check of it; or the keys of an object below."""


def read_checked(text: str, keys: Keys) -> dict[str, Any]:
    """The object. Every unknown key and every value of another type is told by its pointer, in a BadParameter."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--config") from None
    if not isinstance(given, dict):
        raise typer.BadParameter("a JSON object is needed", param_hint="--config")
    if faults := _faults(given, keys):
        raise typer.BadParameter("; ".join(faults), param_hint="--config")
    return given


def chosen(text: str, among: Collection[str], *, option: str) -> str:
    """The word in small letters; BadParameter for one that is not among these."""
    if text.lower() not in among:
        raise typer.BadParameter(f"{text} is none of {', '.join(among)}", param_hint=option)
    return text.lower()


def _faults(given: Mapping[str, Any], keys: Mapping[str, Any], at: str = "") -> list[str]:
    faults: list[str] = []
    for name, value in given.items():
        pointer, wanted = f"{at}/{name}", keys.get(name)
        if wanted is None:
            faults.append(f"{pointer}: is no key of it; there are {', '.join(keys)}")
        elif isinstance(wanted, Mapping):
            is_object = isinstance(value, dict)
            faults += _faults(value, wanted, pointer) if is_object else [f"{pointer}: must be an object"]
        elif not wanted[1](value):
            faults.append(f"{pointer}: must be {wanted[0]}")
    return faults


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


TEXT = ("a text", lambda value: isinstance(value, str))
TRUTH = ("true or false", lambda value: isinstance(value, bool))
NUMBER, WHOLE = ("a number", _is_number), ("a whole number", _is_whole)
COUNT = ("a whole number, from 1", lambda value: _is_whole(value) and value >= 1)
SECONDS = ("a number of seconds, above 0", lambda value: _is_number(value) and value > 0)
DELAY = ("a number of seconds, from 0", lambda value: _is_number(value) and value >= 0)
HOURS = ("a number of hours, from 0", lambda value: _is_number(value) and value >= 0)
MAP, TEXTS = ("an object of texts", _is_map), ("a list of texts", _is_texts)
STATUSES = ("a list of whole numbers", lambda value: isinstance(value, list) and all(map(_is_whole, value)))
