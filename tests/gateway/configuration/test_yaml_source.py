import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.problems import ConfigurationError, Problems
from gateway.configuration.yaml_source import (
    MAX_BYTES,
    ListNode,
    MappingNode,
    Scalar,
    parse,
)


def refusal(text: str) -> str:
    problems = Problems("c.yaml")
    with pytest.raises(ConfigurationError) as raised:
        parse(text.encode(), problems)
        problems.raise_if_any()
    return str(raised.value)


def test_values_keep_their_text_and_every_key_its_line():
    tree = parse(b"a: 010\nb:\n  - no\n  - '12:30'\n", Problems("c.yaml"))

    assert tree == MappingNode(
        1,
        {
            "a": Scalar(1, "010"),
            "b": ListNode(3, (Scalar(3, "no"), Scalar(4, "12:30", plain=False))),
        },
        {"a": 1, "b": 2},
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1\nb: *x\n", "c.yaml:1: YAML anchors"),
        ("b: *x\n", "c.yaml:1: YAML anchors"),
        ("a: &a [*a]\n", "c.yaml:1: YAML anchors"),
        ("\na: !!python/object:os.system x\n", "c.yaml:2: YAML tags"),
        ("a: 1\n---\nb: 2\n", "c.yaml:2: one YAML document"),
        ("", "c.yaml:1: the file is empty"),
        ("# only a comment\n", "c.yaml:1: the file is empty"),
        ("a: 1\nb: 2\na: 3\n", 'c.yaml:3: the key "a" is also on line 1'),
        ("[a]: 1\n", "c.yaml:1: a key must be a word"),
        ("a: 1\nb: c: d\n", "c.yaml:2: not YAML"),
        ("a: 1\nb: \x07\n", "c.yaml:2: not YAML"),
        ("[" * 6000, "c.yaml:1: nested deeper than 16 levels"),
        ("a: " + "x" * MAX_BYTES, "c.yaml:1: the file is larger than 256 KB"),
    ],
)
def test_what_is_dangerous_or_broken_is_refused_with_its_line(text, told):
    assert refusal(text).startswith(told)


def test_d17_nesting_ends_at_its_bound():
    def nested(levels: int) -> str:
        return "a: " + "[" * (levels - 1) + "]" * (levels - 1)

    assert parse(nested(17).encode(), Problems("c.yaml"))
    assert refusal(nested(18)) == "c.yaml:1: nested deeper than 16 levels"


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"

    assert refusal(bomb).startswith("c.yaml:1: YAML anchors")


@given(st.text(alphabet="a1:-[]{}&*!|>'\"#%@, \n\t\\", max_size=60))
def test_any_text_is_read_or_refused_and_never_crashes(text):
    try:
        parse(text.encode(), Problems("c.yaml"))
    except ConfigurationError as error:
        assert error.messages[0].startswith("c.yaml:")
