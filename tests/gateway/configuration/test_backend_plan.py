import pytest

from gateway.configuration import plan
from gateway.configuration.difference import Detail
from routing.fields import decrypt, encrypt
from routing.models import Backend, Price
from tests.gateway.configuration.samples import LATER, NOW, TWO_MODELS, load, parsed

pytestmark = pytest.mark.django_db

CANARY = "sk-canary-1"
LITERAL = TWO_MODELS.replace("$BIG_KEY", CANARY)


def details(text: str, name: str = "large") -> list[Detail]:
    changes = plan(parsed(text), LATER).changes
    return list(next(c.details for c in changes if c.label == f"backend {name}"))


def prices(name: str) -> list[tuple[int, int, int, int]]:
    rows = Price.objects.filter(backend__name=name).order_by("effective_from")
    return [(p.input, p.output, p.cache_read, p.cache_write) for p in rows]


def test_cache_prices_follow_the_provider_unless_given():
    load(TWO_MODELS)

    assert prices("small") == [(800_000_000, 4_000_000_000, 800_000_000, 800_000_000)]
    assert prices("large") == [
        (15_000_000_000, 75_000_000_000, 1_500_000_000, 18_750_000_000)
    ]


def test_a_changed_price_is_a_new_row_and_history_stays():
    load(TWO_MODELS, NOW)
    load(TWO_MODELS.replace("0.0008", "0.001"), LATER)

    assert prices("small") == [
        (800_000_000, 4_000_000_000, 800_000_000, 800_000_000),
        (1_000_000_000, 4_000_000_000, 1_000_000_000, 1_000_000_000),
    ]
    latest = Price.objects.filter(backend__name="small").first()
    assert (latest.effective_from, latest.source) == (LATER, "config.yaml")


def test_a_cache_price_set_in_the_admin_survives_a_file_that_does_not_give_it():
    load(TWO_MODELS)
    Price.objects.filter(backend__name="small").update(cache_read=5)

    assert details(TWO_MODELS, "small") == []
    given = TWO_MODELS.replace(
        "    cost_per_1k_out: 0.004\n",
        "    cost_per_1k_out: 0.004\n    cost_per_1k_cache_read: 0.0001\n",
    )
    assert details(given, "small") == [
        Detail("cost_per_1k_cache_read", "0.000000000005", "0.0001")
    ]


def test_a_literal_key_is_stored_encrypted_and_never_shown():
    load(LITERAL)

    row = Backend.objects.get(name="large")
    assert CANARY not in row.api_key_value
    assert decrypt(row.api_key_value) == CANARY
    assert details(LITERAL) == []
    assert "canary" not in repr(plan(parsed(LITERAL.replace("-1", "-2")), LATER))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (LITERAL, LITERAL.replace(CANARY, "sk-other"), ("set", "changed")),
        (LITERAL, TWO_MODELS, ("set", "$BIG_KEY")),
        (TWO_MODELS, LITERAL, ("$BIG_KEY", "set")),
        (TWO_MODELS, TWO_MODELS.replace("BIG", "NEW"), ("$BIG_KEY", "$NEW_KEY")),
        (LITERAL, LITERAL.replace(CANARY, '""'), ("set", "none")),
    ],
)
def test_a_change_of_the_key_is_masked_and_applied(before, after, shown):
    load(before)

    assert details(after) == [Detail("api_key", *shown)]
    load(after, LATER)
    assert details(after) == []


def test_a_key_that_can_not_be_decrypted_any_more_is_replaced():
    load(LITERAL)
    Backend.objects.filter(name="large").update(api_key_value="gAAAAAlost")

    load(LITERAL)

    assert decrypt(Backend.objects.get(name="large").api_key_value) == CANARY


def test_a_stored_key_is_forgotten_when_the_address_changes_without_it():
    load(TWO_MODELS)
    Backend.objects.filter(name="large").update(
        api_key_env="", api_key_value=encrypt(CANARY)
    )
    silent = TWO_MODELS.replace("    api_key: $BIG_KEY\n", "")
    moved = silent.replace(
        "provider: anthropic",
        "provider: anthropic\n    base_url: https://other.example",
    )

    assert details(silent) == []
    assert details(moved)[1:] == [
        Detail("api_key", "set", "forgotten, the address changed")
    ]
    load(moved)
    assert Backend.objects.get(name="large").api_key_value == ""
