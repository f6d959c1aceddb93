"""`manage.py refresh_prices` as an operator runs it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from routing.models import Backend, Price, Tier

pytestmark = pytest.mark.django_db
DOLLAR = 10**9


@pytest.fixture(autouse=True)
def backends():
    tier = Tier.objects.create(rank=1, name="small")
    for name, model in [("new", "claude-haiku-4-5"), ("jumps", "claude-haiku-4-5")]:
        Backend.objects.create(name=name, tier=tier, provider="anthropic", model=model)
    mine = Backend.objects.create(
        name="mine", tier=tier, provider="anthropic", model="claude-opus-4-6"
    )
    Backend.objects.create(name="local", tier=tier, provider="ollama", model="llama3")
    add(Backend.objects.get(name="jumps"), "genai-prices 0.1: a/b")
    add(mine, "admin")


def add(backend, source):
    Price.objects.create(
        backend=backend,
        effective_from=timezone.now(),
        input=10 * DOLLAR,
        output=50 * DOLLAR,
        cache_read=DOLLAR,
        cache_write=DOLLAR,
        source=source,
    )


def run(*args):
    out = StringIO()
    call_command("refresh_prices", *args, stdout=out)
    return out.getvalue()


def test_a_dry_run_says_everything_and_writes_nothing():
    text = run("--dry-run")

    assert "~ new: unpriced -> $1.00 in, $5.00 out" in text
    assert "! jumps: $10.00 in" in text
    assert "Input goes down 10.0 times. Left as it is" in text
    assert "= mine: $10.00 in, $50.00 out" in text
    assert "your own, is kept; genai-prices" in text
    assert "? local: unpriced; its model is not in the tables" in text
    assert "nothing was written" in text
    assert Price.objects.count() == 2


def test_what_is_suspicious_is_taken_over_only_when_it_is_accepted():
    first = run()
    assert "1 backend has new prices." in first
    assert set(Price.objects.values_list("backend__name", "input")) == {
        ("new", DOLLAR),
        ("jumps", 10 * DOLLAR),
        ("mine", 10 * DOLLAR),
    }

    run("--accept", "jumps")
    newest = Price.objects.filter(backend__name="jumps").first()
    assert newest.input == DOLLAR


def test_accepting_for_a_backend_that_does_not_exist_is_refused():
    with pytest.raises(CommandError, match="There is no backend nobody"):
        run("--accept", "nobody")
