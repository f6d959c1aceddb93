"""Trying a prompt: as a dry run, as a whole answer, and as a stream."""

import asyncio
import json
import subprocess
import sys

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Group, User

from gateway.admin.playground import playground, playground_stream
from gateway.admin.playground_form import PlaygroundForm
from gateway.admin.playground_snippets import curl, python, workflow
from tests.gateway.admin.playground import page
from tests.harness import one_backend, serving
from workflows_app import prompt, reader
from workflows_app.prompt import Context, read_inputs


@pytest.fixture
def operator(transactional_db):
    user = User.objects.create_user("op", is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    return user


async def test_a_dry_run_tells_who_would_answer_and_asks_nobody(
    operator, upstream, tmp_path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await playground(page(operator, gateway, dry="1"))

    shown = response.content.decode()
    assert "small (chosen)" in shown
    assert "Complexity" in shown
    assert upstream.attempts == []


async def test_two_models_answer_side_by_side_and_land_in_the_books(
    operator, upstream, tmp_path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        request = page(operator, gateway, send="1", other_model="nobody")
        shown = (await playground(request)).content.decode()
        await asyncio.sleep(0)

    assert len(upstream.attempts) == 1
    assert "Result of auto" in shown
    assert "What was decided" in shown
    assert "nobody" in shown
    assert 'role="alert"' in shown
    assert "$LLM_ROUTER_KEY" in shown


async def test_an_answer_streams_and_ends_with_what_it_cost(
    operator, upstream, tmp_path
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await playground_stream(page(operator, gateway, which="0"))
        events = [event async for event in response.streaming_content]
        held = gateway.runtime.admission.in_flight

    assert response["Content-Type"] == "text/event-stream"
    assert len(events) > 2
    told = json.loads(events[-1].removeprefix(b"data: "))["llm_router"]
    facts = dict(told["facts"])
    assert (facts["Backend"], facts["Cache"]) == ("small", "MISS")
    assert told["request_id"].startswith("req_")
    assert held == 0


async def test_a_person_shares_answers_with_nobody_else(operator, upstream, tmp_path):
    other = await sync_to_async(User.objects.create_superuser)("root")
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        for user in (operator, operator, other):
            await playground(page(user, gateway, send="1"))

    assert len(upstream.attempts) == 2


@pytest.mark.parametrize("view", [playground, playground_stream])
async def test_who_may_not_run_the_gateway_sends_nothing(
    view, transactional_db, upstream, tmp_path
):
    viewer = await sync_to_async(User.objects.create_user)("viewer", is_staff=True)
    group = await sync_to_async(Group.objects.get)(name="viewer")
    await sync_to_async(viewer.groups.add)(group)
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        refused = await view(page(viewer, gateway, send="1", which="0"))
        stranger = await view(page(AnonymousUser(), gateway, send="1", which="0"))

    assert (refused.status_code, stranger.status_code) == (403, 302)
    assert upstream.attempts == []


@pytest.mark.parametrize("which", ["", "1", "2", "-1", "x"])
async def test_a_model_that_was_not_named_is_not_asked(
    operator, upstream, tmp_path, which
):
    async with serving(one_backend(upstream.url), tmp_path) as gateway:
        response = await playground_stream(page(operator, gateway, which=which))

    assert response.status_code == 400
    assert upstream.attempts == []


async def test_without_the_gateway_the_page_says_so(operator):
    response = await playground(page(operator, send="1"))

    assert "This process serves no requests" in response.content.decode()


def test_the_body_has_what_was_filled_in():
    form = PlaygroundForm(
        {
            "system": "Be brief.",
            "prompt": "What is it?",
            "model": "auto",
            "image": "https://example.com/a.png",
            "max_tokens": "5",
            "temperature": "0.2",
            "json_mode": "on",
            "tools": '[{"type": "function"}]',
        }
    )
    assert form.is_valid()

    assert form.body("auto") == {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "https://example.com/a.png"},
                    },
                ],
            },
        ],
        "max_tokens": 5,
        "temperature": 0.2,
        "tools": [{"type": "function"}],
        "response_format": {"type": "json_object"},
    }


HOSTILE = 'it\'s "quoted" $(touch x) `id` \\ \n\'\'\'"""{0} é'


def test_the_snippets_say_exactly_what_was_typed():
    body = {"model": "auto", "messages": [{"role": "user", "content": HOSTILE}]}
    fake = "curl() { cat; }; " + curl("http://gateway/v1", body)
    said = subprocess.run(
        ["bash", "-c", fake], capture_output=True, text=True, check=True
    )
    assert json.loads(said.stdout) == body

    script = python("http://gateway/v1", body)
    script = script.replace("from openai import OpenAI", FAKE_SDK)
    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"LLM_ROUTER_KEY": "k", "PYTHONUTF8": "1"},
        check=True,
    )
    assert json.loads(said.stdout.splitlines()[0]) == body


def test_the_workflow_asks_the_model_the_same():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": HOSTILE + " {{op}}"},
    ]
    body = {"model": "tier-2", "messages": messages, "max_tokens": 5}
    command = workflow("http://gateway/v1", body)
    fake = "curl() { cat; }; " + command
    said = subprocess.run(
        ["bash", "-c", fake], capture_output=True, text=True, check=True
    )
    sent = json.loads(said.stdout)

    assert "/v1/workflows" in command
    op = reader.read(sent["workflow"]).ops["answer"]
    context = Context(read_inputs(sent["input"]), {})
    assert (op.tier, op.max_tokens) == (2, 5)
    assert prompt.messages(op, (), context) == messages


@pytest.mark.parametrize(
    ("model", "told"),
    [("auto", {"auto": True}), ("tier-3", {"tier": 3}), ("small", {"model": "small"})],
)
def test_a_workflow_names_the_model_as_an_op_does(model, told):
    asked = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    for name, value in told.items():
        assert f'"{name}": {json.dumps(value)}' in workflow("http://g/v1", asked)


def test_what_no_op_can_say_makes_no_workflow():
    asked = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
    pictured = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert workflow("http://g/v1", asked | {"tools": [{}]}) == ""
    assert workflow("http://g/v1", asked | {"messages": pictured}) == ""


FAKE_SDK = """
import json
from types import SimpleNamespace as Box
def create(**body):
    print(json.dumps(body))
    return Box(choices=[Box(message=Box(content=""))])
def OpenAI(**options):
    return Box(chat=Box(completions=Box(create=create)))
"""
