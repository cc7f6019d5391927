"""A `kubectl proxy` child: on a laptop, contexts, exec plugins and client certificates work as the user's kubectl does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence

from receiver.domain.kube_names import is_name
from receiver.errors import Unavailable

_SERVING = re.compile(r"Starting to serve on (?P<address>127\.0\.0\.1:\d+)")
START_TIMEOUT_S = 15.0
DEFAULT_NAMESPACE = "default"
_SAID_MAX = 300  # characters of kubectl's own complaint that an error repeats

# PR_SET_PDEATHSIG is 1, SIGTERM 15; it stays over exec, so the child is kubectl itself and keeps the terminal for its logins.
_ENDS_WITH_US = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


class KubectlProxy:
    """A running child that serves the API at `url`, on a free port of 127.0.0.1, and refuses what would change the cluster."""

    def __init__(self, child: subprocess.Popen[str], url: str) -> None:
        self._child = child
        self.url = url

    @classmethod
    def start(cls, *, flags: Sequence[str] = (), kubectl: str = "kubectl", timeout_s: float = START_TIMEOUT_S) -> KubectlProxy:
        """Start one and wait until it serves. Unavailable says why it does not: no kubectl, no kubeconfig, no such context.

        `flags`: of kubectl itself, which say whose kubeconfig and which context.

        On Linux the child ends with the thread that called this, however that ends: call it from the main thread.
        """
        found = shutil.which(kubectl)
        if found is None:
            raise Unavailable(f"no way into Kubernetes: there is no {kubectl} to start; install kubectl or set KUBE_API_URL")
        if not _names_a_cluster(found, flags):
            raise Unavailable("no way into Kubernetes: kubectl has no current context; set KUBECONFIG, choose one, or set KUBE_API_URL")
        command = [found, "proxy", "--port=0", "--address=127.0.0.1", "--reject-methods=PUT,PATCH,DELETE", *flags]
        try:
            child = subprocess.Popen(ending_with_us(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        except OSError as exc:
            raise Unavailable(
                f"no way into Kubernetes: {kubectl} cannot be started ({exc.strerror}); install kubectl or set KUBE_API_URL"
            ) from exc
        watchdog = threading.Timer(timeout_s, child.kill)  # ends the reads below when kubectl says nothing
        watchdog.daemon = True
        watchdog.start()
        try:
            address, said = _first_words(child)
        finally:
            watchdog.cancel()
        if not address:
            _end(child)
            raise Unavailable(f"kubectl proxy did not start: {said or f'nothing said within {timeout_s:g} s'}")
        return cls(child, f"http://{address}")

    def stop(self) -> None:
        """End the child. Harmless when it has ended."""
        _end(self._child)


def current_namespace(flags: Sequence[str] = (), *, kubectl: str = "kubectl") -> str:
    """The namespace that the kubeconfig's context sets; `default`, as for kubectl, where it sets none or cannot be read."""
    command = [kubectl, "config", "view", "--minify", "--output=jsonpath={..namespace}", *flags]
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return DEFAULT_NAMESPACE
    found = said.stdout.strip()
    return found if said.returncode == 0 and is_name(found) else DEFAULT_NAMESPACE


def _names_a_cluster(kubectl: str, flags: Sequence[str]) -> bool:
    """Whether kubectl knows which API to ask. Without a context it would ask localhost:8080, which is likely our own address.

    Whatever else is wrong (no such context, an unreadable file) the proxy itself complains of.
    """
    if any(flag.startswith("--cluster") for flag in flags):
        return True
    command = [kubectl, "config", "view", "--minify", "--output=name", *flags]
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    message = said.stderr
    return said.returncode == 0 or "current-context must exist" not in message


def ending_with_us(command: list[str], parent: int | None = None) -> list[str]:
    """The command, made to end with its parent (this process): one that gets SIGKILL can end nobody itself."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _ENDS_WITH_US, str(parent or os.getpid()), *command]


def _first_words(child: subprocess.Popen[str]) -> tuple[str, str]:
    """The address it serves on, or what it complained of."""
    assert child.stdout is not None
    assert child.stderr is not None
    for line in child.stdout:
        if match := _SERVING.search(line):
            return match["address"], ""
    return "", " ".join(child.stderr.read(4 * _SAID_MAX).split())[:_SAID_MAX]


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(timeout=3)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
