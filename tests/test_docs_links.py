"""Links, tables and the index of the pages that people read."""

import re

from tests import ROOT
from tests.pages import FENCED, PAGES, page

LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, made as code hosts make them."""
    found: set[str] = set()
    for title in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")
        again = 1
        anchor = slug
        while anchor in found:
            anchor, again = f"{slug}-{again}", again + 1
        found.add(anchor)
    return found


def test_every_link_within_the_repository_leads_somewhere():
    broken = []
    for path, text in PAGES.items():
        for link in LINK.findall(FENCED.sub("", text)):
            if re.match(r"[a-z]+:", link):
                continue
            address, _, anchor = link.partition("#")
            target = (path.parent / address).resolve() if address else path
            found = target.exists()
            if found and anchor:
                found = anchor in anchors(target.read_text(encoding="utf-8"))
            if not found:
                broken.append(f"{path.relative_to(ROOT)}: {link}")

    assert broken == []


def test_every_table_has_its_head():
    """A blank line between two rows makes text of all that follow."""
    headless = [
        f"{path.relative_to(ROOT)}: {table.splitlines()[0]}"
        for path, text in PAGES.items()
        for table in re.findall(r"(?m)(?:^\|.*\n)+", FENCED.sub("", text))
        if not re.match(r"\|.*\n\|[ :|-]+\|\n", table)
    ]

    assert headless == []


def test_every_page_is_in_the_index():
    linked = set(LINK.findall(page("index.md")))
    pages = {path.name for path in ROOT.glob("docs/*.md")} - {"index.md"}

    assert pages - linked == set()
