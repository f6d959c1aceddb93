import pytest

from gateway.configuration import ConfigurationError, apply, plan
from routing.models import Backend, Tier
from tests.gateway.configuration.samples import LATER, TWO_MODELS, load, models, parsed

pytestmark = pytest.mark.django_db


def test_a_row_that_refuses_leaves_nothing_written():
    Tier.objects.create(rank=1, name="tier-2", max_score=50)
    wanted = plan(parsed(models(1, 2)), LATER)

    with pytest.raises(ConfigurationError) as raised:
        apply(wanted)

    assert raised.value.messages == ("tier 2: Tier with this Name already exists.",)
    assert list(Tier.objects.values_list("rank", flat=True)) == [1]
    assert not Backend.objects.exists()


def test_rules_of_the_rows_hold_for_what_the_file_and_the_database_make_together():
    load(TWO_MODELS)
    Backend.objects.filter(name="small").update(base_url="not an address")

    with pytest.raises(ConfigurationError, match="backend small: Give an absolute"):
        load(TWO_MODELS.replace("llama3.2", "llama4"))

    assert Backend.objects.get(name="small").model == "llama3.2"
