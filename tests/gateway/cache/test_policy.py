from dataclasses import replace

import pytest

from gateway.cache.policy import decide, question, storable
from routing.catalog import Policy
from routing.chat import ChatRequest

POLICY = Policy()
ASK = {"role": "user", "content": "What is 2+2?"}


def chat(**fields):
    return ChatRequest({"messages": [ASK], **fields}, "scope", "req-1")


def test_an_omitted_temperature_is_cached_shared_and_matched_by_meaning():
    reuse = decide(chat(), POLICY)
    assert (reuse.exact, reuse.semantic, reuse.share) == (True, True, True)
    assert (reuse.lookup, reuse.store, reuse.reason) == (True, True, "")


def test_a_low_temperature_is_like_none():
    assert decide(chat(temperature=0.3), POLICY).semantic


def test_a_temperature_above_the_policy_is_neither_cached_nor_shared():
    reuse = decide(chat(temperature=0.7), POLICY)
    assert (reuse.exact, reuse.semantic, reuse.share) == (False, False, False)
    assert reuse.reason == "temperature 0.7 is above 0.3"


def test_several_choices_count_as_sampling():
    reuse = decide(chat(temperature=0, n=5), POLICY)
    assert (reuse.exact, reuse.semantic, reuse.share) == (False, False, False)
    assert reuse.reason == "several choices are asked for"


@pytest.mark.parametrize("fields", [{"temperature": 1.0}, {"n": 2}])
def test_a_client_may_ask_for_exact_reuse_of_samples(fields):
    asked = replace(chat(**fields), allow_sampled_reuse=True)
    reuse = decide(asked, POLICY)
    assert (reuse.exact, reuse.semantic, reuse.share) == (True, False, True)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tools": [{"type": "function"}]}, "tools are offered"),
        ({"functions": [{"name": "f"}]}, "tools are offered"),
        ({"web_search_options": {}}, "tools are offered"),
        (
            {"response_format": {"type": "json_object"}},
            "a response format is asked for",
        ),
        ({"messages": [ASK, {"role": "assistant", "content": "4"}, ASK]}, None),
        ({"messages": [ASK, ASK]}, None),
        ({"messages": [ASK, {"role": "assistant", "content": "It is"}]}, None),
        ({"messages": [{"role": "tool", "content": "4"}, ASK]}, None),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "What is it?"},
                            {"type": "image_url", "image_url": {"url": "data:x"}},
                        ],
                    }
                ]
            },
            None,
        ),
    ],
)
def test_some_requests_are_reused_by_their_exact_text_only(fields, reason):
    reuse = decide(chat(**fields), POLICY)
    assert (reuse.exact, reuse.semantic, reuse.share) == (True, False, True)
    assert reuse.reason == (reason or "not a single question in text")


def test_instructions_before_a_single_question_are_fine():
    messages = [{"role": "system", "content": "Be brief."}, ASK]
    assert decide(chat(messages=messages), POLICY).semantic


def test_no_cache_skips_the_lookup_and_still_stores():
    reuse = decide(replace(chat(), no_cache=True), POLICY)
    assert (reuse.lookup, reuse.store, reuse.share) == (False, True, True)
    assert reuse.reason == "the client said no-cache"


def test_no_store_neither_stores_nor_shares():
    reuse = decide(replace(chat(), no_store=True), POLICY)
    assert (reuse.lookup, reuse.store, reuse.share) == (True, False, False)
    assert reuse.reason == "the client said no-store"


def test_sharing_and_caching_are_switched_separately():
    uncached = decide(chat(), replace(POLICY, cache_enabled=False))
    assert (uncached.exact, uncached.semantic, uncached.share) == (False, False, True)
    assert (uncached.lookup, uncached.store) == (False, False)
    assert uncached.reason == "the cache is off"
    assert not decide(chat(), replace(POLICY, sharing_enabled=False)).share


def test_exact_matching_never_matches_by_meaning():
    assert not decide(chat(), replace(POLICY, cache_matching="exact")).semantic


def test_a_single_text_part_is_a_question_like_a_string():
    part = {"type": "text", "text": "Hi"}
    assert question({"messages": [{"role": "user", "content": [part]}]}) == "Hi"
    marked = {**part, "cache_control": {"type": "ephemeral"}}
    assert question({"messages": [{"role": "user", "content": [marked]}]}) == "Hi"
    unknown = {**part, "annotations": []}
    assert question({"messages": [{"role": "user", "content": [unknown]}]}) is None


def completion(finish_reason="stop", **message):
    message = {"role": "assistant", "content": "4", **message}
    return {"choices": [{"message": message, "finish_reason": finish_reason}]}


def test_a_finished_answer_in_text_may_be_stored():
    assert storable(completion(), 100, POLICY) == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({}, "it holds no choice"),
        ({"error": {"message": "no"}, "choices": []}, "it holds no choice"),
        (completion("length"), "it finished with length"),
        (completion("content_filter"), "it finished with content_filter"),
        (completion(None), "it finished with None"),
        (completion("tool_calls", tool_calls=[{"id": "1"}]), "it calls a tool"),
        (completion(tool_calls=[{"id": "1"}]), "it calls a tool"),
        (completion(function_call={"name": "f"}), "it calls a tool"),
        (completion(refusal="I can't."), "it is a refusal"),
        (completion(content=None), "it has no text"),
        (completion(content=" \n"), "it has no text"),
        (
            {"choices": completion()["choices"] + completion("length")["choices"]},
            "it finished with length",
        ),
    ],
)
def test_an_unfinished_or_acting_answer_is_never_stored(answer, reason):
    assert storable(answer, 100, POLICY) == reason


def test_one_answer_may_not_fill_the_cache():
    small = replace(POLICY, cache_max_bytes=8000)
    assert storable(completion(), 1000, small) == ""
    assert storable(completion(), 1001, small) == "it is too large"
