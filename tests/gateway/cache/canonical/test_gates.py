import pytest

from gateway.cache.canonical import frame, refusal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("What is the weather in Rome?", "the answer depends on the time"),
        ("Who won the match last night?", "the answer depends on the time"),
        ("What time is it in Rome?", "the answer depends on the time"),
        ("What's the time?", "the answer depends on the time"),
        ("Tell me a random fact", "asks for something new each time"),
        ("Write another poem", "asks for something new each time"),
        ("What is in this picture?", "points at something outside the question"),
        ("Is that safe?", "points at something outside the question"),
        ("How do I say the dog in French?", "the wording itself matters"),
        ("Was ist die Hauptstadt von Peru?", "not in English as far as we can tell"),
        ("Quelle est la capitale du Pérou?", "not in English as far as we can tell"),
        ("¿Cuál es la capital de Perú?", "not in English as far as we can tell"),
        ("Какая столица Перу?", "not in English as far as we can tell"),
        ("秘鲁的首都是什么?", "not in English as far as we can tell"),
        ("ペルーの首都はどこですか", "not in English as far as we can tell"),
        ("word " * 101, "longer than 100 words"),
        ("x" * 2001, "longer than 2000 characters"),
        ("?!", "holds no question"),
        ("", "holds no question"),
    ],
)
def test_some_questions_are_matched_by_their_exact_text_only(text, reason):
    assert frame(text) is None
    assert refusal(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "Write a function that sorts a list in two steps",
        "Explain gravity in two sentences",
        "Which foods contain vitamin C?",
        'How many letters are in the word "bureau"?',
        "2+2",
    ],
)
def test_a_gate_does_not_shut_out_what_only_looks_like_its_kind(text):
    assert refusal(text) == ""
    assert frame(text) is not None
