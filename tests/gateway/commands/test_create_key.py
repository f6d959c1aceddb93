from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from gateway.key_rows import digest_of
from gateway.models import ApiKey, Team

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_key", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_stdout_holds_the_secret_alone_and_the_database_its_digest():
    out, err = run("laptop")

    secret = out.removesuffix("\n")
    key = ApiKey.objects.get()
    assert secret.startswith("sk-llmr-")
    assert key.digest == digest_of(secret)
    assert "laptop" in err
    assert secret not in err


def test_the_options_become_the_keys_bounds():
    before = timezone.now()

    run("ci", "--team", "web", "--min-tier=1", "--max-tier=2", "--expires-days=30")

    key = ApiKey.objects.get()
    assert (key.team.name, key.scope, key.min_tier, key.max_tier) == (
        "web",
        "team:web",
        1,
        2,
    )
    assert before <= key.expires_at - timedelta(days=30) <= timezone.now()


def test_the_options_become_the_keys_limits():
    run(
        "ci",
        "--models=haiku, gpt-*",
        "--requests-per-minute=60",
        "--tokens-per-minute=100000",
        "--budget-day=2.5",
        "--budget-week=10",
        "--budget-month=30",
    )

    key = ApiKey.objects.get()
    assert key.models_allowed == ("haiku", "gpt-*")
    assert (key.requests_per_minute, key.tokens_per_minute) == (60, 100_000)
    assert (key.budget_day_usd, key.budget_week_usd) == (Decimal("2.5"), 10)
    assert key.budget_month_usd == 30


def test_a_name_in_use_is_told():
    run("laptop")

    with pytest.raises(CommandError, match='There is a key named "laptop" already'):
        run("laptop")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--min-tier=3", "--max-tier=2"], "The lowest tier is above the highest"),
        (["--max-tier=0"], "give a whole number from 1"),
        (["--expires-days=forever"], "give a whole number from 1"),
        (["--budget-day=much"], "give dollars, such as 2.50"),
        (["--budget-day=-1", "--team=new"], "greater than or equal to 0"),
        (["--budget-day=1e9", "--team=new"], "no more than"),
        (["--requests-per-minute=0"], "give a whole number from 1"),
    ],
)
def test_impossible_bounds_are_told_and_make_no_key(options, told):
    with pytest.raises(CommandError, match=told):
        run("laptop", *options)
    assert not ApiKey.objects.exists()
    assert not Team.objects.exists()
