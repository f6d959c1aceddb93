from xml.etree import ElementTree

from gateway.admin.dashboard.charts import Series, columns, nice

SVG = "{http://www.w3.org/2000/svg}"


def test_columns_are_stacked_to_scale():
    series = [Series("spent", "#111", [1, 0]), Series("saved", "#222", [3, 2])]

    picture = ElementTree.fromstring(columns(["a", "b"], series, "Money", str))

    tall = [r for r in picture.iter(f"{SVG}rect") if r.get("fill") == "#222"]
    heights = [float(rect.get("height")) for rect in tall]
    assert heights[0] / heights[1] == 1.5
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles == ["a: spent 1, saved 3", "b: spent 0, saved 2"]


def test_names_and_labels_are_escaped():
    hostile = "</title><script>alert(1)</script>"

    picture = columns([hostile], [Series(hostile, "#111", [1])], hostile, str)

    assert "<script" not in picture
    assert ElementTree.fromstring(picture) is not None


def test_an_axis_ends_at_a_round_number():
    assert [nice(v) for v in (0, 0.03, 1, 3, 7, 85, 1000, 1001)] == [
        *(1, 0.03, 1, 3, 8, 100, 1000, 2000)
    ]
