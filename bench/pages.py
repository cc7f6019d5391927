"""The pages with 5,000 incidents: bytes, requests, time to the first byte, what a change and what no change costs, and memory while ten watch.

Each incident has a report and the evidence of a recorded case. `--incidents N` for another number.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bench.processes import children_of, pss_kib, receiver
from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import case_from_json
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident_memory import Acknowledgement, GivenVerdict, IncidentMemory, LookSummary, Owner
from receiver.domain.units import from_epoch
from receiver.render.document import report_document
from receiver.store import incidents, listing
from receiver.store.incidents import Incident
from receiver.store.store import Store

CASE = Path(__file__).parents[1] / "tests" / "fixtures" / "cases" / "java-cache.json"
MOST_OPEN = 200
ROUNDS, WATCHERS, WATCH_S, EVERY_S = 30, 10, 20.0, 1.0
CAUSES = ("leak", "spike", "startup", "limit_too_low", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: seconds to its first byte and to its last."""

    status: int
    first_s: float
    whole_s: float
    body: bytes
    tag: str


def fill(path: Path, count: int) -> str:
    """A state with that many incidents, MOST_OPEN of them open; the id of one that is."""
    case = case_from_json(json.loads(CASE.read_text()))
    report = json.dumps(report_document(diagnose(facts_of(case))))
    evidence = zlib.compress(json.dumps(case.to_json()).encode())
    store = Store.open_sqlite(path)
    now = store.now()
    for start in range(0, count, 200):
        with store.write() as tx:
            for n in range(start, min(start + 200, count)):
                one = _incident(n, now)
                incidents.insert(tx, one)
                tx.run(
                    "UPDATE incident SET report = :report, evidence = :evidence, gathered_at = :now, closed_at = :closed WHERE id = :id",
                    report=report, evidence=evidence, now=now, closed=now - n * 60 if n >= MOST_OPEN else None, id=one.id,
                )  # fmt: skip
                listing.note_kills(tx, one.id, 6, [now - 5000.0 * k for k in range(6)], known_until=None, newest_at=now, now=now)
    store.close()
    return _incident(0, now).id


def _incident(n: int, now: float) -> Incident:
    at, name = from_epoch(now - 60 * (n % 1000)), f"svc{n:04}"
    memory = IncidentMemory(
        state="firing", kills={f"{name}-a": 1 + n % 9}, first_kill_at=at - timedelta(hours=2), last_kill_at=at, pods=(f"{name}-655779759d-jst99",),
        look=LookSummary(verdict=GivenVerdict(cause=CAUSES[n % len(CAUSES)], confidence=0.9), kill_kind="container_oom", node=f"node-{n % 40}"),
        acknowledged=Acknowledgement(by="Ines", at=at) if n % 3 == 0 else None, owner=Owner(labels={"team": f"team-{n % 12}"}),
    )  # fmt: skip
    return Incident(
        id=f"inc_{n:015}", key=f"workload/{n}", state="firing", severity=("critical", "warning")[n % 2], opened_at=now - 7200 - n, first_seen=now,
        last_seen=now - n, memory=memory,
        subject=Subject(cluster="lab", namespace=f"ns-{n % 25}", pod=memory.pods[0], container=name, node="", workload=Workload(kind="Deployment", name=name)),
    )  # fmt: skip


def get(url: str, path: str, tag: str = "") -> Answer:
    """One GET over a connection of its own, as a browser's first one is."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Accept": "text/html,*/*"} | ({"If-None-Match": tag} if tag else {})
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    first_s = time.perf_counter() - began
    body = response.read()
    whole_s = time.perf_counter() - began
    connection.close()
    return Answer(status=response.status, first_s=first_s, whole_s=whole_s, body=body, tag=response.headers.get("ETag", ""))


def timed(url: str, path: str, tag: str = "") -> str:
    """Many of these in words: bytes, time to the first byte in the middle and the slowest."""
    answers = [get(url, path, tag) for _ in range(ROUNDS)]
    times = sorted(a.first_s * 1000 for a in answers)
    last = answers[-1]
    return f"{last.status}  {len(last.body) / 1024:7.1f} KiB  p50 {statistics.median(times):6.1f} ms  p95 {times[int(len(times) * 0.95)]:6.1f} ms"


def watched(url: str, process_id: int) -> tuple[float, int, dict[int, int]]:
    """Ten people with the list open, who ask fifteen times as often as the page does: peak MiB, answers, and how many of each status."""
    ended = threading.Event()
    statuses: list[int] = []

    def watch() -> None:
        tag = ""
        while not ended.wait(EVERY_S):
            answer = get(url, "/", tag)
            statuses.append(answer.status)
            tag = answer.tag

    people = [threading.Thread(target=watch) for _ in range(WATCHERS)]
    for person in people:
        person.start()
    highest = max(_samples(process_id))
    ended.set()
    for person in people:
        person.join()
    return highest, len(statuses), {status: statuses.count(status) for status in sorted(set(statuses))}


def _samples(process_id: int) -> Iterator[float]:
    until = time.monotonic() + WATCH_S
    while time.monotonic() < until:
        yield memory_mib(process_id)
        time.sleep(0.25)


def memory_mib(process_id: int) -> float:
    """Of all its processes."""
    return sum(pss_kib(pid) for pid in children_of(process_id)) / 1024


def main(options: Sequence[str] = ()) -> None:
    """Fill, serve, ask."""
    count = int(options[options.index("--incidents") + 1]) if "--incidents" in options else 5000
    with tempfile.TemporaryDirectory() as folder:
        one = fill(Path(folder) / "state.db", count)
        size_mib = (Path(folder) / "state.db").stat().st_size / 2**20
        print(f"{count} incidents, {MOST_OPEN} open, a state of {size_mib:.0f} MiB")
        with receiver(STORE_URL=f"sqlite:///{folder}/state.db") as (url, process):
            quiet = memory_mib(process.pid)
            first = get(url, "/")
            links = [part.partition(b'"')[0].decode() for part in first.body.split(b'"/static/')[1:]]
            files = {f"/static/{name}": len(get(url, f"/static/{name}").body) for name in links}
            print(
                f"requests of a first visit {1 + len(files)}, {(len(first.body) + sum(files.values())) / 1024:.0f} KiB in all: {_sizes(files)}"
            )
            print(f"incident, judged for the first time {get(url, f'/incidents/{one}').first_s * 1000:.0f} ms")
            for what, path, tag in (
                ("list", "/", ""), ("list, unchanged", "/", first.tag), ("list, last page", "/?page=100", ""), ("list, a word", "/?q=svc00", ""),
                ("list, a state", "/?state=firing&namespace=ns-3", ""), ("list as JSON", "/api/v1/incidents", ""), ("all as CSV", "/incidents.csv", ""),
                ("incident", f"/incidents/{one}", ""), ("health", "/health", ""),
            ):  # fmt: skip
                print(f"{what:<16} {timed(url, path, tag)}", flush=True)
            loaded = memory_mib(process.pid)
            highest, answers, statuses = watched(url, process.pid)
            print(
                f"PSS {quiet:.1f} MiB at first, {loaded:.1f} after the above, peak {highest:.1f} while {WATCHERS} watch ({answers} answers: {statuses})"
            )


def _sizes(files: Mapping[str, int]) -> str:
    return ", ".join(f"{path.rpartition('.')[2]} {size / 1024:.0f} KiB" for path, size in files.items())


if __name__ == "__main__":
    main(sys.argv[1:])
