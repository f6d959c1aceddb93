"""A class without a rule does nothing, which only the reader of the page sees."""

import re
from pathlib import Path

import pytest
import unfold

from tests import ROOT

SHEETS = [
    *Path(unfold.__file__).parent.rglob("static/**/*.css"),
    *ROOT.glob("*/static/**/*.css"),
]
NAMES = re.compile(r"\.((?:\\.|[\w-])+)")
CLASSES = re.compile(r'class="([^"]*)"')
TAGS = re.compile(r"\{[{%].*?[}%]\}")
# Scripts find these; and one is the beginning of several.
WITHOUT_A_RULE = {"dash-step-state", "dash-key-"}


@pytest.fixture(scope="module")
def known() -> set[str]:
    text = "".join(sheet.read_text() for sheet in SHEETS)
    return {name.replace("\\", "") for name in NAMES.findall(text)}


@pytest.mark.parametrize(
    "template", sorted(ROOT.glob("templates/**/*.html")), ids=lambda path: path.stem
)
def test_every_class_of_a_template_has_a_rule(template: Path, known: set[str]):
    text = TAGS.sub(" ", template.read_text())
    used = {name for found in CLASSES.findall(text) for name in found.split()}

    assert used - known - WITHOUT_A_RULE == set()
