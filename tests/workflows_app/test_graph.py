from graphlib import CycleError, TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.definition import Op
from workflows_app.errors import InvalidWorkflow, WorkflowCycle
from workflows_app.graph import build


def ops_of(**edges: tuple[list[str] | None, list[str] | None]) -> dict[str, Op]:
    """Ops by name, each with its input_ops and output_ops."""
    return {
        name: Op(
            name,
            line=number,
            prompt="x",
            input_ops=None if inputs is None else tuple(inputs),
            output_ops=None if outputs is None else tuple(outputs),
        )
        for number, (name, (inputs, outputs)) in enumerate(edges.items(), 1)
    }


@pytest.mark.parametrize(
    "ops",
    [
        ops_of(a=(None, ["b"]), b=(None, None)),
        ops_of(a=(None, None), b=(["a"], None)),
        ops_of(a=(None, ["b"]), b=(["a"], None)),
    ],
)
def test_an_edge_may_be_written_on_either_side(ops):
    graph = build(ops, None, ("b",), {})

    assert graph.parents == {"a": (), "b": ("a",)}
    assert graph.children == {"a": ("b",), "b": ()}
    assert graph.start_ops == ("a",)


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        (
            ops_of(a=(None, []), b=(["a"], None)),
            'line 2: op "b": it takes input from "a", but the output_ops of "a" '
            "(line 1) don't name it",
        ),
        (
            ops_of(a=(None, ["b"]), b=([], None)),
            'line 1: op "a": its output goes to "b", but the input_ops of "b" '
            "(line 2) don't name it",
        ),
    ],
)
def test_sides_that_contradict_each_other_are_refused(ops, message):
    with pytest.raises(InvalidWorkflow) as caught:
        build(ops, None, ("b",), {})

    assert caught.value.message == message


def test_an_op_that_feeds_itself_is_a_cycle():
    with pytest.raises(WorkflowCycle, match="a -> a"):
        build(ops_of(a=(["a"], None)), None, ("a",), {})


def test_an_op_that_no_start_leads_to_is_refused():
    ops = ops_of(a=(None, None), b=(None, None), c=(["b"], None))

    with pytest.raises(InvalidWorkflow, match='line 2: op "b": no op of start_ops'):
        build(ops, ("a",), ("a",), {})


def test_a_start_with_inputs_is_refused():
    ops = ops_of(a=(None, None), b=(["a"], None))

    with pytest.raises(InvalidWorkflow, match='op "b": it is in start_ops, but'):
        build(ops, ("a", "b"), ("b",), {})


NAMES = [f"o{n}" for n in range(8)]
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=4),
    min_size=1,
)


@given(GRAPHS)
def test_any_graph_is_ordered_or_its_cycle_is_told(inputs):
    known = {n: [i for i in found if i in inputs] for n, found in inputs.items()}
    ops = ops_of(**{n: (found, None) for n, found in known.items()})
    try:
        TopologicalSorter(known).prepare()
        cyclic = False
    except CycleError:
        cyclic = True

    try:
        graph = build(ops, None, (next(iter(ops)),), {})
    except WorkflowCycle as error:
        assert cyclic
        path = error.reason.partition(": ")[2].split(" -> ")
        assert path[0] == path[-1] and len(path) > 1
        for earlier, later in zip(path, path[1:], strict=False):
            assert earlier in known[later]
        return
    assert not cyclic
    for name, found in graph.parents.items():
        for parent in found:
            assert graph.order.index(parent) < graph.order.index(name)
    assert sorted(graph.order) == sorted(known)
