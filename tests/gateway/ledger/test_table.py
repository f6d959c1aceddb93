import pytest

from gateway.ledger.table import ROWS_AT_ONCE, Table, portions
from gateway.models import RequestLog
from tests.gateway.ledger.samples import request


@pytest.mark.parametrize("many", [0, 1, 2, 3, 7, 255, 256, 257, 1000])
def test_rows_are_written_in_order_and_in_few_sizes(many: int):
    rows = [[number] for number in range(many)]

    found = list(portions(rows))

    assert [row for some in found for row in some] == rows
    sizes = [len(some) for some in found]
    assert all(size & (size - 1) == 0 and size <= ROWS_AT_ONCE for size in sizes)
    assert len(found) <= many // ROWS_AT_ONCE + ROWS_AT_ONCE.bit_length()


@pytest.mark.django_db
def test_percent_and_question_marks_in_a_value_are_kept_as_they_are():
    table = Table(RequestLog)
    said = "100 %s? %% ?"

    table.insert([table.values(request("a") | {"model_asked": said})])

    assert RequestLog.objects.get().model_asked == said
