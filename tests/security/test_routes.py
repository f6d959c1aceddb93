"""S4, S7: every address needs the right credential, however its name is written."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from django.urls import URLPattern

from config.api_urls import urlpatterns
from gateway.asgi.routes import PATTERNS, ROUTES, find
from tests.security.conftest import TwoTenants

PUBLIC = {"/health", "/ready"}


def example(pattern: URLPattern) -> str:
    """An address that the pattern matches."""
    path = str(pattern.pattern)
    for converter in (
        "<path:model>",
        "<str:request_id>",
        "<str:run_id>",
        "<str:batch_id>",
    ):
        path = path.replace(converter, "x")
    assert "<" not in path, "give this new converter a value here"
    return f"/{path}"


PATHS = [example(pattern) for pattern in urlpatterns]


def methods_of(path: str) -> list[str]:
    route = find(path)
    assert route is not None, f"{path} is not in gateway/asgi/routes.py"
    return sorted(route.methods)


def test_s4_the_guard_and_the_resolver_know_the_same_addresses():
    assert {path for path in PATHS if path in ROUTES} == set(ROUTES)
    assert len(PATHS) == len(ROUTES) + len(PATTERNS)
    assert {path for path in PATHS if find(path).public} == PUBLIC


@pytest.mark.parametrize("path", PATHS)
def test_s4_every_address_but_health_and_ready_needs_a_key(
    tenants: TwoTenants, path: str
):
    with tenants.client() as client:
        answers = [client.request(method, path) for method in methods_of(path)]

    expected = {200} if path in PUBLIC else {401}
    assert {answer.status_code for answer in answers} == expected
    for answer in answers:
        assert answer.headers["x-request-id"]
        assert answer.headers["content-type"] == "application/json"


def raw(tenants: TwoTenants, request: bytes) -> tuple[int, bytes]:
    """Status and everything of the answer to these bytes."""
    host, port = tenants.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as peer:
        peer.sendall(request)
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def get(tenants: TwoTenants, path: str, *lines: str) -> tuple[int, bytes]:
    host = () if any(line.lower().startswith("host") for line in lines) else HOST
    head = "\r\n".join([f"GET {path} HTTP/1.1", *host, *lines, "connection: close"])
    return raw(tenants, head.encode("latin-1") + b"\r\n\r\n")


HOST = ("host: localhost",)
ODD_PATHS = [
    "//v1/models",
    "/./v1/models",
    "/v1//models",
    "/v1/./models",
    "/v1/../v1/models",
    "/admin/../v1/models",
    "/health/../v1/models",
    "/health/..;/v1/models",
    "/health%2f..%2fv1%2fmodels",
    "/health?/../v1/models",
    "/v1/models/../../health",
    "/v1%2fmodels",
    "/%76%31/models",
    "/v1/models%00",
    "/v1/models%00/health",
    "/v1/models;/health",
    "/v1/models/",
    "/V1/MODELS",
    "/v1\\models",
    "/stats/",
    "/stats%20",
    "/STATS",
    "/metrics/",
    "/metrics#/health",
    "//metrics",
    "/v1/../metrics",
    "/v1/../admin/",
    "/health/v1/models",
    "http://localhost/v1/models",
    "http://localhost/health/../stats",
    "*",
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_s4_no_way_of_writing_an_address_gets_past_the_key(
    tenants: TwoTenants, path: str
):
    status, answer = get(tenants, path)

    health = path == "/health?/../v1/models"
    assert status == 200 if health else status in (302, 400, 401, 404)
    for word in (b"owned_by", b"total_requests", b"llm_router_", b"healthy"):
        assert word not in answer


def test_s4_the_admin_is_under_its_own_name_only(tenants: TwoTenants):
    bearer = f"authorization: Bearer {tenants.red}"
    answers = [
        get(tenants, path, bearer)
        for path in ("/v1/../admin/", "/v1/%2e%2e/admin/", "/v1/models/../../admin/")
    ]

    assert [status for status, _ in answers] == [404] * 3
    assert all(b"application/json" in answer for _, answer in answers)


@pytest.mark.parametrize(
    "lines",
    [
        ["host: /health"],
        ["host: localhost/health?"],
        ["host: localhost/health#"],
        ["host: localhost@health"],
        ["host: [::1]"],
        ["host: 127.0.0.1"],
        ["host:"],
        ["host: localhost", "x-original-url: /health"],
        ["host: localhost", "x-rewrite-url: /health"],
        [
            "host: localhost",
            "x-forwarded-host: localhost",
            "x-forwarded-prefix: /health",
        ],
        ["host: localhost", "x-forwarded-for: 127.0.0.1"],
        ["host: localhost", "x-http-method-override: GET"],
        ["host: localhost", "authorization: Bearer"],
        ["host: localhost", "authorization: Bearer null"],
        ["host: localhost", "authorization: Basic YWRtaW46YWRtaW4="],
        ["host: localhost", "proxy-authorization: Bearer x"],
        ["host: localhost", "x-api-key:"],
    ],
)
def test_s4_no_header_stands_in_for_a_key(tenants: TwoTenants, lines: list[str]):
    assert get(tenants, "/v1/models", *lines)[0] == 401


@pytest.mark.parametrize("name", ["host", "authorization", "x-api-key"])
def test_s4_a_header_that_is_there_twice_is_refused(tenants: TwoTenants, name: str):
    values = {"host": "localhost"}
    lines = [f"{name}: {values.get(name, f'Bearer {tenants.red}')}"] * 2
    status, answer = get(tenants, "/v1/models", *lines)

    assert status == 400
    assert b'"code":"invalid_request"' in answer


def test_s4_two_hosts_do_not_make_a_stranger_local(tenants: TwoTenants):
    status, _ = get(tenants, "/v1/models", "host: gateway.example", "host: localhost")

    assert status == 400


@pytest.fixture
def session(tenants: TwoTenants) -> Iterator[httpx.Client]:
    """The cookies of an administrator who is logged in at the instance."""
    password = "a long enough secret"
    script = (
        "from django.contrib.auth.models import User;"
        "User.objects.filter(username='boss').exists() or "
        f"User.objects.create_superuser('boss', password={password!r})"
    )
    done = tenants.instance.manage("shell", "-c", script)
    assert done.returncode == 0, done.stderr
    with tenants.client() as client:
        client.get("/admin/login/")
        form = {
            "username": "boss",
            "password": password,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        entered = client.post("/admin/login/?next=/admin/", data=form)
        assert entered.status_code == 302
        yield client


def test_s7_an_administrators_session_opens_no_endpoint(session, tenants: TwoTenants):
    inside = session.get("/admin/")
    outside = [
        session.request(method, path)
        for path in PATHS
        if path not in PUBLIC
        for method in methods_of(path)
    ]

    assert inside.status_code == 200
    assert {answer.status_code for answer in outside} == {401}


def test_s7_a_key_opens_no_page_of_the_admin(tenants: TwoTenants):
    with (
        tenants.client(tenants.red) as bearer,
        tenants.client(**{"x-api-key": tenants.red}) as header,
    ):
        answers = [
            client.get(path)
            for client in (bearer, header)
            for path in (
                "/admin/",
                "/admin/gateway/apikey/",
                "/admin/gateway/apikey/add/",
            )
        ]

    assert {answer.status_code for answer in answers} == {302}
    assert all("/admin/login/" in answer.headers["location"] for answer in answers)
