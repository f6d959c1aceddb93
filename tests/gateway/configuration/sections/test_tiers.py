import pytest

from gateway.configuration import ConfigurationError
from tests.gateway.configuration.samples import models, parsed


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        parsed(text)
    return str(raised.value)


def test_thresholds_and_names_are_read_by_rank():
    config = parsed(
        models(1, 2, 3)
        + "classifier: {tier1_max: 20, tier2_max: 60}\n"
        + "tiers: [{rank: 2, name: standard}]\n"
    )

    assert config.thresholds == {1: 20, 2: 60}
    assert config.tier_names == {2: "standard"}


@pytest.mark.parametrize(
    ("classifier", "told"),
    [
        ("tier5_max: 9", "4: unknown tier 5 in classifier; the highest is 2"),
        ("tier2_max: 90", "4: tier 2 is the highest and has no upper bound"),
        ("tier1_max: 101", "4: classifier.tier1_max: Ensure this value is less than"),
        ("tier1_max: -1", "4: classifier.tier1_max: Ensure this value is greater"),
        ("teir1_max: 9", '4: unknown key "teir1_max" in classifier; did you mean'),
    ],
)
def test_a_wrong_threshold_is_told(classifier, told):
    text = models(1, 2) + f"classifier: {{{classifier}}}\n"

    assert refusal(text).startswith(f"config.yaml:{told}")


def test_thresholds_must_rise_defaults_included():
    text = models(1, 2, 3) + "classifier:\n  tier1_max: 80\n"

    assert refusal(text) == (
        "config.yaml:6: classifier: tier1_max is 80 and tier2_max is 70 (defaults "
        "count too), but thresholds must rise with the tier"
    )


def test_a_named_tier_without_a_backend_and_repeated_names_are_told():
    text = models(1, 2) + "tiers:\n  - {rank: 1, name: a}\n  - {rank: 3, name: a}\n"

    assert refusal(text).splitlines() == [
        'config.yaml:6: tiers[1] has the same name "a" as tiers[0] on line 5',
        "config.yaml:6: tiers[1]: tier 3 has no backend",
    ]
