"""The picture of a graph, as people and screen readers get it."""

import re

from workflows_app.drawing import STEP, WIDTH, Node, graph

NODES = [
    Node("start", href="/start"),
    Node("left", ("start",), href="/left"),
    Node("right", ("start",), href="/right"),
    Node("end", ("left", "right", "start"), href="/end"),
]


def test_links_are_in_the_order_of_the_layers_for_who_goes_by_keyboard():
    assert re.findall('href="/([a-z]+)"', graph(NODES)) in (
        ["start", "left", "right", "end"],
        ["start", "right", "left", "end"],
    )
    assert graph(NODES) == graph(NODES)


def test_an_edge_over_a_layer_passes_between_its_boxes():
    drawn = graph(NODES)
    boxes = [
        (int(x), int(y), int(y) + int(height))
        for x, y, height in re.findall(
            r'<rect x="(\d+)" y="(\d+)" width="\d+" height="(\d+)"', drawn
        )
    ]
    [(x, y, end)] = re.findall(r'<path d="M(\d+) (\d+)H(\d+)"', drawn)

    beside = [(top, bottom) for left, top, bottom in boxes if left == int(x)]
    assert int(end) - int(x) == WIDTH
    assert len(beside) == 2
    assert all(not top <= int(y) <= bottom for top, bottom in beside)
    assert {left % STEP for left, _, _ in boxes} == {int(x) % STEP}


def test_names_are_shown_as_text():
    drawn = graph([Node('"><script>', note="<b>")])

    assert "<script>" not in drawn
    assert "<b>" not in drawn
