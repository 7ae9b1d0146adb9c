"""Additional fields are united by key, and what is not touched stays byte for byte."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain.additional_fields import unite

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_OBJECTS = st.dictionaries(st.text(max_size=2), _VALUES, max_size=4)


@given(_OBJECTS, _OBJECTS, st.sampled_from([None, 1]), st.booleans())
def test_the_union_is_that_of_the_objects(known: Any, new: Any, indent: int | None, ascii_only: bool) -> None:
    before = json.dumps(known, indent=indent, ensure_ascii=ascii_only)
    after = unite(before, json.dumps(new, ensure_ascii=False))

    assert json.loads(after) == known | new
    assert unite(after, json.dumps(new, ensure_ascii=False)) == after


def test_values_stay_as_they_were_written() -> None:
    united = unite('{ "a" : 1.50, "b": {"x" : 1e400} }', '{"c":\t"\\u0451"}')

    assert united == '{"a":1.50,"b":{"x" : 1e400},"c":"\\u0451"}'


def test_nothing_new_leaves_the_text_as_it_was() -> None:
    known = '{ "a" : 1,\n"b" : [ ] }'

    assert unite(known, '{"b":[ ]}') == known
    assert unite(known, "{}") == known
    assert unite("{}", known) == known


def test_null_is_a_value_that_wins() -> None:
    assert unite('{"a":1}', '{"a":null}') == '{"a":null}'
