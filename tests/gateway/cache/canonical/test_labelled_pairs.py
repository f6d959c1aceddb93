"""`manage.py cache_match` on labelled pairs, judged by the scorer beside them."""

import gzip
import json
import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.labelled import EVAL_DATA, needs_labelled_data

FOLDER = EVAL_DATA / "cache"
GOLD = FOLDER / "dev.jsonl.gz"

pytestmark = needs_labelled_data

# Least recall and most false hits, as shares of the pairs with and without one answer.
BARS = {
    "adv": (0.9, 0.0007),
    "qqp": (0.11, 0.001),
    "paws_qqp": (0.2, 0.012),
    "mqp": (0, 0.002),
    "banking77_neg": (None, 0.002),
    "sts_qq": (0, 0.001),
    "HARD": (None, 0.002),
}
# A cache that holds every first question at once: of its look-ups.
LEAST_CROWD_HITS, MOST_CROWD_FALSE_HITS = 0.21, 0.0006


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """The pairs without their labels, as an operator has them."""
    path = tmp_path_factory.mktemp("labelled") / "pairs.jsonl"
    with gzip.open(GOLD, "rt", encoding="utf-8") as rows, path.open("w") as out:
        for row in map(json.loads, rows):
            out.write(json.dumps({key: row[key] for key in ("id", "a", "b")}) + "\n")
    return path


def judged(mode, pairs, *args):
    """What the scorer says to what the command printed."""
    predicted, verdict = pairs.with_name("said.jsonl"), pairs.with_name("verdict.json")
    with predicted.open("w") as out:
        call_command("cache_match", "--input", pairs, *args, stdout=out)
    scorer = [sys.executable, FOLDER / "score_cache.py", mode, GOLD, predicted]
    subprocess.run([*scorer, "--json", verdict], check=True, capture_output=True)
    return json.loads(verdict.read_text())


def test_pairs_keep_the_bars(pairs):
    found = judged("pairs", pairs)
    for source, (least, most) in BARS.items():
        assert found[source]["fhr"] is None or found[source]["fhr"] <= most, source
        assert least is None or found[source]["recall"] >= least, source


def test_a_crowd_keeps_the_bars(pairs):
    found = judged("crowd", pairs, "--crowd")["ALL"]
    missed = found["miss_ok"] + found["miss_should_hit"]
    assert 1 - missed / found["lookups"] >= LEAST_CROWD_HITS
    assert found["fhr"] <= MOST_CROWD_FALSE_HITS
