import pytest

from gateway.inflight import InFlight
from tests.gateway.inflight.calls import Upstream


@pytest.fixture
def upstream():
    return Upstream()


@pytest.fixture
def inflight():
    return InFlight()
