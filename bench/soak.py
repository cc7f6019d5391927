"""A week of incidents in minutes: does the receiver's memory stay where it is?

The receiver runs in a process of its own, as `serve` builds it, with its threads and real HTTP to stand-ins in this one; only its clocks
are injected: when an hour's incidents are told, both jump to the next hour. What PSS grows by after the first day is growth.

    python -m bench soak [--hours 168] [--incidents 45] [--plain]

`--plain`: without what the receiver asks of the C library's allocator. `--trace`: where Python's own memory grew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOUR_S = 3600.0
CHILD = "--child"
BEGIN_S = 1_764_000_000.0


def child() -> None:
    """The receiver: commands on stdin, one JSON document a line; an answer a line on stdout."""
    from receiver.app.build import build
    from receiver.process import allocator
    from receiver.settings import load_settings
    from receiver.store import outbox
    from receiver.telemetry import configure_logging
    from tests.e2e.inside import is_idle, post

    first = json.loads(sys.stdin.readline())
    offset_s = 0.0
    began_s = time.time()

    def now() -> float:
        return BEGIN_S + (time.time() - began_s) + offset_s

    def monotonic() -> float:
        return time.monotonic() + offset_s

    configure_logging("ERROR")
    if first["is_plain"]:
        allocator.give_back = lambda: None
    else:
        allocator.keep_small()
    if first["is_traced"]:
        import tracemalloc

        tracemalloc.start(8)
    application = build(load_settings(first["environ"]), clock=now, monotonic=monotonic)
    application.start()
    before: Any = None
    for line in sys.stdin:
        command = json.loads(line)
        if "post" in command:
            answer: Any = post(application, command["post"])
        elif "advance" in command:
            offset_s += command["advance"]
            application.worker.wake()
            answer = 0
        elif "trace" in command:
            import tracemalloc

            taken = tracemalloc.take_snapshot()
            answer = [str(s) for s in taken.compare_to(before, "lineno")[:25]] if before else []
            before = before or taken
        else:
            with application.store.read() as tx:
                is_told = outbox.backlog(tx)[0] == 0
            answer = is_idle(application) and is_told
        print(json.dumps(answer), flush=True)
    application.close()


class Receiver:
    """The child."""

    def __init__(self, environ: dict[str, str], *, is_plain: bool, is_traced: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.soak", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        print(json.dumps({"environ": environ, "is_plain": is_plain, "is_traced": is_traced}), file=self._process.stdin, flush=True)

    def ask(self, **command: Any) -> Any:
        """One command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def settle(self) -> None:
        """Wait until everything is looked at and told."""
        deadline = time.monotonic() + 300
        while not (self.ask(idle=1)):
            if time.monotonic() > deadline:
                raise TimeoutError("the receiver does not come to rest")
            time.sleep(0.05)

    def memory(self) -> tuple[float, int]:
        """MiB of PSS, and threads."""
        folder = Path(f"/proc/{self._process.pid}")
        pss = next(int(line.split()[1]) for line in (folder / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
        return pss / 1024, len(list((folder / "task").iterdir()))

    def end(self) -> None:
        """SIGTERM is not what is measured."""
        self._process.kill()
        self._process.wait()


def run(arguments: argparse.Namespace) -> None:
    """All hours, a line for some of them."""
    from datetime import UTC, datetime, timedelta

    from receiver.demo.run import RECORDINGS
    from receiver.demo.scenarios import SCENARIOS
    from receiver.demo.standins import KubeStandin, PrometheusStandin, Recordings, load
    from tests.e2e.inside import renamed
    from tests.fakes.slack import FakeSlack
    from tests.support import alert, payload

    together, workloads = Recordings(), []
    for n in range(arguments.incidents):
        scenario = SCENARIOS[n % len(SCENARIOS)]
        found = load(RECORDINGS, only=[scenario.folder], now=datetime.fromtimestamp(BEGIN_S, UTC) - timedelta(seconds=20))
        namespace = found.incidents[0].namespace
        one = renamed(found, found.incidents[0].name, {f'"{namespace}"': f'"{namespace}-{n}"'})
        together.add(one)
        pod = one.pods[0].pod
        workloads.append((pod["metadata"]["namespace"], pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]))
    together.objects += [o for o in found.objects if o.get("kind") == "Node"]

    with (
        tempfile.TemporaryDirectory() as folder,
        FakeSlack() as slack,
        KubeStandin(together) as kube,
        PrometheusStandin(together.series) as prometheus,
    ):
        config = Path(folder) / "config.yaml"
        config.write_text("routes: [{channel: C1, critical: true}]\n")
        receiver = Receiver(
            {
                "STORE_URL": f"sqlite:///{folder}/state.db", "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.api_url,
                "SLACK_MIN_INTERVAL": "0", "KUBE_API_URL": kube.url, "PROMETHEUS_URL": prometheus.url, "REOPEN_WINDOW": "30m", "RETENTION": "3d",
            },
            is_plain=arguments.plain, is_traced=arguments.trace,
        )  # fmt: skip
        print(f"{'hour':>5} {'incidents':>9} {'PSS MiB':>8} {'threads':>7} {'state MiB':>9}", flush=True)
        try:
            for hour in range(arguments.hours + 1):
                if hour in (0, 1, 3, 6) or hour % 12 == 0:
                    pss, threads = receiver.memory()
                    size = sum(f.stat().st_size for f in Path(folder).glob("state.db*")) / 2**20
                    print(f"{hour:>5} {hour * arguments.incidents:>9} {pss:>8.1f} {threads:>7} {size:>9.1f}", flush=True)
                    if arguments.trace and hour in (6, arguments.hours):
                        print("\n".join(receiver.ask(trace=1)), flush=True)
                if hour == arguments.hours:
                    break
                at = BEGIN_S + hour * HOUR_S
                firing = [alert(pod=pod, namespace=ns, container=name, started=at) for ns, pod, name in workloads]
                receiver.ask(post=payload(*firing))
                receiver.settle()
                receiver.ask(advance=HOUR_S / 2)
                over = [alert(pod=pod, namespace=ns, container=name, started=at, status="resolved") for ns, pod, name in workloads]
                receiver.ask(post=payload(*over, status="resolved"))
                receiver.settle()
                slack.forget()
                receiver.ask(advance=HOUR_S / 2)
        finally:
            receiver.end()


def main(options: list[str] | None = None) -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m bench soak")
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--incidents", type=int, default=45, help="an hour")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--trace", action="store_true")
    run(parser.parse_args(options or []))


if __name__ == "__main__":
    child()
