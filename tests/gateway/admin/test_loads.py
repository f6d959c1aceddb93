"""S38: pages load nothing from elsewhere, and run nothing that is no file of ours."""

from pathlib import Path

import pytest
from django.urls import reverse

from gateway.models import SetupToken
from tests.gateway.admin.loads import from_elsewhere, named_in

ROOT = Path(__file__).parents[3]
FILES = sorted(
    file
    for app in ("gateway", "workflows_app")
    for file in ROOT.glob(f"{app}/static/**/*.*")
)


@pytest.mark.django_db
def test_s38_a_page_for_who_is_not_logged_in_loads_nothing_from_elsewhere(client):
    link = reverse("setup_link", args=(SetupToken.issue(),))
    pages = [client.get("/admin/login/"), client.get(link, follow=True)]
    pages.append(client.get(reverse("setup_link", args=("x",)), follow=True))

    for page in pages:
        assert 'rel="stylesheet"' in page.content.decode()
        assert from_elsewhere(page.content.decode()) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_s38_no_style_sheet_or_script_of_ours_loads_from_elsewhere(file: Path):
    assert named_in(file.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        '@import "x.css";',
        "@font-face { src: url(https://fonts.example/a.woff2) }",
        "a { background: url('//cdn.example/a.png') }",
        'import("https://cdn.example/x.js")',
        "fetch('//api.example/')",
        "new WebSocket(`wss://x`); open('https://a.example')",
        "// What it is.\nimport('https://cdn.example/x.js')",
    ],
)
def test_s38_what_loads_from_elsewhere_is_found_in_files(text: str):
    assert named_in(text) != []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<script>alert(1)</script>",
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img src="http://a.example/x.png">',
        '<img srcset="https://a.example/x.png 2x">',
        '<svg><image href="https://a.example/x.svg"/></svg>',
        "<div style=\"background: url('https://a.example/x')\"></div>",
        '<p onmouseover="x()">',
        '<meta http-equiv="refresh" content="0;url=https://a.example">',
        '<base href="https://a.example/">',
    ],
)
def test_s38_what_loads_from_elsewhere_is_found_in_pages(html: str):
    assert len(from_elsewhere(html)) == 1
