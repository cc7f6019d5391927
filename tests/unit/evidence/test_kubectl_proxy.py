"""`kubectl proxy` as the way in from a laptop."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.errors import Unavailable
from receiver.evidence.kube import Kube, KubeConfig, is_kube_name
from receiver.evidence.kubectl_proxy import KubectlProxy, ending_with_us
from tests.fakes.kube import FakeKube, recorded
from tests.support import wait_until


def kubectl(folder: Path, program: str, config: str = "pass") -> str:
    """A stand-in for kubectl that runs this Python for `proxy`, and `config` for `config view`."""
    path = folder / "kubectl"
    path.write_text(f"#!{sys.executable}\nimport sys, time\nif sys.argv[1] == 'config':\n    {config}\n    sys.exit()\n{program}\n")
    path.chmod(0o755)
    return str(path)


def test_the_child_serves_and_is_ended(tmp_path: Path):
    """Its address is read from what it says; it gets the context, may not change anything, and ends with us."""
    said = tmp_path / "arguments"
    program = (
        f'open({str(said)!r}, "w").write(" ".join(sys.argv[1:])); print("Starting to serve on 127.0.0.1:41234", flush=True); time.sleep(60)'
    )

    proxy = KubectlProxy.start(flags=("--context=prod",), kubectl=kubectl(tmp_path, program))
    proxy.stop()

    assert proxy.url == "http://127.0.0.1:41234"
    arguments = said.read_text()
    assert "--context=prod" in arguments
    assert "--port=0" in arguments
    assert "--reject-methods=PUT,PATCH,DELETE" in arguments
    assert proxy._child.returncode is not None


def test_kubectls_own_complaint_is_passed_on(tmp_path: Path):
    """No such context, an expired login: the user reads kubectl's words."""
    program = 'print("error: context \\"nope\\" does not exist", file=sys.stderr); sys.exit(1)'

    with pytest.raises(Unavailable, match='context "nope" does not exist'):
        KubectlProxy.start(flags=("--context=nope",), kubectl=kubectl(tmp_path, program))


def test_a_kubectl_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path):
    """A login plugin that waits for a browser must not hang the command."""
    with pytest.raises(Unavailable, match="nothing said"):
        KubectlProxy.start(kubectl=kubectl(tmp_path, "time.sleep(60)"), timeout_s=0.5)


def test_a_kubectl_without_a_context_is_not_asked(tmp_path: Path):
    """It would ask localhost:8080, where a receiver listens that is started as the quick start says: it would take itself for the cluster."""
    config = 'sys.exit("error: current-context must exist in order to minify")'
    serving = 'print("Starting to serve on 127.0.0.1:41234", flush=True); time.sleep(60)'

    with pytest.raises(Unavailable, match="no current context"):
        KubectlProxy.start(kubectl=kubectl(tmp_path, serving, config))


def test_a_cluster_that_is_named_needs_no_context(tmp_path: Path):
    config = 'sys.exit("error: current-context must exist in order to minify")'
    serving = 'print("Starting to serve on 127.0.0.1:41234", flush=True); time.sleep(60)'

    proxy = KubectlProxy.start(flags=("--cluster=prod",), kubectl=kubectl(tmp_path, serving, config))
    proxy.stop()

    assert proxy.url == "http://127.0.0.1:41234"


def test_without_kubectl_the_error_says_what_to_do(tmp_path: Path):
    """Install it, or give an address."""
    with pytest.raises(Unavailable, match="KUBE_API_URL"):
        KubectlProxy.start(kubectl=str(tmp_path / "no-kubectl"))


def test_a_service_account_token_is_sent(tmp_path: Path):
    """And a rotated one is picked up."""
    token = tmp_path / "token"
    token.write_text("one")
    with FakeKube(recorded("a-leak-crashloop")) as fake:
        fake.token = "one"
        kube = Kube(KubeConfig(api_url=fake.url, token_path=str(token)))
        kube.get("version")
        token.write_text("two")
        fake.token = "two"

        assert kube.get("version")["major"] == "1"


@pytest.mark.parametrize("name", ["a", "orders-api-655779759d-jst99", "a.b.c", "0"])
def test_kubernetes_names(name):
    """What the API server allows for pods and nodes."""
    assert is_kube_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a/b", "..", "a..b", "a b", "ä", 'a"', "a\n", "x" * 254])
def test_what_is_no_kubernetes_name(name):
    """Nothing that could mean something else in a path or in a query."""
    assert not is_kube_name(name)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such signal")
def test_the_child_ends_with_a_parent_that_is_killed(tmp_path: Path):
    """A worker that gets SIGKILL cannot end its child; an open way into the cluster must not outlive it."""
    program = 'print("Starting to serve on 127.0.0.1:41234", flush=True); time.sleep(60)'
    parent = f"""
import os, signal, time
from receiver.evidence.kubectl_proxy import KubectlProxy
from tests.support import wait_until
proxy = KubectlProxy.start(kubectl={kubectl(tmp_path, program)!r})
print(proxy._child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, timeout=30, check=False)
    child = Path(f"/proc/{int(ended.stdout)}/cmdline")

    assert ended.returncode == -signal.SIGKILL
    wait_until(lambda: not child.exists() or child.read_bytes() == b"", what="the child has ended")


def test_a_child_whose_caller_was_killed_meanwhile_does_not_start(tmp_path: Path):
    """Between the start of the child and its wish to end with us, we may be gone."""
    started = tmp_path / "started"
    command = ending_with_us([kubectl(tmp_path, f"open({str(started)!r}, 'w')")], parent=1)

    assert subprocess.run(command, check=False).returncode != 0
    assert not started.exists()
