import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects import strict_json
from gateway.errors import InvalidJson

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text('ab:"\\é', max_size=3), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e400}',
        b'{"a":01}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":18446744073709551616}',
        b'{"a":-9223372036854775809}',
        b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":' + b"1" * 300 + b"}",
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes):
    with pytest.raises(InvalidJson) as refusal:
        strict_json.loads(body)

    assert (refusal.value.status, refusal.value.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":{"a":1,"b":2,"a":{}}}',
        b'{"x":[0,{"a":1,"a":2}]}',
        b'{"a":"b: c","a":"d"}',
        b'{"a":{"b":{"c":1}},"a":2}',
    ],
)
def test_a_key_that_appears_twice_is_refused_by_name(body: bytes):
    with pytest.raises(InvalidJson, match="'a' appears twice"):
        strict_json.loads(body)


@pytest.mark.parametrize(
    "text", ["", "10:30", '"quoted": yes', "\\:", "{'a': 1, 'a': 2}"]
)
def test_colons_in_text_are_no_repeated_keys(text: str):
    body = {"a": text, "b": [{"a": text}], text: {"a": 1}}

    assert strict_json.loads(orjson.dumps(body)) == body


def test_sixty_four_levels_are_deep_enough():
    fine = b'{"a":' + b"[" * 63 + b"]" * 63 + b"}"
    too_deep = b'{"a":' + b"[" * 64 + b"]" * 64 + b"}"

    assert strict_json.loads(fine)
    with pytest.raises(InvalidJson, match="64 levels"):
        strict_json.loads(too_deep)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_refused_and_nothing_worse(opening: bytes):
    with pytest.raises(InvalidJson):
        strict_json.loads(opening * 100_000)


def test_the_largest_integers_and_floats_stay_what_they_are():
    body = b'{"a":18446744073709551615,"b":-9223372036854775808,"c":1e300,"d":2.5}'

    assert strict_json.loads(body) == {
        "a": 18446744073709551615,
        "b": -9223372036854775808,
        "c": 1e300,
        "d": 2.5,
    }


@settings(max_examples=100, deadline=None)
@given(value=st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_every_other_object_is_read_as_python_reads_it(value: dict[str, object]):
    body = json.dumps(value, ensure_ascii=False).encode()

    assert strict_json.loads(body) == json.loads(body)
