import pytest

from gateway.api.feedback import judged, store
from gateway.errors import BadRequest


@pytest.mark.parametrize(
    ("body", "quality"),
    [
        ({"quality": 0.3}, 0.3),
        ({"thumb": "up"}, 1.0),
        ({"thumb": "down"}, 0.0),
        ({"correction": "42"}, 0.0),
        ({"correction": "42", "quality": 0.5}, 0.5),
        ({"correction": "42", "thumb": "up"}, 1.0),
    ],
)
def test_a_vote_is_a_number_a_thumb_or_a_correction(body, quality):
    assert judged(body) == quality


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "quality"),
        ({"quality": 1.1}, "quality"),
        ({"quality": float("nan")}, "quality"),
        ({"quality": True}, "quality"),
        ({"quality": "1"}, "quality"),
        ({"thumb": "sideways"}, "thumb"),
        ({"thumb": ["up"]}, "thumb"),
        ({"thumb": "up", "quality": 1}, "thumb"),
        ({"correction": ""}, "correction"),
        ({"correction": 42}, "correction"),
    ],
)
def test_anything_else_is_refused_by_the_fields_name(body, param):
    with pytest.raises(BadRequest) as caught:
        judged(body)

    assert caught.value.param == param


@pytest.mark.parametrize("body", [{}, {"quality": 1.0}, {"thumb": "up"}])
async def test_a_vote_about_nothing_is_told_how_to_name_its_answer(body):
    with pytest.raises(BadRequest, match="request_id, or tell its score and tier"):
        await store(body, "local")
