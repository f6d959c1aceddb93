import pytest

from gateway.configuration import ConfigurationError
from gateway.configuration.document import AliasEntry
from tests.gateway.configuration.samples import models, parsed


def test_an_alias_is_placed_where_it_stands_unless_it_says_otherwise():
    config = parsed(
        models(1, 2)
        + "aliases:\n  - {pattern: 'a*', tier: 2}\n"
        + "  - {pattern: b, backend: m1, position: 7}\n"
    )

    assert config.aliases == (
        AliasEntry("a*", 1, tier=2),
        AliasEntry("b", 7, backend="m1"),
    )


@pytest.mark.parametrize(
    ("alias", "told"),
    [
        ("pattern: a", "aliases[0] needs a tier or a backend, one of them"),
        ("pattern: a, tier: 1, backend: m1", "aliases[0] needs a tier or a backend"),
        ("pattern: a, tier: 4", "unknown tier 4 in aliases[0]; the models use tiers 1"),
        (
            "pattern: a, backend: m11",
            'unknown backend "m11" in aliases[0]; did you mean',
        ),
        ("tier: 1", "aliases[0] has no pattern"),
        ("pattern: auto, tier: 1", "aliases[0].pattern: auto leaves the choice"),
        ("pattern: tier-2, tier: 1", "aliases[0].pattern: tier-2 means exactly that"),
        ("pattern: m2, tier: 1", "aliases[0].pattern: m2 is a backend's name"),
    ],
)
def test_an_alias_that_means_nothing_is_told(alias, told):
    with pytest.raises(ConfigurationError) as raised:
        parsed(models(1, 2) + f"aliases:\n  - {{{alias}}}\n")

    assert str(raised.value).startswith(f"config.yaml:5: {told}")
