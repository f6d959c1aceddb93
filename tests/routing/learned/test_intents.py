import pytest

from routing.intent_defaults import INTENTS
from routing.learned.features import prompt_of, row_of
from routing.learned.intents import Intents, Kind, bucket_of

KINDS = [
    Kind(number, slug, words, cues, bias)
    for number, (slug, _, words, cues, bias) in enumerate(INTENTS)
]
DEFAULT = Intents(KINDS)


def main_intent(text, **body):
    request = {"messages": [{"role": "user", "content": text}], **body}
    shares = DEFAULT.mixture(row_of(prompt_of(request))).tolist()
    assert sum(shares) == pytest.approx(1.0)
    assert min(shares) > 0
    return KINDS[shares.index(max(shares))].slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Write a Python function that implements a regex class", "code"),
        ("Solve the equation and compute the integral", "math-reasoning"),
        ("Extract all entities and classify the sentiment", "extraction"),
        ("Summarize the key points in brief", "summary"),
        ("Translate this into English from German", "translation"),
        ("Write a poem, a haiku or a song", "creative"),
        ("Who was president of the country in that year?", "factual"),
        ("Hello, how are you? Thank you", "chat"),
        ("qwerty uiop", "other"),
        ("漢字 🙂", "other"),
        ("", "other"),
    ],
)
def test_the_intents_of_a_new_gateway_tell_plain_requests_apart(text, slug):
    assert main_intent(text) == slug


def test_many_rows_at_once_have_the_shares_of_each_alone():
    texts = ("", "Solve the equation", "Python", "", "漢字", "Write a poem", "")
    bodies = [{"messages": [{"role": "user", "content": text}]} for text in texts]
    rows = [row_of(prompt_of(body)) for body in bodies]

    alone = [DEFAULT.mixture(row).tolist() for row in rows]

    assert DEFAULT.mixtures(rows).tolist() == alone
    assert DEFAULT.mixtures(rows[:1]).tolist() == alone[:1]


@pytest.mark.parametrize(
    "kind", [Kind(1, "a", bias=float("nan")), Kind(1, "a", "", "tools inf")]
)
def test_what_is_no_number_is_refused(kind):
    with pytest.raises(ValueError):
        Intents([kind])


def test_offered_tools_tell_an_agent():
    tools = [{"type": "function", "function": {"name": name}} for name in "abcd"]
    assert main_intent("Go on", tools=tools) == "agent-tools"


def test_a_request_of_two_kinds_is_a_mixture():
    text = "Translate the poem into French, then implement it as a Python function"
    row = row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))
    intents = Intents(
        [
            Kind(1, "a", "translate, into french"),
            Kind(2, "b", "python, function"),
            Kind(3, "c", "integral"),
        ]
    )

    first, second, third = intents.mixture(row).tolist()

    assert first == pytest.approx(second)
    assert third < 0.02


def test_a_pair_of_words_is_found_as_neighbours_only():
    intents = Intents([Kind(1, "pair", "key points"), Kind(2, "none")])

    def share(text):
        row = row_of(prompt_of({"messages": [{"role": "user", "content": text}]}))
        return float(intents.mixture(row)[0])

    assert share("the key points") > 0.8
    assert share("points of a key") == 0.5
    assert len(bucket_of("key points")) == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Kind(1, "a", "one two three"), "more than two words"),
        (Kind(1, "a", cues="luck 3"), "'luck' is no cue"),
        (Kind(1, "a", cues="tools"), "is no cue and a number"),
        (Kind(1, "a", ",".join(f"w{n}" for n in range(501))), "At most 500"),
    ],
)
def test_words_and_cues_that_cannot_be_read_are_refused(kind, said):
    with pytest.raises(ValueError, match=said):
        Intents([kind])
