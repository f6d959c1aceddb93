from gateway.configuration.problems import ConfigurationError, Problems
from gateway.configuration.schema import POLICY
from gateway.configuration.sections.section import Section
from gateway.configuration.yaml_source import parse
from routing.models import RoutingPolicy


def read_cache(text: str) -> tuple[Section, list[str]]:
    problems = Problems("c.yaml")
    section = Section(
        "cache", parse(text.encode(), problems), POLICY["cache"], problems
    )
    section.validate(RoutingPolicy(**section.columns(POLICY["cache"])))
    try:
        problems.raise_if_any()
    except ConfigurationError as error:
        return section, list(error.messages)
    return section, []


def test_right_values_are_kept_by_column():
    section, told = read_cache("enabled: false\nttl_sec: 60\n")

    assert told == []
    assert section.columns(("ttl_sec",)) == {"cache_ttl_seconds": 60.0}
    assert section.get("enabled", bool) is False
    assert section.get("max_size", int) is None


def test_a_key_without_a_value_counts_as_absent():
    section, told = read_cache("enabled:\nttl_sec: ~\n")

    assert (section.values, told) == ({}, [])


def test_an_unknown_key_is_told_with_what_was_meant():
    _, told = read_cache("enabled: true\ntll_sec: 60\n")

    assert told == ['c.yaml:2: unknown key "tll_sec" in cache; did you mean "ttl_sec"?']


def test_a_wrong_type_and_a_wrong_choice_are_told_with_advice():
    _, told = read_cache(
        "enabled: yes\nmax_size: '5'\nmatching: jacard\nttl_sec: [1]\n"
    )

    assert told == [
        "c.yaml:1: cache.enabled must be true or false",
        "c.yaml:2: cache.max_size must be a whole number; write it without quotes",
        'c.yaml:3: unknown matching "jacard" in cache; did you mean "jaccard"? '
        "(known: exact, canonical, jaccard)",
        "c.yaml:4: cache.ttl_sec must be a number",
    ]


def test_ranges_are_the_models_own_and_told_by_the_files_key():
    _, told = read_cache("ttl_sec: 0\nsimilarity_thresh: 1.5\n")

    assert told == [
        "c.yaml:1: cache.ttl_sec: Ensure this value is greater than or equal to 0.1.",
        "c.yaml:2: cache.similarity_thresh: Ensure this value is less than or equal to "
        "1.0.",
    ]


def test_a_section_that_is_no_mapping_is_told():
    assert read_cache("- enabled\n")[1] == [
        "c.yaml:1: cache must be a mapping of keys to values"
    ]
