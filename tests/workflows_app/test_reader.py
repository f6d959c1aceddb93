import orjson
import pytest

from tests.work import steps
from tests.workflows_app.samples import STRAWBERRY, one_op, two_ops
from workflows_app.errors import InvalidWorkflow, WorkflowCycle
from workflows_app.reader import read


def refusal(source: object) -> str:
    with pytest.raises(InvalidWorkflow) as caught:
        read(source)
    return caught.value.message


def test_the_references_example_is_read():
    workflow = read(STRAWBERRY)

    assert workflow.order == ("reason", "critique", "refine")
    assert workflow.parents == {
        "reason": (),
        "critique": ("reason",),
        "refine": ("critique",),
    }
    reason = workflow.ops["reason"]
    assert (reason.prompt, reason.tier, reason.max_tokens) == (
        "Think step by step.",
        1,
        1024,
    )
    assert workflow.ops["refine"].target == "tier-2"


def test_json_is_read_as_text_and_as_an_object():
    source = two_ops({"temperature": 0, "samples": 3}, {"when": "a"})

    as_text = read(orjson.dumps(source).decode())
    assert as_text.parents == read(source).parents
    assert as_text.ops["a"].samples == 3


def test_json_that_is_not_yaml_is_read_too():
    text = '{"end_ops": ["a"], "ops": {"a": {"prompt": "\\ud83d\\ude42"}}}'

    assert read(text).ops["a"].prompt == "\N{SLIGHTLY SMILING FACE}"


def test_every_field_of_an_op():
    workflow = read(
        """
        name: all
        description: Each field once.
        inputs: [topic, facts]
        start_ops: [list]
        end_ops: [judge]
        max_cost_usd: 0.5
        deadline_s: 30
        ops:
          list:
            prompt: "List {{inputs.topic}}."
            system: Be short.
            model: gpt-x
            temperature: 0.7
            samples: 3
            vote: last_line
            timeout_s: 2.5
            retries: 0
            cache: off
          each:
            template: "{{item}} of {{input}}"
            auto: true
            map: {over: list, max_items: 5, split: paragraphs}
            input_ops: [list]
            on_error: skip
          judge:
            prompt: Judge.
            input_ops: [each, list]
            inputs: {query: false, parents: [each]}
            when: each and not list contains "nothing"
            json_schema: {type: object, required: [score]}
            on_error: fallback_op
            fallback_op: spare
            dedupe: true
          spare:
            prompt: "Instead of {{each}}."
        """.replace("\n        ", "\n")
    )

    listing, each, judge = (workflow.ops[n] for n in ("list", "each", "judge"))
    assert (listing.target, listing.temperature, listing.cache) == ("gpt-x", 0.7, "off")
    assert (listing.samples, listing.vote, listing.retries) == (3, "last_line", 0)
    assert (listing.timeout_s, listing.system) == (2.5, "Be short.")
    assert (each.is_auto, each.on_error, each.map.max_items) == (True, "skip", 5)
    assert (judge.query, judge.shown, judge.dedupe) == (False, ("each",), True)
    assert judge.json_schema == {"type": "object", "required": ["score"]}
    assert judge.fallback_op == "spare" and "spare" not in workflow.parents
    assert workflow.order == ("list", "each", "judge")
    assert (workflow.max_cost_usd, workflow.deadline_s) == (0.5, 30)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "line 1: the file is empty"),
        ("just words", "line 1: a workflow is a mapping with end_ops and ops"),
        ("end_ops: [a]\nops: {}", "line 1: ops must be a mapping of names to ops"),
        (
            "ops:\n  a: {prompt: x}",
            "end_ops is missing: name the ops whose output you want",
        ),
        (
            "end_ops: [b]\nops:\n  a: {prompt: x}",
            'line 1: end_ops names "b", and there is no such op',
        ),
        (
            "end_ops: [a]\nops:\n  a:\n    promt: x",
            'line 4: op "a": unknown field "promt"; did you mean "prompt"?',
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x}\n  a: {prompt: y}",
            'line 4: the key "a" is also on line 3',
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x, tier: low}",
            'line 3: op "a": tier, unless it is auto, must be a whole number from 1 '
            "to 9999",
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x, input_ops: [z]}",
            'line 3: op "a": input_ops names "z", and there is no such op',
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: '{{b}}'}\n  b: {prompt: x}",
            'line 3: op "a": it uses "b": it is not an op before this one',
        ),
        (
            "end_ops: [a]\nops:\n  a: {tier: 1}",
            'line 3: op "a": it needs a prompt or a template',
        ),
        (
            "end_ops: [a]\nops:\n  A-1: {prompt: x}",
            'line 3: op "A-1": the name of an op is 1 to 32 of a-z, 0-9 and _, and not '
            "one of and, false, input, inputs, item, not, null, or, true",
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x, when: 'input ==='}",
            "line 3: op \"a\": when: '=' can't be read",
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x, json_schema: {type: wrong}}",
            "line 3: op \"a\": json_schema: 'wrong' is not valid under any of the "
            "given schemas",
        ),
        (
            "end_ops: [a]\nops:\n  a: {prompt: x, json_schema: {$ref: http://x}}",
            'line 3: op "a": json_schema: a $ref must begin with #: nothing is fetched',
        ),
    ],
)
def test_what_is_wrong_is_said_with_op_and_line(source, message):
    assert refusal(source) == message


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("input_ops: [b]", 5),
        ("input_ops: [z]", 5),
        ("output_ops: [z]", 5),
        ("template: x", 5),
        ("on_error: fallback_op", 5),
        ("fallback_op: z", 5),
        ("on_error: fallback_op\n    fallback_op: z", 6),
        ("model: x\n    tier: 1", 5),
        ("tier: 1\n    auto: true", 6),
        ("samples: 2\n    dedupe: true", 6),
        ("map: b", 5),
        ("when: b", 5),
        ("inputs: {parents: [b]}", 5),
        ("system: Of {{b}}", 5),
    ],
)
def test_what_is_wrong_with_an_op_is_said_at_the_line_of_the_field(field, line):
    text = (
        f"end_ops: [a]\nops:\n  a:\n    prompt: x\n    {field}\n  b:\n    prompt: y\n"
    )
    text += "    output_ops: []\n"
    with pytest.raises(InvalidWorkflow) as caught:
        read(text)
    assert (caught.value.op, caught.value.line) == ("a", line)


def test_a_field_is_called_wrong_where_it_stands():
    assert refusal(one_op(samples=99)) == (
        'op "a": samples must be a whole number from 1 to 16'
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"on_error": "fallback_op"},
        {"fallback_op": "a", "on_error": "fallback_op"},
        {"template": "x"},
        {"samples": 2, "dedupe": True},
        {"samples": 2, "map": "input"},
        {"tier": 1, "auto": True},
        {"tier": 1, "model": "x"},
        {"prompt": "{{item}}"},
        {"prompt": "{{nobody}}"},
        {"inputs": {"parents": ["b"]}},
        {"map": {"max_items": 3}},
        {"dedupe": "maybe"},
        {"temperature": 3},
        {"timeout_s": 0},
        {"prompt": ["x"]},
        {"prompt": "x" * 40_000},
    ],
)
def test_fields_that_make_no_sense_are_refused(fields):
    assert 'op "a"' in refusal(one_op(**fields))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: &a [*a]",
        "a: &x [1]\nb: [*x, *x, *x, *x, *x, *x, *x, *x, *x]",
        "!!python/object/apply:os.system ['id']",
        "a: !!binary aGk=",
        "[" * 6000,
        "a: {" * 6000,
        "a: [" + "1," * 30_000 + "]",
        "x" * 70_000,
        "\x00",
        "a: b: c",
        "--- \na: 1\n---\nb: 2",
        "\N{BYTE ORDER MARK}{",
        "ops:\n" + "".join(f"  o{n}: {{prompt: x}}\n" for n in range(5000)),
    ],
)
def test_bombs_and_odd_texts_are_refused_at_once(text):
    assert steps(lambda: refusal(text)) < 1000 + 30 * len(text)


def test_d17_a_workflow_of_64_kb_is_read_and_no_longer_one():
    text = "end_ops: [a]\nops: {a: {prompt: x}}\n#"
    whole = text + "x" * ((64 << 10) - len(text))

    assert read(whole).order == ("a",)
    assert refusal(whole + "x") == "a workflow may have 64 KB at most"


def test_words_that_yaml_takes_for_other_things_stay_words():
    workflow = read("end_ops: [on]\nops:\n  on: {prompt: no, system: 12:30:00}")

    assert (workflow.ops["on"].prompt, workflow.ops["on"].system) == ("no", "12:30:00")


def test_a_cycle_is_printed_as_a_path():
    with pytest.raises(WorkflowCycle) as caught:
        read(STRAWBERRY + "    output_ops: [reason]\n")

    assert caught.value.message == (
        'line 4: op "reason": the ops form a cycle: '
        "reason -> critique -> refine -> reason"
    )


def test_at_most_64_ops_and_256_edges():
    many = {f"o{n}": {"prompt": "x"} for n in range(65)}
    assert "65 ops; 64 is the most" in refusal({"end_ops": ["o0"], "ops": many})

    wide = {f"s{n}": {"prompt": "x"} for n in range(20)}
    wide |= {f"t{n}": {"prompt": "x", "input_ops": list(wide)} for n in range(13)}
    assert "260 edges; 256 is the most" in refusal({"end_ops": ["t0"], "ops": wide})
