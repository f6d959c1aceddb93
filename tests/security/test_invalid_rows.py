"""R10: what the admin's form refuses is not served either when it came by raw SQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DatabaseError, connection, models

from gateway.ledger import store
from gateway.models import ApiKey
from gateway.runtime.checks import InvalidConfiguration
from gateway.runtime.refresher import Refresher
from gateway.runtime.snapshot import Snapshot, build
from routing.models import Backend, Price, RoutingPolicy, Tier

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONFIGURATION = (Tier, Backend, RoutingPolicy, Price, ApiKey)


@pytest.fixture(autouse=True)
def one_row_of_each() -> None:
    small = Tier.objects.create(rank=1, name="small", max_score=40)
    Tier.objects.create(rank=2, name="large")
    backend = Backend.objects.create(
        name="local", tier=small, provider="ollama", model="llama"
    )
    amounts = {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4}
    Price.objects.create(backend=backend, effective_from=NOW, **amounts)
    RoutingPolicy.load()
    ApiKey.issue("laptop")


def nonsense(field: models.Field) -> Iterator[object]:
    """Values that this column must not have."""
    if field.choices:
        yield "nonsense"
    elif isinstance(field, models.IntegerField | models.FloatField):
        yield from ("word", b"\xff")
    if field.get_internal_type().startswith("Positive"):
        yield -1
    for validator in field.validators:
        if isinstance(validator, MinValueValidator):
            yield validator.limit_value - 1
        if isinstance(validator, MaxValueValidator):
            yield validator.limit_value + 1


CASES = [
    pytest.param(model, field, value, id=f"{model.__name__}.{field.name}={value!r}")
    for model in CONFIGURATION
    for field in model._meta.concrete_fields
    if not (field.primary_key or field.is_relation)
    for value in dict.fromkeys(nonsense(field))
]


@pytest.mark.parametrize(("model", "field", "value"), CASES)
def test_r10_no_nonsense_passes_the_form(model, field, value):
    row = model.objects.order_by("pk").first()
    setattr(row, field.attname, value)

    with pytest.raises((ValidationError, TypeError)):
        row.full_clean()


def written(model: type[models.Model], field: models.Field, value: object) -> bool:
    """Put a value into the first row by raw SQL, unless the database refuses it."""
    table = model._meta.db_table
    first = f"(SELECT min(id) FROM {table})"
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {field.column} = %s WHERE id = {first}", [value]
            )
    except (DatabaseError, ValueError, OverflowError):
        return False
    return True


@pytest.mark.parametrize(("model", "field", "value"), CASES)
def test_r10_no_nonsense_in_a_row_is_served(model, field, value):
    if not written(model, field, value):
        return

    with pytest.raises(InvalidConfiguration):
        build(NOW, {})


def test_r10_the_last_good_state_serves_until_the_row_is_mended():
    served: list[Snapshot] = []
    refresher = Refresher(build(NOW, {}), served.append)
    field = RoutingPolicy._meta.get_field("max_attempts")

    written(RoutingPolicy, field, 0)
    refresher.refresh()
    refused = refresher.refused
    written(RoutingPolicy, field, 7)
    refresher.refresh()

    assert "max_attempts" in refused
    assert [snapshot.catalog.policy.max_attempts for snapshot in served] == [7]
    assert refresher.current is served[0]
    assert refresher.refused == ""


@pytest.mark.parametrize("days", [740_000, 10**9, 2**31 - 1])
def test_r10_no_retention_that_the_form_takes_stops_the_purge(days: int):
    policy = RoutingPolicy.load()
    policy.log_retention_days = days
    try:
        policy.full_clean()
    except ValidationError:
        return

    store.purge(NOW, days)
