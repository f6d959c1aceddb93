import pytest
from django.core.exceptions import ValidationError

from routing.models import RouterModel

pytestmark = pytest.mark.django_db
Status = RouterModel.Status


def keep(**metrics: object) -> RouterModel:
    return RouterModel.keep(b"data", {"objections": [], **metrics})


def statuses() -> list[str]:
    return list(
        RouterModel.objects.order_by("version").values_list("status", flat=True)
    )


def test_one_router_decides_and_the_one_before_it_rests():
    first, second = keep(), keep()

    first.activate()
    second.activate()

    assert (first.version, second.version) == (1, 2)
    assert statuses() == [Status.RETIRED, Status.ACTIVE]


def test_each_step_back_goes_one_router_further():
    for _ in range(3):
        keep().activate()

    assert RouterModel.step_back().version == 2
    assert statuses() == [Status.RETIRED, Status.ACTIVE, Status.RETIRED]
    assert RouterModel.step_back().version == 1
    assert RouterModel.step_back() is None
    assert statuses() == [Status.RETIRED] * 3
    assert RouterModel.step_back() is None


def test_a_router_that_must_not_decide_is_refused_with_the_reasons():
    with pytest.raises(ValidationError, match="It does not beat log"):
        keep(objections=["It does not beat log(length)."]).activate()
    with pytest.raises(ValidationError, match="never measured"):
        RouterModel.keep(b"data", {}).activate()

    assert statuses() == [Status.DRAFT, Status.DRAFT]


def test_one_router_is_watched_at_a_time():
    first, second = keep(), keep()

    first.watch()
    second.watch()

    assert statuses() == [Status.DRAFT, Status.SHADOW]
