from gateway.thoughts import MOST, ThoughtOrigins, nobody
from routing.catalog import Backend
from routing.chat import Json

HAIKU = Backend("haiku", 1, provider="anthropic", model="claude-haiku")
OPUS = Backend("opus", 3, provider="anthropic", model="claude-opus")
SAME = Backend("other-key", 2, provider="anthropic", model="claude-haiku")


def thought(seal: str) -> Json:
    return {"type": "thinking", "thinking": "Hm.", "signature": seal}


def answer(*thoughts: Json) -> Json:
    return {"choices": [{"message": {"thinking_blocks": list(thoughts)}}]}


def test_a_thought_goes_back_to_its_model_and_to_no_other():
    origins = ThoughtOrigins()
    redacted = {"type": "redacted_thinking", "data": "xx"}
    origins.remember(answer(thought("a"), redacted), HAIKU)

    for each in (thought("a"), redacted):
        assert origins.of(HAIKU)(each)
        assert origins.of(SAME)(each)
        assert not origins.of(OPUS)(each)


def test_one_that_is_not_known_gets_the_benefit_of_the_doubt():
    assert ThoughtOrigins().of(OPUS)(thought("unknown"))
    assert not nobody(thought("unknown"))


def test_one_that_nobody_signed_goes_nowhere():
    assert not ThoughtOrigins().of(HAIKU)(thought(""))
    assert not ThoughtOrigins().of(HAIKU)({"type": "thinking"})


def test_an_answer_without_thoughts_has_none_to_remember():
    origins = ThoughtOrigins()
    origins.remember({"choices": [{"message": {}}]}, HAIKU)

    assert len(origins._origins) == 0


def test_the_oldest_are_forgotten_when_there_are_too_many():
    origins = ThoughtOrigins()
    origins.remember(answer(thought("first")), HAIKU)
    for number in range(MOST):
        origins.remember(answer(thought(str(number))), HAIKU)

    assert origins.of(OPUS)(thought("first"))  # unknown again
    assert not origins.of(OPUS)(thought("0"))
    assert len(origins._origins) == MOST
