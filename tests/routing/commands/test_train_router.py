import gzip
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

from routing.learned.model import QualityModel
from routing.models import RouterModel
from tests import ROOT
from tests.routing.learned.samples import examples


def write(path: Path, lines: list[dict]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def shuffled(lines: list[dict]) -> list[dict]:
    qualities = [line["quality"] for line in lines]
    Random(5).shuffle(qualities)
    return [line | {"quality": q} for line, q in zip(lines, qualities, strict=True)]


def train(data: str, *options: str) -> str:
    out = StringIO()
    call_command("train_router", "--data", data, *options, stdout=out)
    return out.getvalue()


def said(fields: str) -> str:
    """A line with one message of these fields."""
    message = f'{{"role": "assistant", {fields}}}'
    return f'{{"id": "a", "messages": [{message}], "quality": {{"1": 1}}}}'


def test_on_a_bare_checkout_it_trains_and_scores(tmp_path):
    """No database, no configuration: processes of their own, as an operator would."""
    data = write(tmp_path / "data.jsonl", examples(300))
    write(tmp_path / "asked.jsonl", [{"id": 7, "prompt": "prove the theorem about x"}])
    environment = os.environ | {"LLM_ROUTER_DATA_DIR": str(tmp_path / "var")}

    def manage(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    said = manage("train_router", "--data", data, "--out", str(tmp_path / "router"))
    scored = manage(
        *("score_prompts", "--input", str(tmp_path / "asked.jsonl")),
        *("--model", str(tmp_path / "router"), "--weak", "1", "--strong", "3"),
    )

    assert "300 held-out rows: APGR 0." in said
    line = json.loads(scored)
    assert set(line) == {"id", "score", "tier", "quality"}
    assert line["id"] == "7"
    assert line["score"] > 0.4
    assert line["tier"] == "3"
    assert set(line["quality"]) == {"1", "2", "3"}
    assert not (tmp_path / "var" / "db.sqlite3").exists()


@pytest.mark.django_db
def test_a_router_that_is_better_decides_when_asked_to(tmp_path):
    data = write(tmp_path / "data.jsonl", examples(300))

    said = train(data, "--out", str(tmp_path / "router"), "--activate")

    assert "Router 1 is active and decides." in said
    [router] = RouterModel.objects.all()
    assert router.status == RouterModel.Status.ACTIVE
    assert bytes(router.data) == (tmp_path / "router").read_bytes()
    assert QualityModel.load(bytes(router.data)).tiers == ("1", "2", "3")


@pytest.mark.django_db
def test_a_router_that_is_no_better_stays_a_draft_and_the_reason_is_told(tmp_path):
    data = write(tmp_path / "data.jsonl", shuffled(examples(300)))

    with pytest.raises(CommandError, match="not activated. It does not beat") as told:
        train(data, "--out", str(tmp_path / "router"), "--activate")

    assert "log(length)" in str(told.value)
    assert RouterModel.objects.get().status == RouterModel.Status.DRAFT
    assert (tmp_path / "router").exists()


def test_gzipped_lines_and_whole_conversations_are_read(tmp_path):
    path = tmp_path / "data.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for line in examples(60):
            text = line.pop("prompt")
            line["messages"] = [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": text}]},
            ]
            file.write(json.dumps(line) + "\n\n")

    assert train(str(path), "--out", str(tmp_path / "r")).startswith("60 rows.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Line 2: this is not JSON"),
        ("[1]", "Line 2: it must be an object"),
        ('{"prompt": "x", "quality": {"1": 1}}', 'Line 2: "id" must be'),
        ('{"id": "a", "quality": {"1": 1}}', 'Line 2: there is neither "prompt"'),
        ('{"id": "a", "prompt": 3, "quality": {"1": 1}}', "Line 2: there is neither"),
        ('{"id": "a", "prompt": "x"}', 'Line 2: "quality" must name'),
        ('{"id": "a", "prompt": "x", "quality": {}}', 'Line 2: "quality" must name'),
        ('{"id": "a", "prompt": "x", "quality": {"1": 2}}', 'quality of "1" must lie'),
        ('{"id": "a", "prompt": "x", "quality": {"1": NaN}}', "must lie between"),
        ('{"id": "a", "prompt": "x", "quality": {"1": "y"}}', "must lie between"),
        ('{"id": "a", "messages": [], "quality": {"1": 1}}', "at least one message"),
        ('{"id": "a", "messages": [1], "quality": {"1": 1}}', 'object with a "role"'),
        (f'{{"id": "a", "prompt": "x", "quality": {{"1": {9**500}}}}}', "must lie"),
        (said('"content": [{"type": ["text"]}]'), 'the "type" of a part must be'),
        (said('"content": [{"type": "text", "text": 5}]'), 'the "text" of a part'),
        (said('"content": ["x"]'), '"content" must be a text or a list of parts'),
        (said('"tool_calls": "x"'), '"tool_calls" must be a list of objects'),
        (said('"tool_calls": [5]'), '"tool_calls" must be a list of objects'),
        (said('"tool_calls": [{"function": 5}]'), "Line 2: a called function has"),
        (said('"function_call": {"name": 5}'), "Line 2: a called function has"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path, line, reason):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(examples(1)[0]) + "\n" + line + "\n")

    with pytest.raises(CommandError, match=reason):
        train(str(path))


def test_a_compressed_file_that_is_damaged_is_told(tmp_path):
    whole = gzip.compress(b"\n".join(json.dumps(x).encode() for x in examples(60)))
    path, out = tmp_path / "data.jsonl.gz", tmp_path / "router"

    path.write_bytes(whole[:-20])
    with pytest.raises(CommandError, match=r"gz: After line \d+: .*damaged"):
        train(str(path), "--out", str(out))
    path.write_bytes(whole[:10] + b"\xff" * 40)
    with pytest.raises(CommandError, match="gz: After line 0: .*damaged"):
        train(str(path), "--out", str(out))
    assert not out.exists()


def test_an_earlier_router_stays_until_the_new_one_is_whole(tmp_path):
    data, out = write(tmp_path / "data.jsonl", examples(60)), tmp_path / "router"
    out.write_bytes(b"the one before")
    read_still = out.open("rb")  # by a process that loads it meanwhile

    train(data, "--out", str(out))

    with read_still:
        assert read_still.read() == b"the one before"
    assert QualityModel.load(out.read_bytes()).tiers == ("1", "2", "3")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "router"]


def test_a_missing_folder_is_told_before_anything_is_read(tmp_path):
    out = tmp_path / "nowhere" / "router"

    with pytest.raises(CommandError, match="There is no folder .*nowhere to put"):
        train(str(tmp_path / "unread"), "--out", str(out))


def test_a_missing_file_and_too_few_rows_are_told(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        train(str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="There are 2 rows; at least 50"):
        train(write(tmp_path / "data.jsonl", examples(2)))
