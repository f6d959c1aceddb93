"""The pages that people read: README, CHANGELOG and docs."""

import re

from tests import ROOT

PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return PAGES[ROOT / "docs" / name]
