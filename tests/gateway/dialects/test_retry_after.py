import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.retry_after import retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "-30"}, 1.0),
        ({"retry-after": "1000000000"}, 120.0),
        ({"retry-after": "1e9"}, 120.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30.0),
        ({"retry-after": "Wed, 15 Nov 2023 00:13:50 +0200"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2000 00:00:00 GMT"}, 1.0),
        ({"retry-after": "Fri, 14 Nov 2098 00:00:00 GMT"}, 120.0),
        ({"retry-after": "Tue, 99 Nov 2023 22:13:50 GMT"}, None),
        ({"retry-after-ms": "2500"}, 2.5),
        ({"retry-after-ms": "100"}, 1.0),
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
    ],
)
def test_the_wait_is_understood_and_bounded(
    headers: dict[str, str], seconds: float | None
):
    assert retry_after(headers, NOW) == seconds


@settings(max_examples=100, deadline=None)
@given(
    value=st.text(max_size=40)
    | st.from_regex(
        r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d .{0,6}"
    )
)
def test_no_header_is_dangerous(value: str):
    seconds = retry_after({"retry-after": value}, NOW)

    assert seconds is None or 1 <= seconds <= 120
