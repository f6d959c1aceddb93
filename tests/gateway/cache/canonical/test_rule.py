"""How a rule spares itself the expressions that can't find anything."""

import re

import pytest

from gateway.cache.canonical.rule import needed, rewriting


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^what is use of (.+)$", "what is use of "),
        (r"\bcapital city\b", "capital city"),
        (r"^what do (?:word |term )?(.+) mean$", "what do "),
        (r"^(what is )(?:most )?(?:core|key) (?=type\b)", "what is "),
        (r"\bchance of (\w{3,})ing\b", "chance of "),
        (r"(?<!so) that (?=(?:i|you) )", " that "),
        (r"^what is reason (?!for )(?=.+ (?:is|was) )", "what is reason "),
        (r"^explain (?=difference between )", "explain difference between "),
        (r"\b(?:cool|awesome) (?=fact\b)", " fact"),
        (r"^((?:a |an )?\w+) per(?: \w+){0,2} hours?$", " hour"),
        (r"^e-?mail(?:s{2}| *)", "mail"),
        (r"^convert [(\d-]", "convert "),
    ],
)
def test_the_longest_text_of_a_pattern_is_needed(pattern, text):
    assert needed(pattern) == text


@pytest.mark.parametrize("pattern", [r"\bless\b|\bmore\b", r"(?:a|b)", r"^\d+$"])
def test_a_pattern_that_finds_different_texts_needs_none(pattern):
    assert needed(pattern) == ""


def test_each_expression_sees_what_the_one_before_it_left():
    rewrite = rewriting((r"^how come ", "why "), (r"^why do (\w+)", r"\1, why"))

    assert rewrite("how come do birds sing") == "birds, why sing"
    assert rewrite("do birds sing") == "do birds sing"


def test_a_needed_text_is_in_whatever_the_pattern_finds():
    pattern = r"^(?:how|what) (?:it is|is it) like (\w{2,})ing (?=to |on )"
    found = "how is it like riding on a horse"

    assert re.match(pattern, found)
    assert needed(pattern) in found


def test_a_group_that_took_no_part_leaves_nothing():
    rewrite = rewriting((r"^is (?:it )?(\w+) (?:(or) )?(\w+)$", r"\3 \2\1"))

    assert rewrite("is it tea coffee") == "coffee tea"
    assert rewrite("is tea or coffee") == "coffee ortea"
