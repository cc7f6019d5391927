"""Accepting alerts beside a bare Flask route that only makes a body durable: latency and throughput, in turn."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from urllib.parse import urlsplit

from bench.processes import bare_flask, receiver

ROUNDS = 3
AT_RATE = 20.0
LATENCY_REQUESTS = 200
BURST_REQUESTS = 600
BURST_CONNECTIONS = 8


def body(n: int) -> bytes:
    """One alert with the labels and annotations of a real one; a workload of its own."""
    labels = {
        "alertname": "OOMKilled", "cluster": "lab", "namespace": "bench", "pod": f"svc{n}-655779759d-jst99", "container": "app", "severity": "info",
    }  # fmt: skip
    alert = {
        "status": "firing", "labels": labels, "annotations": {"summary": "was OOMKilled", "description": "x" * 300},
        "startsAt": "2026-11-23T00:49:03.295Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus/graph?g0.expr=x", "fingerprint": f"{n:016x}",
    }  # fmt: skip
    return json.dumps(
        {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "r", "alerts": [alert]}
    ).encode()


def post(connection: http.client.HTTPConnection, n: int) -> float:
    """One accept; seconds it took."""
    started = time.perf_counter()
    connection.request("POST", "/alerts", body(n), {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != 202:
        raise RuntimeError(f"answered {response.status}")
    return time.perf_counter() - started


def latencies(url: str, first: int) -> list[float]:
    """Paced requests over one connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    taken = []
    due = time.perf_counter()
    for n in range(LATENCY_REQUESTS):
        time.sleep(max(0.0, due - time.perf_counter()))
        taken.append(post(connection, first + n))
        due += 1 / AT_RATE
    connection.close()
    return taken


def burst(url: str, first: int) -> float:
    """Accepts per second over several connections."""

    def work(part: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        for n in range(part, BURST_REQUESTS, BURST_CONNECTIONS):
            post(connection, first + n)
        connection.close()

    threads = [threading.Thread(target=work, args=(part,)) for part in range(BURST_CONNECTIONS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return BURST_REQUESTS / (time.perf_counter() - started)


def main() -> None:
    """Both servers in turn, several rounds; medians of the rounds."""
    rows: dict[str, list[tuple[float, float, float]]] = {"receiver": [], "bare Flask + fdatasync": []}
    for round_ in range(ROUNDS):
        for name, server in (("receiver", receiver), ("bare Flask + fdatasync", bare_flask)):
            with server() as (url, _):
                taken = sorted(latencies(url, 0))
                rate = burst(url, 10_000 * (round_ + 1))
            rows[name].append((taken[len(taken) // 2], taken[int(len(taken) * 0.99)], rate))
    for name, found in rows.items():
        p50, p99, rate = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:<24} p50 {p50 * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms   {rate:6.0f} accepts/s")
    ratio = statistics.median(a[2] / b[2] for a, b in zip(rows["receiver"], rows["bare Flask + fdatasync"], strict=True))
    print(f"accepts/s, receiver over bare: {ratio:.2f}")
