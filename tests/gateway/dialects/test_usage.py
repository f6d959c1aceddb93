import pytest

from gateway.dialects.openai import estimate_usage, strip_usage, usage_of
from gateway.errors import BadUpstreamResponse
from routing.chat import Json, Usage


def usage(prompt: object, completion: object, **details: object) -> Json:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "prompt_tokens_details": details,
        "completion_tokens_details": details,
    }


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (usage(10, 5), Usage(10, 5)),
        (usage(0, 0), Usage(0, 0)),
        (usage(10, 0), Usage(10, 0)),
        (
            usage(10, 5, cached_tokens=4, cache_write_tokens=3, reasoning_tokens=2),
            Usage(10, 5, cached=4, cache_write=3, reasoning=2),
        ),
        (
            usage(10, 5, cache_write_tokens=4, cache_write_1h_tokens=3),
            Usage(10, 5, cache_write=4, cache_write_1h=3),
        ),
        (
            usage(10, 5, cache_write_tokens=4, cache_write_1h_tokens=9),
            Usage(10, 5, cache_write=4, cache_write_1h=4),
        ),
        (
            usage(10, 5, cached_tokens=99, cache_write_tokens=9, reasoning_tokens=99),
            Usage(10, 5, cached=10, cache_write=0, reasoning=5),
        ),
        (usage(10, 5, cached_tokens=-1, reasoning_tokens="2"), Usage(10, 5)),
        ({"prompt_tokens": 1, "completion_tokens": 2}, Usage(1, 2)),
        (usage(1, 2) | {"prompt_tokens_details": None}, Usage(1, 2)),
        (usage(1, 2) | {"prompt_tokens_details": 7}, Usage(1, 2)),
        (None, None),
        ({}, None),
        ("10", None),
        (usage(None, 5), None),
        (usage(10, None), None),
        (usage(-1, 5), None),
        (usage(10, -5), None),
        (usage(10**15, 5), None),
        (usage(10, 10**15), None),
        (usage(True, 5), None),
        (usage(10.5, 5), None),
        (usage("10", 5), None),
    ],
)
def test_usage_is_taken_as_reported_or_not_at_all(
    reported: object, expected: Usage | None
):
    assert usage_of({"usage": reported}) == expected


def test_a_body_without_usage_has_none():
    assert usage_of({"choices": []}) is None


def test_the_usage_chunk_is_dropped_for_who_did_not_ask():
    assert strip_usage({"id": "c", "choices": [], "usage": usage(1, 2)}) is None


def test_usage_beside_choices_is_taken_off_without_touching_the_chunk():
    chunk = {"id": "c", "choices": [{"index": 0}], "usage": usage(1, 2)}

    assert strip_usage(chunk) == {"id": "c", "choices": [{"index": 0}]}
    assert "usage" in chunk


def test_a_null_usage_is_taken_off():
    chunk = {"id": "c", "choices": [{"index": 0}], "usage": None}

    assert strip_usage(chunk) == {"id": "c", "choices": [{"index": 0}]}


def test_a_chunk_that_says_something_else_without_choices_is_kept():
    chunk = {"choices": [], "prompt_filter_results": [1], "usage": None}

    assert strip_usage(chunk) == {"choices": [], "prompt_filter_results": [1]}


def test_a_missing_usage_is_estimated_from_all_that_was_written():
    message = {
        "role": "assistant",
        "content": "a" * 8,
        "reasoning_content": "b" * 8,
        "refusal": None,
        "tool_calls": [{"function": {"name": "c" * 4, "arguments": "d" * 5}}],
    }
    answer = {"choices": [{"message": message}, {"message": {"content": "e" * 4}}]}

    assert estimate_usage(7, answer) == Usage(7, 8, estimated=True)


def test_nothing_written_is_estimated_as_nothing():
    assert estimate_usage(7, {"choices": []}) == Usage(7, 0, estimated=True)


def test_text_beyond_ascii_weighs_more():
    assert (
        estimate_usage(0, {"choices": [{"message": {"content": "漢字"}}]}).completion
        == 2
    )


@pytest.mark.parametrize("choices", [None, ["x"], [{}], [{"message": "x"}]])
def test_an_answer_of_no_known_shape_is_the_providers_fault(choices: object):
    with pytest.raises(BadUpstreamResponse):
        estimate_usage(7, {"choices": choices})
