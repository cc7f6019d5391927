"""`oomtriage preview`: every kind of message, and every broken template, before an incident needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from receiver.cli import main
from receiver.render import Renderer, slack_environment
from receiver.render.context.build import build
from receiver.render.kinds import KINDS, kind_of
from receiver.render.samples import sample_storm, samples
from receiver.settings.model import KEYS
from tests.checks.slack_limits import budget_problems, problems
from tests.unit.render.test_renderer import TEMPLATES

BUILTIN = sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.j2"))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`oomtriage preview` in this process: (exit code, stdout, stderr)."""
    for key in KEYS:
        monkeypatch.delenv(key.name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(("preview", *words))
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def own(tmp_path: Path, name: str, source: str) -> Path:
    folder = tmp_path / "mine"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source)
    return folder


def test_there_is_a_sample_of_every_kind_of_message() -> None:
    """Each is told by the template it is named after, within Slack's limits and our reading budgets."""
    renderer = Renderer(slack_environment(jinja2.FileSystemLoader(TEMPLATES)))
    kinds = {s.name: kind_of(s.report, is_memory_alert=build(s.view, s.report).alert.has_oom_name) for s in samples()}
    made = [m for s in samples() for m in renderer.incident(s.view, s.report)] + list(renderer.digest(sample_storm()))

    assert {name: kind for name, kind in kinds.items() if name in KINDS} == {kind: kind for kind in KINDS}
    for message in made:
        assert problems(message.body()) == []
        assert budget_problems(message.slot, message.body()) == []
        assert "could not be shown" not in message.full_text


def test_everything_is_shown_with_the_built_in_templates(run: Run) -> None:
    """A heading a message; nothing is broken, exit 0."""
    code, out, err = run()

    assert (code, err) == (0, "")
    for heading in (
        "=== leak: root",
        "=== leak: patch (reply)",
        "=== resolved: root",
        "=== unknown: root",
        "=== storm: digest-page:1 (reply)",
    ):
        assert heading in out
    assert "broken" not in out


@pytest.mark.parametrize("name", BUILTIN)
def test_every_template_is_used_so_a_mistake_in_any_is_found(run: Run, tmp_path: Path, name: str) -> None:
    """One that compiles and fails only when it is printed: named with the reason, exit 1, and the messages are there all the same."""
    folder = own(tmp_path, name, "{{ no_such_name.at_all }}\n" + (TEMPLATES / name).read_text())
    code, out, _ = run("--templates", str(folder))
    found = [line for line in out.splitlines() if line.startswith("broken: ")]

    assert code == 1
    assert found
    assert "no_such_name" in found[0]
    assert "=== leak: root" in out


def test_a_template_that_does_not_compile_is_named_once_with_its_line(run: Run, tmp_path: Path) -> None:
    """As a person would look for it."""
    folder = own(tmp_path, "root/leak.j2", "header: x\n{% if %}")
    code, out, _ = run("--templates", str(folder))

    assert code == 1
    assert [line[:34] for line in out.splitlines() if line.startswith("broken")] == ["broken: root/leak.j2: line 2: Expe"]


def test_ones_own_words_are_shown(run: Run, tmp_path: Path) -> None:
    """A good override is used and counted; a file that replaces nothing is pointed at (a slip in its name does nothing)."""
    own(tmp_path, "root/leak.j2", "header: 🔴 {{ subject }} died\ntext: 🔴 {{ subject }} died")
    folder = own(tmp_path, "root/leek.j2", "header: x")
    code, out, _ = run("--templates", str(folder))

    assert code == 0
    assert "🔴 sample-api died" in out
    assert "note: root/leek.j2 replaces no built-in template" in out
    assert out.splitlines()[-1] == "2 of your templates, none broken"


def test_slack_lines_can_be_posted_and_the_verdict_is_on_stderr(run: Run, tmp_path: Path) -> None:
    """JSON lines alone on stdout, each a body of chat.postMessage beside the keys that say what it is."""
    folder = own(tmp_path, "grey.j2", "{% if %}")
    code, out, err = run("-o", "slack", "--templates", str(folder))
    lines = [json.loads(line) for line in out.splitlines()]

    assert code == 1
    assert err.startswith("broken: grey.j2: line 1")
    for line in lines:
        assert {"sample", "slot", "thread"} <= set(line)
        assert problems({k: v for k, v in line.items() if k not in ("sample", "slot", "thread")}) == []


def test_a_saved_case_is_shown_instead(run: Run, tmp_path: Path) -> None:
    """The user's own incident with the user's own words."""
    case = {
        "schema": "oomtriage.case/v1",
        "gathered_at": "2026-11-23T01:00:00Z",
        "subject": {"namespace": "shop", "pod": "api-0"},
        "answers": {},
    }
    (tmp_path / "case.json").write_text(json.dumps(case))
    code, out, _ = run("--case", str(tmp_path / "case.json"))

    assert code == 0
    assert "=== case.json: root" in out
    assert "sample-api" not in out


@pytest.mark.parametrize("words", [("--templates", "nowhere"), ("--case", "nowhere.json")])
def test_what_is_not_there_is_exit_2(run: Run, words: tuple[str, ...]) -> None:
    """One line names it."""
    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert "nowhere" in err
