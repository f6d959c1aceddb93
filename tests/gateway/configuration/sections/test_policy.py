import pytest

from gateway.configuration import ConfigurationError
from tests.gateway.configuration.samples import models, parsed


def test_only_what_the_file_says_is_in_the_policy():
    config = parsed(
        models(1, 2)
        + "cache: {matching: jaccard}\nserver: {drain_sec: 5}\nlogs:\n"
        + "routing: {baseline_tier: 2}\n"
    )

    assert config.policy == {"cache_matching": "jaccard", "drain_seconds": 5.0}
    assert config.baseline_tier == 2


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("routing: {baseline_tier: 9}", "unknown tier 9 in routing; the models use"),
        ("learned: {sidecar_url: 'nowhere'}", "learned.sidecar_url: Give an absolute"),
        (
            "learned: {sidecar_url: 'http://169.254.169.254/classify'}",
            "learned.sidecar_url: The gateway never connects there: link-local",
        ),
        ("learned: {threshold: 2}", "learned.threshold: Ensure this value is less"),
        (
            "routing: {cold_start: heuristic}\nlearned: {cold_start: baseline}",
            "learned.cold_start is told twice",
        ),
        ("retries: {max_attempts: 0}", "retries.max_attempts: Ensure this value is"),
    ],
)
def test_wrong_rules_are_told(section, told):
    with pytest.raises(ConfigurationError) as raised:
        parsed(models(1, 2) + section)

    line = 4 + section.count("\n")
    assert str(raised.value).startswith(f"config.yaml:{line}: {told}")


@pytest.mark.parametrize("section", ["routing", "learned"])
def test_the_cold_start_may_stand_with_what_is_learned(section):
    config = parsed(models(1, 2) + section + ": {cold_start: baseline}\n")

    assert config.policy == {"cold_start": "baseline"}
