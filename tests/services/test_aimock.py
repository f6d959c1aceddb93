"""The four crossings with an upstream that nobody here wrote: @copilotkit/aimock."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from routing.catalog import Catalog, Tier
from tests import ROOT
from tests.harness import backend, serving
from tests.required import missing

pytestmark = pytest.mark.service

SERVER = ROOT / "node_modules/@copilotkit/aimock/dist/cli.js"
INSTALL = "npm install --prefix . --no-save --no-package-lock @copilotkit/aimock@1.43.0"
LISTENS = re.compile(r"http://127\.0\.0\.1:\d+")
ANSWER = "The capital of France is Paris, as it has been for a long time."
VECTOR = [0.5, -0.25, 0.125]
FIXTURES = [
    {
        "match": {"userMessage": "capital"},
        "response": {
            "content": ANSWER,
            "usage": {
                "input_tokens": 9,
                "output_tokens": 14,
                "prompt_tokens": 9,
                "completion_tokens": 14,
            },
        },
    },
    {
        "match": {"userMessage": "think"},
        "response": {"content": "42", "reasoning": "Six times seven."},
    },
    {
        "match": {"userMessage": "weather", "turnIndex": 0},
        "response": {
            "content": "Let me look.",
            "toolCalls": [
                {"name": "weather", "arguments": {"city": "Rome"}},
                {"name": "weather", "arguments": {"city": "Oslo"}},
            ],
        },
    },
    {"match": {"turnIndex": 1}, "response": {"content": "Sunny, and snow."}},
    {
        "match": {"userMessage": "limit"},
        "response": {"error": {"message": "slow", "type": "x"}, "status": 429},
    },
    {
        "match": {"userMessage": "refuse"},
        "response": {"error": {"message": "no such tool", "type": "x"}, "status": 400},
    },
]
FIXTURES.append({"match": {"inputText": "vec"}, "response": {"embedding": VECTOR}})
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "description": "Of a city.", "input_schema": SCHEMA}
FUNCTION = {"name": "weather", "description": "Of a city.", "parameters": SCHEMA}


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    node = shutil.which("node")
    if not node or not SERVER.exists():
        missing(f"aimock is not installed (with Node at hand: {INSTALL})")
    folder = tmp_path_factory.mktemp("aimock")
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    command = [node, str(SERVER), "--port", "0", "--fixtures", str(fixtures)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--strict"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        found = (match for line in lines if (match := LISTENS.search(line)))
        yield next(found)[0]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(params=["anthropic", "openai"])
async def url(
    request: pytest.FixtureRequest, aimock: str, tmp_path: Path
) -> AsyncIterator[str]:
    """A gateway in front of either of its APIs."""
    model = "claude-sonnet-4-6" if request.param == "anthropic" else "gpt-5"
    only = backend("only", 1, aimock, provider=request.param, model=model)
    catalog = Catalog((Tier(1, "small"),), (only,))
    async with serving(catalog, tmp_path) as gateway:
        yield gateway.url


@pytest.fixture
async def claude(url: str) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
async def chat(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0
    ) as client:
        yield client


def asked(text: str, **more: object) -> dict:
    said = {"role": "user", "content": text}
    return {"model": "auto", "max_tokens": 2000, "messages": [said], **more}


async def test_anthropics_sdk(claude: AsyncAnthropic):
    whole = await claude.messages.create(**asked("capital?"))
    async with claude.messages.stream(**asked("capital, streamed?")) as events:
        text = "".join([piece async for piece in events.text_stream])
        last = await events.get_final_message()

    assert whole.content[0].text == text == ANSWER
    assert whole.stop_reason == last.stop_reason == "end_turn"
    for usage in (whole.usage, last.usage):
        assert (usage.input_tokens, usage.output_tokens) == (9, 14)


async def test_openais_sdk(chat: AsyncOpenAI):
    whole = await chat.chat.completions.create(**asked("capital?"))
    stream = await chat.chat.completions.create(
        **asked("capital, streamed?"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert whole.choices[0].message.content == text == ANSWER
    assert whole.choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 14


@pytest.mark.parametrize("stream", [False, True])
async def test_a_loop_of_tools_with_anthropics_sdk(claude: AsyncAnthropic, stream):
    body = asked("weather?", tools=[TOOL])
    for _ in range(2):
        if stream:
            async with claude.messages.stream(**body) as events:
                message = await events.get_final_message()
        else:
            message = await claude.messages.create(**body)
        uses = [block for block in message.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": "fine"}
            for use in uses
        ]
        said = [block.to_dict() for block in message.content]
        body["messages"] += [
            {"role": "assistant", "content": said},
            {"role": "user", "content": results},
        ]
        if not uses:
            break
        assert [use.input["city"] for use in uses] == ["Rome", "Oslo"]
        assert message.stop_reason == "tool_use"

    assert message.content[0].text == "Sunny, and snow."


@pytest.mark.parametrize("stream", [False, True])
async def test_a_loop_of_tools_with_openais_sdk(chat: AsyncOpenAI, stream: bool):
    body = asked("weather?", tools=[{"type": "function", "function": FUNCTION}])
    for _ in range(2):
        if stream:
            async with chat.chat.completions.stream(**body) as events:
                completion = await events.get_final_completion()
        else:
            completion = await chat.chat.completions.create(**body)
        message = completion.choices[0].message
        body["messages"].append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        cities = [
            json.loads(call.function.arguments)["city"] for call in message.tool_calls
        ]
        assert cities == ["Rome", "Oslo"]
        body["messages"] += [
            {"role": "tool", "tool_call_id": call.id, "content": "fine"}
            for call in message.tool_calls
        ]

    assert message.content == "Sunny, and snow."


async def test_thinking_reaches_who_asked_for_it(claude: AsyncAnthropic):
    body = asked("think!", thinking={"type": "enabled", "budget_tokens": 1024})
    whole = await claude.messages.create(**body)
    async with claude.messages.stream(**body) as events:
        streamed = await events.get_final_message()

    for message in (whole, streamed):
        thought, answer = message.content
        assert thought.thinking == "Six times seven."
        assert answer.text == "42"


async def test_errors_reach_either_sdk_as_its_own(
    claude: AsyncAnthropic, chat: AsyncOpenAI
):
    with pytest.raises(openai.BadRequestError, match="no such tool"):
        await chat.chat.completions.create(**asked("refuse"))
    with pytest.raises(anthropic.RateLimitError):
        await claude.messages.create(**asked("limit"))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_loop_of_tools_over_the_responses_api(chat: AsyncOpenAI, stream: bool):
    history: list = [{"role": "user", "content": "weather?"}]
    tool = {"type": "function", "strict": False, **FUNCTION}
    for _ in range(2):
        body = {"model": "auto", "input": history, "tools": [tool]}
        if stream:
            async with chat.responses.stream(**body) as events:
                response = await events.get_final_response()
        else:
            response = await chat.responses.create(**body)
        calls = [item for item in response.output if item.type == "function_call"]
        history += [item.model_dump(exclude_none=True) for item in response.output]
        if not calls:
            break
        cities = [json.loads(call.arguments)["city"] for call in calls]
        assert cities == ["Rome", "Oslo"]
        history += [
            {"type": "function_call_output", "call_id": c.call_id, "output": "fine"}
            for c in calls
        ]

    assert response.output_text == "Sunny, and snow."


async def test_responses_whole_and_streamed(chat: AsyncOpenAI):
    whole = await chat.responses.create(model="auto", input="capital?")
    async with chat.responses.stream(model="auto", input="capital, too?") as events:
        numbers = [event.sequence_number async for event in events]
        streamed = await events.get_final_response()

    assert whole.output_text == streamed.output_text == ANSWER
    for usage in (whole.usage, streamed.usage):
        assert (usage.input_tokens, usage.output_tokens) == (9, 14)
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("stream", [False, True])
async def test_responses_that_no_chat_can_say_go_as_they_are(
    aimock: str, tmp_path: Path, stream: bool
):
    only = backend("only", 1, aimock, provider="openai", model="gpt-5")
    body = {"model": "auto", "input": "capital?", "truncation": "auto"}
    async with (
        serving(Catalog((Tier(1, "small"),), (only,)), tmp_path) as gateway,
        AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any") as client,
    ):
        if stream:
            async with client.responses.stream(**body) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.create(**body)

    assert response.output_text == ANSWER
    assert gateway.records("attempt")[0]["state"] == "billed"


async def test_embeddings(aimock: str, tmp_path: Path):
    model = "text-embedding-3-small"
    only = backend("only", 1, aimock, provider="openai", model=model)
    async with (
        serving(Catalog((Tier(1, "small"),), (only,)), tmp_path) as gateway,
        AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any") as client,
    ):
        answers = [
            await client.embeddings.create(model=model, input=["vec 1", "vec 2"])
            for _ in range(2)
        ]

    assert [each.embedding for each in answers[0].data] == [VECTOR, VECTOR]
    assert answers[1].data == answers[0].data
    assert len(gateway.records("attempt")) == 1


async def test_legacy_completions(chat: AsyncOpenAI):
    whole = await chat.completions.create(model="auto", prompt="capital?")
    stream = await chat.completions.create(
        model="auto", prompt="capital, streamed?", stream=True
    )
    text = "".join([piece.choices[0].text async for piece in stream])

    assert whole.choices[0].text == text == ANSWER
