"""`oomtriage triage` in the receiver's own pod asks the receiver, and stays small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.demo.standins import KubeStandin, load
from tests.e2e.receiver import Receiver
from tests.places import FIXTURES, REPO

POD = "orders-api-655779759d-jst99"
SMALL_KIB = 48 * 1024  # peak of resident memory, shared pages included; alone it is about 70 MiB


@pytest.fixture(scope="module")
def kube() -> Iterator[KubeStandin]:
    with KubeStandin(load(FIXTURES / "kubernetes", only=["a-leak-crashloop"])) as standin:
        yield standin


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, kube: KubeStandin) -> Iterator[Receiver]:
    """As in the shipped pod: reached from outside with a token, and no ADMIN_TOKEN."""
    folder = tmp_path_factory.mktemp("pod")
    (folder / "tmp").mkdir()
    receiver = Receiver(folder, KUBE_API_URL=kube.url, WEBHOOK_TOKEN="secret-word", TMPDIR=str(folder / "tmp"))
    receiver.settings["LISTEN"] = f"0.0.0.0:{receiver.port}"
    receiver.launch()
    receiver.wait_ready()
    yield receiver
    receiver.stop()
    assert list((folder / "tmp" / f"oomtriage-{os.getuid()}").glob("*.json")) == []


def triage(receiver: Receiver, *words: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    environ = {"PATH": os.environ["PATH"], "TMPDIR": receiver.settings["TMPDIR"], **environ}
    command = [sys.executable, "-m", "receiver", "triage", "-n", "shop", *words]
    done = subprocess.run(command, env=environ, cwd=REPO, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_it_says_the_same_as_a_process_of_its_own(receiver: Receiver, kube: KubeStandin, tmp_path: Path) -> None:
    there, alone = tmp_path / "there.json", tmp_path / "alone.json"
    code, out, err = triage(receiver, POD, "-o", "json", "--save", str(there), KUBE_API_URL=kube.url)
    assert (code, err) == (0, "")
    again = triage(receiver, POD, "-o", "json", "--save", str(alone), KUBE_API_URL=kube.url, TMPDIR=str(tmp_path))

    assert json.loads(out)["kill"] == json.loads(again[1])["kill"]
    assert json.loads(there.read_text()).keys() == json.loads(alone.read_text()).keys()


@pytest.mark.parametrize("output", ["text", "slack"])
def test_every_output_comes_from_the_receiver(receiver: Receiver, kube: KubeStandin, output: str) -> None:
    code, out, err = triage(receiver, POD, "-o", output, KUBE_API_URL=kube.url)

    assert (code, err) == (0, "")
    assert "orders-api" in out


def test_a_list_of_deaths_comes_from_the_receiver(receiver: Receiver, kube: KubeStandin) -> None:
    """It has loaded what a look needs; a workload and a selector are found there as well."""
    code, out, err = triage(receiver, "--since", "5000d", "--looks", "1", "-o", "json", KUBE_API_URL=kube.url)
    of_owner = triage(receiver, "deploy/orders-api", KUBE_API_URL=kube.url)

    assert (code, err) == (0, "")
    assert json.loads(out)["schema"] == "oomtriage.deaths/v1"
    assert of_owner[0] == 0
    assert of_owner[1].startswith("🔴 orders-api")


def test_nothing_known_is_said_as_ever(receiver: Receiver, kube: KubeStandin) -> None:
    code, out, err = triage(receiver, "not-there-abc", KUBE_API_URL=kube.url)

    assert (code, out) == (1, "")
    assert err.startswith("oomtriage: nothing is known of pod shop/not-there-abc: ")


def test_other_sources_are_not_asked_through_it(receiver: Receiver) -> None:
    """Another API than the receiver's: a process of its own, which says that nobody answers there."""
    code, _, err = triage(receiver, POD, KUBE_API_URL="http://127.0.0.1:9")

    assert code == 1
    assert "nothing is known" in err


def test_it_stays_small(receiver: Receiver, kube: KubeStandin) -> None:
    program = (
        "import re, sys\n"
        "from receiver.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally:\n"
        "    peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()).group(1)\n"
        "    print('peak', peak, 'receiver.app.build' in sys.modules)\n"
    )
    environ = {"PATH": os.environ["PATH"], "TMPDIR": receiver.settings["TMPDIR"], "KUBE_API_URL": kube.url}
    command = [sys.executable, "-c", program, "triage", "-n", "shop", POD]
    out = subprocess.run(command, env=environ, cwd=REPO, capture_output=True, text=True, timeout=60, check=True).stdout
    _, peak_kib, is_loaded = out.strip().splitlines()[-1].split()

    assert is_loaded == "False"
    assert int(peak_kib) < SMALL_KIB


def test_without_the_word_nothing_is_open(receiver: Receiver) -> None:
    assert receiver.get("/admin/dead")[0] == 403
