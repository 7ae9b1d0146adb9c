"""What JSON is taken in, and what counts as the same document."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.domain.errors import Invalid
from services.ingestion.wire.json_text import MAXIMUM_DEPTH, parse

MILLION = b"1" * 1_000_000


def refusal(body: bytes) -> Invalid:
    with pytest.raises(Invalid) as caught:
        parse(body)
    return caught.value


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"", "", "not_json"),
        (b"[", "", "not_json"),
        (b'[{"phone": "+7900', "", "not_json"),
        (b'{"a": 1}x', "", "not_json"),
        (b"{'a': 1}", "", "not_json"),
        (b"[1,]", "", "not_json"),
        (b'["\x01"]', "", "not_json"),
        (b'[{"a": NaN}]', "/0/a", "not_json"),
        (b'[1, {"a/b~": -Infinity}]', "/1/a~1b~0", "not_json"),
        (b'[{"a": 1, "b": {"c": 1, "c": 1}}]', "/0/b/c", "duplicate_name"),
        (b'{"a" : 1, "a"\n: 1}', "/a", "duplicate_name"),
        (b'{"a": 1, "\\u0061": 1}', "/a", "duplicate_name"),
        (b'{"a": "\\u0022:", "b": 1, "b": 1}', "/b", "duplicate_name"),
        (b'{"a": "\\"\\u003a", "b": 1, "b": 1}', "/b", "duplicate_name"),
        (b'["a\\u0000b"]', "/0", "unfit_text"),
        (b'[{"a\\u0000": 1}]', "/0/a\xef\xbf\xbd", "unfit_text"),
        (b'["\\ud800"]', "/0", "unfit_text"),
        (b'["\\udc00\\ud800"]', "/0", "unfit_text"),
        (b'["a", "\xff"]', "", "not_utf8"),
        (b"\xef\xbb\xbf[]", "", "byte_order_mark"),
        ("[1]".encode("utf-16"), "", "not_utf8"),
        ("[1]".encode("utf-16-le"), "", "not_json"),
        (b"[" * 100_000, "", "too_deep"),
        (b'{"a":' * 100_000, "", "too_deep"),
        (b"[" * 200 + b"]" * 200, "", "too_deep"),
        (b'[{"a": ' + MILLION + b"}]", "/0/a", "number_out_of_range"),
        (b"[0." + MILLION + b"]", "/0", "number_out_of_range"),
        (b"[-1e999]", "/0", "number_out_of_range"),
    ],
)
def test_odd_text_is_refused_where_the_fault_is(body: bytes, pointer: str, code: str) -> None:
    found = refusal(body)

    assert found.reason == "VALIDATION_ERROR"
    assert (found.violations[0].pointer, found.violations[0].code) == (pointer.encode("latin-1").decode(), code)


def test_nesting_is_allowed_up_to_its_limit() -> None:
    deepest = b"[" * MAXIMUM_DEPTH + b"]" * MAXIMUM_DEPTH

    assert parse(deepest).tree
    assert refusal(b"[" + deepest + b"]").violations[0].code == "too_deep"


def test_every_fault_is_told_up_to_a_hundred() -> None:
    body = b"[" + b",".join([b'{"a": 1, "a": 2}'] * 200) + b"]"

    found = refusal(body)

    assert [fault.pointer for fault in found.violations[:2]] == ["/0/a", "/1/a"]
    assert len(found.violations) == 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'[{"a": 1, "b": [1, 2]}]', b'[ {"b":[1,2] ,\n"a":1} ]'),
        (b'["\\u043b"]', '["л"]'.encode()),
        (b'{"a": "x\\"y\\":"}', b'{"a":"x\\u0022y\\u0022\\u003a"}'),
        (b'{"a": 12345678901234567890}', b'{ "a" : 12345678901234567890 }'),
        (b'{"a": 1e3, "b": 0}', b'{"b": 0, "a": 1E3}'),
        (b"[1.0]", b"[1.00]"),
    ],
)
def test_the_same_document_has_the_same_form(one: bytes, other: bytes) -> None:
    assert parse(one).canonical == parse(other).canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1]", b'["1"]'),
        (b"[1, 2]", b"[2, 1]"),
        (b'[{"a": 1}]', b'{"a": 1}'),
        (b"[12345678901234567890]", b"[12345678901234567891]"),
        (b"[12345678.123456789]", b"[12345678.1234567891]"),
        (b"[1234567890123456.1]", b"[1234567890123456.12]"),
        (b'[{"a":9007199254740993}]', b'[{"a":9007199254740992}]'),
        (b"[100000000000000000000000]", b"[1e23]"),
    ],
)
def test_another_document_has_another_form(one: bytes, other: bytes) -> None:
    assert parse(one).canonical != parse(other).canonical


texts = st.text(st.sampled_from('ab":\\ \n{}[],0eé'), max_size=4)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e6, 1e6) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def spelled(draw: st.DrawFn, value: Any) -> str:
    """The value as JSON, with white space, escapes and the order of names left to chance."""
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(value, dict):
        members = draw(st.permutations(list(value.items())))
        inside = ",".join(f"{space}{word(draw, name)}{space}:{spelled(draw, member)}" for name, member in members)
        return f"{{{inside}{space}}}"
    if isinstance(value, list):
        return f"[{','.join(spelled(draw, each) for each in value)}{space}]"
    return word(draw, value) if isinstance(value, str) else json.dumps(value)


def word(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return json.dumps(text, ensure_ascii=False)
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"'


@st.composite
def spellings(draw: st.DrawFn) -> tuple[bytes, bytes]:
    value = draw(documents)
    return spelled(draw, value).encode(), spelled(draw, value).encode()


@given(spellings())
def test_spelling_changes_nothing(pair: tuple[bytes, bytes]) -> None:
    one, other = (parse(text) for text in pair)

    assert one.canonical == other.canonical


def test_a_text_that_looks_like_an_odd_number_changes_no_other() -> None:
    plain, escaped = parse(b'[-12345.123456789,",0e"]'), parse(b'[-12345.123456789,"\\u002c0e"]')

    assert plain.canonical == escaped.canonical


@st.composite
def with_a_name_twice(draw: st.DrawFn) -> bytes:
    """An object somewhere in a document, with one name twice, spelled anyhow."""
    name, first, second = draw(texts), draw(documents), draw(documents)
    rest = draw(st.dictionaries(texts, documents, max_size=2))
    members = [f"{word(draw, key)}:{spelled(draw, value)}" for key, value in rest.items() if key != name]
    for value in (first, second):
        space = draw(st.sampled_from(["", " ", "\r\n"]))
        members.append(f"{word(draw, name)}{space}:{spelled(draw, value)}")
    inside = "{" + ",".join(draw(st.permutations(members))) + "}"
    return f"[{spelled(draw, draw(documents))},{inside}]".encode()


@given(with_a_name_twice())
def test_a_name_given_twice_is_always_found(body: bytes) -> None:
    assert refusal(body).violations[0].code == "duplicate_name"
