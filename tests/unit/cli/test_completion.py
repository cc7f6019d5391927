"""Completion: what is offered where, the same in the scripts of all shells; bash really runs its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli import names as completion_names
from receiver.cli.completion import SHELLS, script
from receiver.cli.main import whole_tree
from receiver.cli.names import kubectl_complete, names
from receiver.cli.tree import Node, expected
from tests.fakes.kube import FakeKube, recorded

POD = "orders-api-655779759d-jst99"
LINES = (
    "oomtriage ", "oomtriage tri", "oomtriage triage -o ", "oomtriage triage --output j", "oomtriage rules ", "oomtriage rules check --pro",
    "oomtriage rules render --format ", "oomtriage dead ", "oomtriage --ver", "oomtriage tick inc_1 root_cause --un", "oomtriage completion z",
    "oomtriage triage -n shop --color n", "oomtriage triage --since ", "oomtriage names ",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree() -> Node:
    return whole_tree()


@pytest.fixture(scope="module")
def cluster() -> Iterator[FakeKube]:
    with FakeKube(recorded("a-leak-crashloop", moment="t3")) as kube:
        yield kube


def offered(tree: Node, line: str) -> list[str]:
    """What the tree offers at the end of a command line."""
    words = line.split(" ")[1:]
    return [word for word, _ in expected(tree, words).words if word.startswith(words[-1])]


def test_the_tree_is_the_command_line(tree: Node) -> None:
    """Commands, choices and options come from the parsers themselves."""
    assert offered(tree, "oomtriage tri") == ["triage"]
    assert offered(tree, "oomtriage triage -o ") == ["text", "json", "slack"]
    assert offered(tree, "oomtriage dead ") == ["list", "replay", "drop"]
    assert expected(tree, ["triage", "-n", ""]).kind == "namespaces"
    assert expected(tree, ["triage", "-n", "shop", ""]).kind == "targets"
    assert expected(tree, ["diagnose", ""]).kind == "files"
    assert "names" not in [word for word, _ in expected(tree, [""]).words]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_every_script(tree: Node, shell: str) -> None:
    """Nothing is written by hand, so nothing can be forgotten."""
    text = script(tree, shell)
    for node in tree.all():
        assert node.path in text
        for option in node.options:
            for name in option.names:
                assert (f"-l {name[2:]}" if shell == "fish" and name.startswith("--") else name) in text or shell == "fish"


def run_shell(command: list[str], text: str, **environ: str) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30, env={**os.environ, **environ})
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_what_the_tree_does(tree: Node, cluster: FakeKube, tmp_path: Path) -> None:
    """The generated script in a real bash, at every kind of place; names are asked of the API."""
    launcher = tmp_path / "oomtriage"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m receiver "$@"\n')
    launcher.chmod(0o755)
    (tmp_path / "a case.json").write_text("{}")
    asked = [
        *(line.split(" ") for line in LINES),
        ["oomtriage", "triage", "-n", "shop", "deploy/ord"],
        ["oomtriage", "diagnose", f"{tmp_path}/a"],
    ]
    asked.append(["oomtriage", "triage", "--output", "=", "sl"])
    tries = "".join(
        f"COMP_WORDS=({' '.join(map(shlex.quote, [str(launcher), *words[1:]]))}); COMP_CWORD={len(words) - 1}; _oomtriage\n"
        'printf "%s;" "${COMPREPLY[@]}"; echo\n'
        for words in asked
    )  # fmt: skip
    out = run_shell(["bash", "--norc"], script(tree, "bash") + tries, KUBE_API_URL=cluster.url, PYTHONPATH=str(Path.cwd()))
    replies = [[word for word in line.split(";") if word] for line in out.splitlines()]

    assert replies[: len(LINES)] == [offered(tree, line) for line in LINES]
    assert replies[len(LINES) :] == [["deploy/orders-api"], [f"{tmp_path}/a case.json"], ["slack"]]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_reads_the_same_tables(tree: Node) -> None:
    """Without its line editor: the walk along the words, which is what bash and zsh share."""
    tries = "".join(f"__oomtriage_candidates {' '.join(map(shlex.quote, line.split(' ')[1:]))} | cut -f1; echo --\n" for line in LINES)
    out = run_shell(["zsh", "-f"], f"compdef() {{ :; }}\n{script(tree, 'zsh')}\n{tries}")
    replies = [[w for w in part.split("\n") if w] for part in out.split("--\n")]

    assert [[w for w in r if w.startswith(line.split(" ")[-1])] for r, line in zip(replies, LINES, strict=False)] == [
        offered(tree, line) for line in LINES
    ]


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_offers_what_the_tree_does(tree: Node) -> None:
    """`complete -C` is what TAB does."""
    tries = "".join(f"complete -C {shlex.quote(line)} | cut -f1; echo ==\n" for line in LINES)
    out = run_shell(["fish", "--no-config"], script(tree, "fish") + tries)
    replies = [sorted(w for w in part.split("\n") if w) for part in out.split("==\n")]

    assert replies[: len(LINES)] == [sorted(offered(tree, line)) for line in LINES]


def test_kubectl_asks_for_a_plugins_completion(
    cluster: FakeKube, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words with a tab and help, then whether file names may follow: 4 is no."""
    monkeypatch.setenv("KUBE_API_URL", cluster.url)
    said = []
    for words in (["-n", "shop", "ord"], ["-o", "j"], ["--save", ""]):
        monkeypatch.setattr("sys.argv", ["kubectl_complete-oomtriage", *words])
        kubectl_complete()
        said.append(capsys.readouterr().out.splitlines())

    assert said == [[POD, ":4"], ["json", ":4"], [":0"]]


def test_a_cluster_that_does_not_answer_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pressed TAB reads no error."""
    monkeypatch.setenv("KUBE_API_URL", "http://127.0.0.1:9")

    assert names("targets", ["triage", ""]) == []


def test_kubectl_is_asked_with_the_context_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where KUBE_API_URL is set; names that are none are left out."""
    pods = {"items": [{"metadata": {"name": name}} for name in ("web-1", "we$(id)", "web-2", "db-0")]}
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(tmp_path / 'said')!r}, 'w'))\nprint({json.dumps(pods)!r})\n"
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBE_API_URL", "http://127.0.0.1:9")

    assert names("targets", ["triage", "--context", "prod", "-n", "shop", "we"]) == ["web-1", "web-2"]
    said = json.loads((tmp_path / "said").read_text())
    assert said[:3] == ["get", "--raw", f"/api/v1/namespaces/shop/pods?limit={completion_names.MOST}"]
    assert {"--context=prod", f"--request-timeout={completion_names.DEADLINE_S:.0f}s"} <= set(said)
