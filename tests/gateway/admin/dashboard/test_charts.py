import re
from xml.etree import ElementTree

import pytest

from gateway.admin.dashboard.charts import Series, columns, lines, nice
from gateway.admin.dashboard.formats import short, usd

SVG = "{http://www.w3.org/2000/svg}"


def test_columns_are_stacked_to_scale():
    series = [Series("spent", "#111", [1, 0]), Series("saved", "#222", [3, 2])]

    picture = ElementTree.fromstring(columns(["a", "b"], series, "Money", str))

    tall = [r for r in picture.iter(f"{SVG}rect") if r.get("fill") == "#222"]
    heights = [float(rect.get("height")) for rect in tall]
    assert heights[0] / heights[1] == 1.5
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles == ["a: spent 1, saved 3", "b: spent 0, saved 2"]


def test_what_is_below_zero_is_drawn_below_the_line_of_zero_to_the_same_scale():
    series = [Series("spent", "#111", [4, 4]), Series("saved", "#222", [2, -3])]

    picture = ElementTree.fromstring(columns(["a", "b"], series, "Money", str))

    up, down = (r for r in picture.iter(f"{SVG}rect") if r.get("fill") == "#222")
    spent = [r for r in picture.iter(f"{SVG}rect") if r.get("fill") == "#111"]
    marks = [t.text for t in picture.iter(f"{SVG}text")][:-2]
    assert marks == ["-3.0", "-1.5", "0.0", "1.5", "3.0", "4.5", "6.0"]
    zero = float(spent[1].get("y")) + float(spent[1].get("height"))
    assert float(down.get("y")) == pytest.approx(zero, abs=0.1)
    ratio = float(down.get("height")) / float(up.get("height"))
    assert ratio == pytest.approx(1.5, abs=0.01)


def test_a_chart_of_nothing_but_losses_has_its_axis_above_them():
    picture = columns(["a"], [Series("saved", "#222", [-3])], "Saved", str)

    marks = [t.text for t in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert marks == ["-3.0", "-2.25", "-1.5", "-0.75", "0.0", "a"]


def test_a_line_breaks_where_there_is_no_value():
    series = [Series("p95", "#111", [1, None, 2, 4])]

    picture = ElementTree.fromstring(lines(["a", "b", "c", "d"], series, "Time", str))

    (path,) = picture.iter(f"{SVG}path")
    assert [step[0] for step in re.findall(r"[ML][^ML]+", path.get("d"))] == [*"MML"]
    heights = [float(dot.get("cy")) for dot in picture.iter(f"{SVG}circle")]
    assert heights[0] > heights[1] > heights[2]
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles[:2] == ["a: p95 1", "b: p95 -"]


def test_long_numbers_on_the_axis_have_room():
    series = [Series("spent", "#111", [1])]

    wide, narrow = (
        ElementTree.fromstring(columns(["a"], series, "Money", text.format))
        for text in ("$0.000001", "$1")
    )

    def grid(picture) -> float:
        return float(next(picture.iter(f"{SVG}line")).get("x1"))

    assert grid(wide) - grid(narrow) == 10 * len("0.00000")


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 10, 26, 60, 90, 1234])
def test_counts_have_an_axis_of_whole_numbers(most):
    series = [Series("asked", "#111", [most])]

    picture = ElementTree.fromstring(columns(["a"], series, "", short, whole=True))

    marks = [t.text for t in picture.iter(f"{SVG}text") if t.text != "a"]
    assert len(marks) > 1
    assert "." not in "".join(marks)
    assert float(marks[-1].replace(",", "")) >= most


def test_names_and_labels_are_escaped():
    hostile = "</title><script>alert(1)</script>"

    for draw in (columns, lines):
        picture = draw([hostile], [Series(hostile, "#111", [1])], hostile, str)

        assert "<script" not in picture
        assert ElementTree.fromstring(picture) is not None


def test_an_axis_ends_at_a_round_number():
    assert [nice(v) for v in (0, 0.03, 1, 3, 7, 85, 1000, 1001)] == [
        *(1, 0.03, 1, 3, 8, 100, 1000, 2000)
    ]


def test_dollars_on_an_axis_have_their_sign_before_them():
    assert [usd(value) for value in (-3, -0.75, 0, 1.5)] == [
        *("-$3", "-$0.75", "$0", "$1.50")
    ]
