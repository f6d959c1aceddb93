"""The intents of a new gateway on judged answers of real models."""

from benchmarks.cascade import read
from routing.intent_defaults import INTENTS
from routing.learned.intent_check import check
from routing.learned.intents import Intents, Kind
from routing.learned.labelled import Collector
from tests.labelled import EVAL_DATA, needs_labelled_data

pytestmark = needs_labelled_data


def report_on(bench):
    collector = Collector()
    for row in read(EVAL_DATA / "routing" / "dev.jsonl.gz", bench):
        body = {"messages": [{"role": "user", "content": row["prompt"]}]}
        collector.add(body, {"1": row["weak"], "3": row["strong"]})
    kinds = [
        Kind(number, slug, words, cues, bias)
        for number, (slug, _, words, cues, bias) in enumerate(INTENTS)
    ]
    return check(Intents(kinds), collector.labelled())


def test_on_mixed_traffic_they_beat_static_tiers_and_the_heuristic():
    report = report_on("mix14")

    assert report.objections() == []
    assert report.ranking.apgr > 0.62


def test_where_all_is_one_kind_they_are_refused():
    assert "static tiers" in " ".join(report_on("routerbench").objections())
