"""What may be named, what stands on stdout, and what somebody reads who mistyped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from receiver.cli import kubectl_main, main
from receiver.settings.model import KEYS
from tests.fakes.kube import FakeKube, recorded, refuse

POD = "orders-api-655779759d-jst99"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[FakeKube]:
    with FakeKube(recorded("a-leak-crashloop", moment="t3")) as kube:
        yield kube


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cluster: FakeKube) -> Run:
    """`oomtriage triage WORDS` against the recorded cluster: (exit code, stdout, stderr)."""
    for key in KEYS:
        monkeypatch.delenv(key.name, raising=False)
    for name in ("KUBERNETES_SERVICE_HOST", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBE_API_URL", cluster.url)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["triage", *words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.mark.parametrize(
    "words", [("deploy/orders-api",), ("deployment", "orders-api"), ("-l", "app.kubernetes.io/name=orders-api"), (POD,)], ids=" ".join
)
def test_a_pod_can_be_named_by_what_owns_it(run: Run, words: tuple[str, ...]) -> None:
    """The worst pod of a workload or a selector; its own story is printed."""
    code, out, err = run("-n", "shop", *words, "-o", "json")

    assert (code, err) == (0, "")
    assert json.loads(out)["subject"]["pod"] == POD


def test_a_selector_may_look_everywhere(run: Run) -> None:
    """-A finds the namespace as well."""
    _, out, _ = run("-A", "-l", "pod-template-hash=655779759d", "-o", "json")

    assert json.loads(out)["subject"]["namespace"] == "shop"


def test_a_namespace_alone_lists_what_died(run: Run) -> None:
    """A line each, with a verdict for the first few workloads."""
    code, out, err = run("-n", "batch", "--since", "5000d", "-o", "json", "--looks", "1")
    document = json.loads(out)

    assert (code, err) == (0, "")
    assert {d["namespace"] for d in document["deaths"]} == {"batch"}
    assert sum(d["cause"] is not None for d in document["deaths"]) >= 1
    assert any(d["cause"] is None for d in document["deaths"])


def test_one_look_speaks_for_all_pods_of_a_workload(run: Run) -> None:
    """Fifty replicas that die alike cost one look."""
    _, out, _ = run("-n", "batch", "--since", "5000d", "-o", "json", "--looks", "2")
    exports = [d for d in json.loads(out)["deaths"] if d["workload"]["name"] == "nightly-export"]

    assert len(exports) == 3
    assert len({json.dumps(d["cause"]) for d in exports}) == 1
    assert exports[0]["cause"] is not None


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("-n", "shop", "orders-api"), "did you mean deployment/orders-api?"),
        (("-n", "shop", "orders-api-655779759d-jst98"), f"did you mean {POD}?"),
        (("-n", "shop", "debug-shel"), "did you mean debug-shell"),
        (("-n", "shop", "deploy/order-api"), "did you mean deployment/orders-api?"),
        (("-n", "batch", POD), "there is one in namespace shop: use -n"),
        (("-n", "shop", "-l", "app=nothing"), "--show-labels"),
        (("-n", "shoppe"), "there is no namespace shoppe"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else None,
)
def test_a_mistyped_name_gets_near_ones(run: Run, words: tuple[str, ...], near: str) -> None:
    """One line with the next step, exit 1, nothing on stdout."""
    code, out, err = run(*words)

    assert (code, out) == (1, "")
    assert near in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [("-n", "shop", "svc/x"), ("-A", "-n", "shop"), ("-A", "deploy/x"), ("-n", "shop", "--save", "x.json"), ("x", "--since", "soon")],
)
def test_what_does_not_go_together_is_exit_2(run: Run, words: tuple[str, ...]) -> None:
    """One line that says what was expected."""
    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert "expected" in err or "name it" in err
    assert err.count("\n") == 1


def test_who_may_not_list_pods_reads_why(run: Run, cluster: FakeKube) -> None:
    """The API's own words, and no traceback."""
    cluster.fault("/pods", refuse(403, 'pods is forbidden: User "ines" cannot list', times=1))
    code, out, err = run("-n", "shop")

    assert (code, out) == (1, "")
    assert "forbidden" in err


def test_colours_come_when_asked_for_and_change_nothing(run: Run) -> None:
    """Piped it is plain; --color always paints the same text."""
    _, plain, _ = run("-n", "shop", POD)
    _, colored, _ = run("-n", "shop", POD, "--color", "always")

    assert "\x1b" not in plain
    assert "\x1b[1m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_json_is_never_coloured(run: Run) -> None:
    """It is for programs, whatever the terminal is forced to."""
    _, out, _ = run("-n", "shop", POD, "-o", "json", "--color", "always")

    assert json.loads(out)


def test_the_plugin_without_a_word_asks_about_the_own_namespace(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`kubectl oomtriage` is like `kubectl get pods`; its help and its next step name it as it was called."""
    monkeypatch.setattr("sys.argv", ["kubectl-oomtriage", "-n", "shop", "--since", "5000d", "--looks", "0"])
    with pytest.raises(SystemExit) as ended:
        kubectl_main()
    out, _ = capsys.readouterr()

    assert ended.value.code == 0
    assert "The whole story: kubectl oomtriage -n shop " in out


def test_a_refusal_moves_no_cursor(run: Run, cluster: FakeKube) -> None:
    """The API's words, and those of whatever answers in its place, are text from outside."""
    cluster.fault("/pods", refuse(403, "\x1b[2J\x1b]0;owned\x07 no \u202e way\n oomtriage: all is well", times=1))
    code, _, err = run("-n", "shop")

    assert code == 1
    assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in err)
    assert err.count("\n") == 1


def test_a_large_namespace_is_read_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it is too large, what was left out is said."""
    monkeypatch.setattr("receiver.app.deaths.PAGE", 2)
    monkeypatch.setattr("receiver.app.deaths.MOST_PAGES", 1)
    _, out, _ = run("-n", "shop", "--since", "5000d", "--looks", "0")

    assert "Not seen: pods after the first 2: name a namespace" in out
