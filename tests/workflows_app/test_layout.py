"""A graph is drawn so that it can be read: no box on another, no edge through a box."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workflows_app.layout import (
    GAP,
    Layers,
    crossings,
    layered,
    positions,
    untangle,
)

# A gap may come out a rounding error smaller.
TINY = 1e-9


def drawn(parents: dict[str, tuple[str, ...]]) -> Layers:
    found = layered(parents)
    untangle(found)
    return found


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Ops in topological order, each with some of those before it as inputs."""
    names = [f"op{number}" for number in range(draw(st.integers(1, 24)))]
    found: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(names):
        inputs = st.lists(st.sampled_from(names[:place]), unique=True, max_size=4)
        found[name] = tuple(draw(inputs)) if place else ()
    return found


@given(graphs())
def test_in_a_layer_nothing_touches_its_neighbours(parents):
    layers = drawn(parents)
    middles = positions(layers)

    for column in layers.columns:
        for one, other in pairwise(column):
            apart = middles[other] - middles[one]
            needed = (layers.height(one) + layers.height(other)) / 2 + GAP
            assert apart >= needed - TINY
    assert all(y - layers.height(slot) / 2 >= -TINY for slot, y in middles.items())


@given(graphs())
def test_every_edge_is_a_way_through_neighbouring_layers_and_lanes_of_its_own(parents):
    layers = drawn(parents)
    layer_of = dict(layers.boxes)

    for name, inputs in parents.items():
        for parent in inputs:
            way = [(parent, n) for n in range(layer_of[parent], layer_of[name])]
            way.append((name, layer_of[name]))
            assert not set(way[1:-1]) & layers.boxes
            for one, other in pairwise(way):
                assert other in layers.after[one]
                assert other in layers.columns[one[1] + 1]
    links = sum(map(len, layers.after.values()))
    assert links == sum(map(len, layers.before.values()))


@given(graphs())
def test_untangling_never_adds_a_crossing_and_loses_no_slot(parents):
    before, after = layered(parents), drawn(parents)

    assert crossings(after) <= crossings(before)
    for one, other in zip(before.columns, after.columns, strict=True):
        assert sorted(one) == sorted(other)


def test_a_graph_that_can_be_drawn_without_crossings_is():
    pairs = {f"a{n}": () for n in range(6)}
    crossed = {f"b{n}": (f"a{5 - n}",) for n in range(6)}

    layers = drawn({**pairs, **crossed})

    assert crossings(layered({**pairs, **crossed})) == 15
    assert crossings(layers) == 0


def test_a_chain_is_a_straight_line_and_a_fan_is_centred():
    chain = positions(drawn({"a": (), "b": ("a",), "c": ("b",)}))
    fan = positions(drawn({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}))

    assert len(set(chain.values())) == 1
    assert fan["a", 0] == fan["d", 2] == (fan["b", 1] + fan["c", 1]) / 2


def test_crossings_are_counted_between_each_two_layers():
    three = ("a", "b", "c")
    layers = layered({**dict.fromkeys(three, ()), **dict.fromkeys("def", three)})

    assert crossings(layers) == 9
