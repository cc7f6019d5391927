"""The server under clients that are slow, silent or heavy: whether an honest client gets in, and what memory it takes.

`--large-only` leaves the slow ones out.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from bench.accept import body, post
from bench.processes import children_of, pss_kib, receiver

HONEST = 20
GIVE_UP_S = 10.0  # as Alertmanager does
DRIP_S = 2.0
BODY_MIB = 12.7
SLOW = (
    ("16 slow headers", 16, b"POST /alerts HTTP/1.1\r\n"), ("16 slow bodies", 16, b"POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"),
    ("200 silent", 200, b""), ("500 slow bodies", 500, b"POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"),
)  # fmt: skip


@contextmanager
def slow(url: str, count: int, first: bytes) -> Iterator[None]:
    """Connections that sent `first` and go on with a byte every two seconds."""
    ended = threading.Event()
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 0
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection((host, port), timeout=10)) for _ in range(count)]
        for connection in opened:
            connection.sendall(first)

        def drip() -> None:
            while first and not ended.wait(DRIP_S):
                for connection in opened:
                    with contextlib.suppress(OSError):
                        connection.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def honest(url: str, first: int) -> tuple[int, float]:
    """How many of `HONEST` alerts got in, and the slowest answer in seconds."""
    taken = []
    for n in range(HONEST):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=GIVE_UP_S)
        try:
            taken.append(post(connection, first + n))
        except (OSError, http.client.HTTPException):
            if len(taken) == 0 and n >= 1:
                break  # nobody gets in: two time-outs say it
        finally:
            connection.close()
    return len(taken), max(taken, default=float("nan"))


def large(n: int) -> bytes:
    """A body of 12.7 MiB: some ten thousand alerts of ordinary size."""
    one = json.loads(body(n))
    entry = one["alerts"][0]
    count = int(BODY_MIB * 2**20 / (len(json.dumps(entry)) + 2))
    alerts = [
        {**entry, "fingerprint": f"{n:04x}{i:012x}", "labels": {**entry["labels"], "pod": f"svc{n}-655779759d-{i:05d}"}}
        for i in range(count)
    ]
    return json.dumps({**one, "alerts": alerts}).encode()


def peak_mib(process: subprocess.Popen[bytes], ended: threading.Event) -> Iterator[float]:
    """The memory of all its processes, again and again."""
    while not ended.wait(0.02):
        with contextlib.suppress(OSError):
            yield sum(pss_kib(pid) for pid in children_of(process.pid)) / 1024


def heavy(url: str, process: subprocess.Popen[bytes], bodies: Sequence[bytes]) -> tuple[list[int], float, float]:
    """All bodies at once: the answers, the peak in MiB, and the seconds until all were answered."""
    answers: list[int] = []
    ended = threading.Event()
    highest: list[float] = []
    watching = threading.Thread(target=lambda: highest.extend(peak_mib(process, ended)))
    watching.start()

    def send(content: bytes) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        try:
            connection.request("POST", "/alerts", content, {"Content-Type": "application/json"})
            answers.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            answers.append(0)
        finally:
            connection.close()

    started = time.perf_counter()
    senders = [threading.Thread(target=send, args=(content,)) for content in bodies]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    took_s = time.perf_counter() - started
    ended.set()
    watching.join()
    return sorted(answers), max(highest, default=0.0), took_s


def main(options: Sequence[str] = ()) -> None:
    """Each in turn, on a fresh receiver."""
    if "--large-only" not in options:
        with receiver() as (url, _):
            count, slowest_s = honest(url, 0)
            print(f"{'quiet':<18} {count:2d} of {HONEST} in, slowest {slowest_s * 1000:7.1f} ms", flush=True)
        for name, connections, first in SLOW:
            with receiver() as (url, _), slow(url, connections, first):
                count, slowest_s = honest(url, 1000)
                print(f"{name:<18} {count:2d} of {HONEST} in, slowest {slowest_s * 1000:7.1f} ms", flush=True)
    for count in (1, 2, 6):
        with receiver() as (url, process):
            answers, highest_mib, took_s = heavy(url, process, [large(n) for n in range(count)])
            print(f"{count} x {BODY_MIB} MiB         peak {highest_mib:6.1f} MiB, answers {answers}, {took_s:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
