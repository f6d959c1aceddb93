from datetime import UTC, datetime

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from gateway.models import RequestLog
from routing.models import Backend, Price, RoutingPolicy, Tier
from tests.workflows_app.samples import STRAWBERRY
from workflows_app.models import OpRun, Workflow, WorkflowRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def strawberry() -> Workflow:
    RoutingPolicy.load()
    for rank, name in enumerate(("small", "medium"), 1):
        tier = Tier.objects.create(rank=rank, name=name, max_score=30 * rank)
        backend = Backend.objects.create(
            name=name,
            tier=tier,
            provider="openai-compatible",
            model=name,
            base_url="http://127.0.0.1:9",
        )
        Price.objects.create(
            backend=backend, input=10**9, output=10**9, cache_read=0, cache_write=0
        )
    Tier.objects.filter(rank=2).update(max_score=None)
    row = Workflow(name="strawberry", text=STRAWBERRY)
    row.full_clean()
    row.save()
    return row


def page(client, name: str, *args: object, **data: object):
    return client.get(reverse(f"admin:workflows_app_{name}", args=args), data)


def test_a_workflow_is_drawn_with_a_table_beside_it(admin_client, strawberry):
    html = page(admin_client, "workflow_change", strawberry.pk).content.decode()

    assert '<svg xmlns="http://www.w3.org/2000/svg" role="img"' in html
    assert html.count('marker-end="url(#arrow)"') == 2
    assert "max_tokens: 512" in html


def test_a_wrong_text_is_refused_at_its_line(admin_client, strawberry):
    url = reverse("admin:workflows_app_workflow_change", args=(strawberry.pk,))
    data = {"name": "strawberry", "text": STRAWBERRY.replace("prompt", "promt")}
    management = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}

    answer = admin_client.post(url, {**data, **management})

    assert "line 5: op &quot;reason&quot;: unknown field" in answer.content.decode()
    strawberry.refresh_from_db()
    assert strawberry.version == 1

    data["text"] = STRAWBERRY + "# more\n"
    assert admin_client.post(url, {**data, **management}).status_code == 302
    strawberry.refresh_from_db()
    assert strawberry.version == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "This field is required."),
        ("ops:\n  a: '\0'\n", "Null characters are not allowed."),
    ],
)
def test_a_text_that_its_field_refuses_is_told_of_once(admin_client, text, told):
    url = reverse("admin:workflows_app_workflow_add")
    management = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}

    answer = admin_client.post(url, {"name": "w", "text": text, **management})

    assert answer.context["adminform"].form.errors["text"] == [told]


def test_a_text_is_checked_while_it_is_typed(admin_client, client):
    url = reverse("admin:workflows_app_workflow_check")

    wrong = admin_client.post(url, {"text": "ops: ["}).json()
    right = admin_client.post(url, {"text": STRAWBERRY}).json()

    assert wrong["problem"].startswith("line 2: not YAML")
    assert right["problem"] is None and right["picture"].startswith("<svg")
    assert client.post(url, {"text": STRAWBERRY}).status_code == 302


def test_a_run_is_started_after_its_cost_was_shown(admin_client, strawberry):
    url = reverse("admin:workflows_app_workflow_run", args=(strawberry.pk,))

    shown = admin_client.post(url, {"input": "How many?", "plan": ""})
    assert "expected" in shown.content.decode()
    assert not WorkflowRun.objects.exists()
    admin_client.post(url, {"input": "How many?", "start": ""})

    run = WorkflowRun.objects.get()
    assert (run.status, run.mode, run.workflow) == (
        "queued",
        "background",
        "strawberry",
    )
    assert run.inputs["query"] == "How many?"


@pytest.fixture
def failed_run() -> WorkflowRun:
    run = WorkflowRun.objects.create(
        run_id="run_1",
        scope="local",
        mode="wait",
        status="failed",
        text=STRAWBERRY,
        plan={"critical_path": ["reason"]},
    )
    for number, (op, status) in enumerate(
        (("reason", "succeeded"), ("critique", "failed"), ("refine", "waiting"))
    ):
        OpRun.objects.create(
            run=run,
            op=op,
            status=status,
            output="It is so.",
            request_ids=[f"req_{op}"],
            started_s=number,
            ended_s=number + 0.5,
        )
    return run


def test_more_than_the_api_takes_is_refused_as_a_runs_ceiling(admin_client, strawberry):
    url = reverse("admin:workflows_app_workflow_run", args=(strawberry.pk,))

    answer = admin_client.post(url, {"max_cost_usd": "1e300", "start": "1"})

    told = ["Ensure this value is less than or equal to 1000000."]
    assert answer.context["form"].errors == {"max_cost_usd": told}
    assert not WorkflowRun.objects.exists()


def test_a_run_is_drawn_and_leads_to_the_story_of_its_requests(
    admin_client, failed_run
):
    log = RequestLog.objects.create(
        request_id="req_reason", at=failed_run.created_at, status=200, scope="local"
    )

    html = page(admin_client, "workflowrun_change", failed_run.pk).content.decode()

    assert html.count("<svg xmlns") == 2
    story = reverse("admin:gateway_requestlog_change", args=(log.pk,))
    assert html.count(f'href="{story}"') == 2
    assert 'stroke="#dc2626"' in html
    assert "failed: 2 of 3 ops have ended" in html
    assert "not begun" in html and "waiting" not in html


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (
            {
                "webhook_state": "waiting",
                "webhook_tries": 2,
                "webhook_problem": "It answered 503.",
                "webhook_due": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
            },
            "Waiting, 2 tries, the last: It answered 503, the next at 2026-03-01 "
            "12:30:00 UTC",
        ),
        ({"webhook_state": "delivered", "webhook_tries": 1}, "Delivered, 1 try"),
        ({"webhook_state": "waiting"}, "Waiting"),
    ],
)
def test_the_page_of_a_run_tells_how_its_webhook_went(
    admin_client, failed_run, state, shown
):
    url = "https://hooks.example.com/runs"
    WorkflowRun.objects.update(webhook=url, batch="batch_1", **state)

    html = page(admin_client, "workflowrun_change", failed_run.pk).content.decode()

    assert f": {shown}<" in html and "batch_1" in html


def act(client, name: str, action: str, *rows) -> str:
    data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
    url = reverse(f"admin:workflows_app_{name}_changelist")
    return client.post(url, data, follow=True).content.decode()


def test_a_failed_run_is_resumed_where_it_failed(admin_client, failed_run):
    assert "1 run goes on" in act(admin_client, "workflowrun", "resume", failed_run)

    failed_run.refresh_from_db()
    assert (failed_run.status, failed_run.mode) == ("queued", "background")
    assert [op.op for op in failed_run.ops.all()] == ["reason"]


def test_a_run_that_succeeded_is_not_resumed(admin_client, failed_run):
    copied = {"mode": "sync", "scope": "local", "text": failed_run.text}
    done = WorkflowRun.objects.create(run_id="r2", status="succeeded", **copied)

    html = act(admin_client, "workflowrun", "resume", failed_run, done)

    assert "1 run goes on within a second. 1 had nothing to resume." in html
    done.refresh_from_db()
    assert (done.status, done.mode) == ("succeeded", "sync")
    html = act(admin_client, "workflowrun", "cancel", done)
    assert "0 runs end within a second. 1 had ended." in html


def test_a_run_is_done_again_from_an_op_on(admin_client, failed_run):
    WorkflowRun.objects.update(status="succeeded")
    OpRun.objects.update(status="succeeded")
    critique = OpRun.objects.get(op="critique")

    act(admin_client, "oprun", "from_here", critique)

    assert [op.op for op in failed_run.ops.all()] == ["reason"]
    failed_run.refresh_from_db()
    assert failed_run.status == "queued"


def test_a_queued_run_is_cancelled(admin_client, failed_run):
    act(admin_client, "workflowrun", "again", failed_run)
    act(admin_client, "workflowrun", "cancel", failed_run)

    failed_run.refresh_from_db()
    assert failed_run.status == "cancelled"
    assert not failed_run.ops.exists()


def test_a_stored_text_that_is_no_workflow_is_mended_before_it_runs(admin_client):
    row = Workflow.objects.create(name="odd", text="no workflow")

    answer = page(admin_client, "workflow_run", row.pk)

    assert answer.status_code == 302
    assert answer.url == "../change/"
    html = page(admin_client, "workflow_change", row.pk).content.decode()
    assert "a workflow is a mapping with end_ops and ops" in html


def test_an_op_is_told_in_dollars_and_seconds(admin_client, failed_run):
    op = failed_run.ops.first()
    OpRun.objects.update(cost_nano=50_000_000, started_s=1, ended_s=3.5)

    html = page(admin_client, "oprun_change", op.pk).content.decode()

    assert "$0.05" in html and "2.50 s" in html
    assert "nano" not in html.lower()


def test_two_runs_are_compared(admin_client, failed_run):
    other = WorkflowRun.objects.create(
        run_id="run_2", scope="local", mode="wait", status="succeeded", text=STRAWBERRY
    )

    html = act(admin_client, "workflowrun", "compare", failed_run, other)

    assert "run_1" in html and "run_2" in html and "It is so." in html
    assert "Choose two runs." in act(admin_client, "workflowrun", "compare", other)


def test_runs_are_filtered_by_cost_and_day(admin_client, failed_run):
    WorkflowRun.objects.update(cost_nano=50_000_000)

    shown = page(admin_client, "workflowrun_changelist", cost="0.01").content.decode()
    hidden = page(admin_client, "workflowrun_changelist", cost="1").content.decode()
    odd = page(admin_client, "workflowrun_changelist", cost="x").content.decode()

    assert "run_1" in shown and "run_1" not in hidden and "run_1" in odd

    day = str(failed_run.created_at.date())
    shown = page(admin_client, "workflowrun_changelist", when=day).content.decode()
    hidden = page(admin_client, "workflowrun_changelist", when="2000-01-01")

    assert "run_1" in shown and "run_1" not in hidden.content.decode()
