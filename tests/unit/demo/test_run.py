"""The demo is the product's shop window: everything it says is really made, from webhook to message."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from receiver.demo.run import RECORDINGS, run_demo
from receiver.demo.scenarios import SCENARIOS, webhook_body
from receiver.demo.standins import load
from tests.checks.pages import fences
from tests.places import REPO
from tests.unit.evidence.kit import lab


def test_once_prints_every_incident_and_ends() -> None:
    """One message an incident on stdout; what is recorded and what is not is said on stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = run_demo(once=True, out=out, err=err)
    text = out.getvalue()
    heads = [line for line in text.splitlines() if line.startswith(("🔴", "ℹ️", "⚠️"))]

    assert code == 0
    assert len(heads) == len(SCENARIOS)
    by_name = {head.split(":")[0].split()[1]: head for head in heads}
    assert "leak" in by_name["orders-api"]
    assert "OOMKilled" in by_name["cart/log-shipper"]
    assert "not an OOM" in by_name["search"]
    assert "start-up" in by_name["model-server"]
    assert "start-up" in by_name["modelestimation"]
    assert "7Gi" in text
    assert "in chunks" in text
    for scenario in SCENARIOS:
        assert scenario.origin in err.getvalue()


def test_serving_mode_shows_the_pages_until_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends it quietly, and nothing is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver", "demo"], cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stderr is not None
    url = next(line for line in process.stderr if "Ctrl-C" in line).split(" are on ")[1].split()[0]
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
    link = next(part.split('"')[0] for part in page.split('href="')[1:] if "/incidents/" in part and "orders-api" in part)
    with urllib.request.urlopen(url.rstrip("/") + link) as answer:
        incident = answer.read().decode()
    with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/incidents") as answer:
        told = {one["subject"]["workload"]["name"]: one for one in json.load(answer)["incidents"] if "workload" in one["subject"]}
    process.send_signal(2)
    code = process.wait(timeout=20)
    rest = process.stderr.read()
    process.stderr.close()

    assert "Likely leak" in page
    assert (told["orders-api"]["verdict"]["text"], told["orders-api"]["kills"]) == ("likely leak", 4)
    assert (told["cart"]["verdict"]["text"], told["cart"]["kills"]) == ("cannot tell yet", 6)  # a leak that is not sure enough to be named
    assert told["checkout"]["kills"] == 81  # processes inside a container that lives on
    assert "Decision tree" in incident
    assert incident.count('role="img"') == 2  # the chart, for a wide page and for a phone
    assert code == 130
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_it_as_quietly_and_as_cleanly(tmp_path: Path) -> None:
    """What a container runtime or a service manager sends: nothing is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver", "demo"], cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stderr is not None
    next(line for line in process.stderr if "are stand-ins" in line)  # in the middle of it
    process.terminate()
    code = process.wait(timeout=20)
    rest = process.stderr.read()
    process.stderr.close()

    assert code == 143
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


def test_the_readme_shows_a_message_as_the_demo_prints_it() -> None:
    """The README's example is what the product says today, but for its numbers (they follow the clock a little)."""
    out = io.StringIO()
    run_demo(once=True, out=out, err=io.StringIO())
    block = out.getvalue().split("-" * 100 + "\n")[1]
    (shown,) = (fence.code for fence in fences((REPO / "README.md").read_text()) if not fence.language)

    assert _without_numbers(shown) == _without_numbers(block)[: len(_without_numbers(shown))]


def test_every_incident_has_its_own_events_only() -> None:
    """The composed case has the shape of a recorded one: what happened to one of the two pods is not told of the other."""
    recordings = load(RECORDINGS, only=[scenario.folder for scenario in SCENARIOS])
    strange = []
    with lab(recordings=recordings) as running:
        for incident in recordings.incidents:
            pod = incident.pods[0].pod["metadata"]["name"]
            events = running.gather(incident.name).answers["events"]["items"]
            strange += [(pod, event["message"]) for event in events if not pod.startswith(event["involvedObject"]["name"])]

    assert strange == []


def test_recorded_bodies_are_v4_payloads() -> None:
    """What the demo posts is what Alertmanager would."""
    recorded = json.loads((REPO / "tests" / "fixtures" / "alertmanager" / "lab_0001-firing-OOMKilled.json").read_text())["body"]
    incident = load(RECORDINGS, only=[SCENARIOS[0].folder]).incidents[0]
    body = webhook_body(SCENARIOS[0], incident, datetime.now(UTC))

    assert set(body) == set(recorded)


def _without_numbers(text: str) -> list[str]:
    """Words alone: numbers masked, and lines joined, because another number folds a line elsewhere."""
    return re.sub(r"[\d:.-]*\d", "N", text).split()
