"""What code in the pages names exists: settings, `make` targets, files that are applied; and it is whole: YAML, shell, configuration."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from receiver.settings import load_settings
from receiver.settings.load import CONFIG_VARIABLE
from receiver.settings.model import KEYS, YAML_ONLY
from tests.checks.pages import Fence, code_of, fences, joined, pages
from tests.places import REPO

PAGES = [page for page in pages() if page.name != "CHANGELOG.md"]  # the changelog names what is gone, too
SETTINGS = {key.name for key in KEYS} | {f"{key.name}_FILE" for key in KEYS if key.is_secret} | {CONFIG_VARIABLE}
# Written from the code: what other programs print and are set by.
OF_OTHERS = {Path("docs/signatures.md"), Path("docs/ceilings.md"), Path("docs/redaction.md")}
# Of the kernel, of Python, of libraries; NAME_FILE stands for any secret.
FOREIGN = {
    "CONSTRAINT_MEMCG", "CONSTRAINT_NONE", "F_GETLK", "FORCE_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "LD_PRELOAD", "MALLOC_ARENA_MAX", "NAME_FILE",
    "NO_COLOR",
}  # fmt: skip
# What a block of settings may leave out, because the page has it elsewhere.
AROUND = {"WEBHOOK_TOKEN": "w", "SLACK_BOT_TOKEN": "xoxb-b", "SLACK_CHANNEL": "C0123456789"}
CAPITALS = re.compile(r"(?<![\w.$/{<-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w(])")
APPLIED = re.compile(
    r"(?:-k|-f|kustomize|helm (?:install|upgrade --install|template) [\w-]+|helm lint)[ =]((?:deploy|rules|docs)/[\w./-]+)"
)


def code() -> Iterator[tuple[str, str]]:
    """(page, line of code or code span)."""
    for page in PAGES:
        yield from ((str(page), line) for line in code_of((REPO / page).read_text()))


CODE = tuple(code())


def blocks(*languages: str) -> list[tuple[str, Fence]]:
    """(where, block) of every block of code in these languages."""
    return [(f"{page}:{fence.line}", fence) for page in PAGES for fence in fences((REPO / page).read_text()) if fence.language in languages]


def test_settings_that_are_named_exist() -> None:
    """Nobody sets what nothing reads."""
    makefile = set(re.findall(r"^([A-Z_]+) ", (REPO / "Makefile").read_text(), re.MULTILINE))
    known = SETTINGS | FOREIGN | makefile
    named = [(page, word) for page, line in CODE if Path(page) not in OF_OTHERS for word in CAPITALS.findall(line)]

    assert sum(word in SETTINGS for _, word in named) > 50
    assert [(page, word) for page, word in named if word not in known] == []


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    named = {(page, word) for page, line in CODE for word in re.findall(r"(?<![\w./-])make ([a-z][\w-]*)", line)}

    assert {word for _, word in named} >= {"demo", "test", "compat"}
    assert [(page, word) for page, word in named if word not in targets] == []


def test_what_is_applied_or_built_exists() -> None:
    """A folder that is applied with -k has a kustomization, a chart its Chart.yaml."""
    named = {(page, path) for page, line in CODE for path in APPLIED.findall(line)}
    missing = []
    for page, path in sorted(named):
        there = REPO / path.rstrip("/")
        if not there.exists() or (there.is_dir() and not any((there / name).exists() for name in ("kustomization.yaml", "Chart.yaml"))):
            missing.append((page, path))

    assert named
    assert missing == []


def test_values_that_are_set_by_helm_exist() -> None:
    """Of our own chart: each value, and below `config` each setting."""
    values = yaml.safe_load((REPO / "deploy" / "helm" / "oomtriage" / "values.yaml").read_text())
    named = [
        (page, path.split("."))
        for page, line in CODE
        if "helm/oomtriage" in line
        for path in re.findall(r"--set(?:-string)? ([\w.]+)=", line)
    ]
    unknown = [
        (page, path)
        for page, path in named
        if path[0] not in values or (path[1:] and path[1] not in values[path[0]] and path[1].upper() not in SETTINGS)
    ]

    assert named
    assert unknown == []


@pytest.mark.parametrize(("where", "fence"), [pytest.param(*found, id=found[0]) for found in blocks("yaml")])
def test_yaml_is_whole_and_settings_are_taken(where: str, fence: Fence, tmp_path: Path) -> None:
    """Of a block that holds settings, the receiver takes every key and value."""
    documents = list(yaml.safe_load_all(fence.code))
    held = documents[0] if len(documents) == 1 and isinstance(documents[0], dict) else {}
    if held.keys() & {*(name.lower() for name in SETTINGS), *YAML_ONLY} - {"label_names"}:
        written = re.sub(r"(_file: ).*", rf"\g<1>{tmp_path}/secret", fence.code)
        (tmp_path / "secret").write_text("https://hooks.slack.com/services/secret\n")
        (tmp_path / "config.yaml").write_text(written)
        around = {"WEBHOOK_TOKEN": "w"} if "slack_webhook_url" in fence.code else AROUND
        load_settings({name: value for name, value in around.items() if name.lower() not in written}, str(tmp_path / "config.yaml"))


def test_shell_can_be_pasted() -> None:
    """Quotes are closed, and nothing in angle brackets reads from a file."""
    found = blocks("sh", "console")
    script = "\n".join(f"f{i}() {{\n{joined(fence.code)}\n:\n}}" for i, (_, fence) in enumerate(found))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert found
    assert done.stderr == ""
    assert [where for where, fence in found if re.search(r"<[A-Za-z]", fence.code)] == []
