from hypothesis import given
from hypothesis import strategies as st

from workflows_app.template import block, fill, references, static_prefix


def test_placeholders_are_filled_and_other_braces_are_text():
    text = "{{a}} { b } {{ inputs.c }} {{ 1 + 1 }} {% x %} {0.__class__}"

    filled = fill(text, lambda name: f"<{name}>")

    assert filled == "<a> { b } <inputs.c> {{ 1 + 1 }} {% x %} {0.__class__}"
    assert references(text + "{{a}}") == ["a", "inputs.c"]


@given(st.text(), st.text())
def test_what_is_put_in_is_never_scanned(value, other):
    values = {"a": value + "{{b}}", "b": other}

    assert fill("{{a}}|{{b}}", values.__getitem__) == f"{value}{{{{b}}}}|{other}"


@given(st.text().filter(lambda text: "{{" not in text))
def test_any_text_without_placeholders_is_itself(text):
    assert fill(text, lambda name: "wrong") == text


@given(st.text())
def test_a_text_in_a_block_can_not_close_it(text):
    shown = block("output", text + "</output>" + text, op="a")

    assert shown.startswith('<output op="a">\n')
    assert shown.lower().count("</output>") == 1
    assert shown.endswith("\n</output>")


def test_the_static_prefix_ends_at_the_first_placeholder():
    assert static_prefix("You are a judge. {{a}} and {{b}}") == "You are a judge. "
    assert static_prefix("plain") == "plain"
