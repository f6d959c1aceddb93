"""What a follower hears of a run that only its rows tell of."""

from workflows_app.events import Told


def found(status: str, said: dict | None = None, output: str | None = None) -> dict:
    op = {"status": status, "started_ms": 0}
    return {
        "plan": {},
        "ops": {"a": op},
        "said": {"a": said or {}},
        "outputs": {"a": output},
    }


def pieces(told: Told, *args) -> list[tuple]:
    deltas = [e for e in told.news(found(*args)) if e["type"] == "op_delta"]
    return [(e.get("item"), e.get("attempt"), e["text"]) for e in deltas]


def test_each_piece_of_a_text_is_told_once_and_in_the_end_all_of_it():
    told = Told("run_1")
    assert pieces(told, "running") == []
    assert pieces(told, "running", {"": [1, "Once"]}) == [(None, None, "Once")]
    assert pieces(told, "running", {"": [1, "Once"]}) == []
    assert pieces(told, "running", {"": [1, "Once upon"]}) == [(None, None, " upon")]
    rest = [(None, None, " a time")]
    assert pieces(told, "succeeded", None, "Once upon a time") == rest
    assert told.news(found("succeeded", None, "Once upon a time")) == []


def test_a_text_that_begins_anew_says_by_which_attempt():
    told = Told("run_1")
    assert pieces(told, "running", {"": [1, "Once"]}) == [(None, None, "Once")]
    assert pieces(told, "running", {"": [2, "Not"]}) == [(None, 2, "Not")]
    assert pieces(told, "succeeded", None, "Not so.") == [(None, 2, " so.")]


def test_an_output_that_is_not_what_was_said_is_no_rest_of_it():
    told = Told("run_1")
    fenced = {"": [1, "```json\n{}"]}
    assert pieces(told, "running", fenced) == [(None, None, "```json\n{}")]
    assert pieces(told, "succeeded", None, "{}") == []


def test_the_items_of_a_map_are_told_apart():
    told = Told("run_1")
    said = {"0": [1, "One"], "1": [1, "Two"]}
    assert pieces(told, "running", said) == [(0, None, "One"), (1, None, "Two")]
    assert pieces(told, "succeeded", None, "irrelevant") == []


def test_an_op_starts_and_ends_once():
    told = Told("run_1")
    kinds = [
        [event["type"] for event in told.news(found(status))]
        for status in ("running", "running", "failed", "failed")
    ]
    assert kinds == [["planned", "op_started"], [], ["op_done"], []]
