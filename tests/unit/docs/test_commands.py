"""Every `oomtriage ...` that a document, an example or a message tells people to run is one that the real command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli.main import COMMANDS, parser_for
from tests.places import REPO

PLACES = (
    "README.md", "docs/**/*.md", "deploy/**/*.y*ml", "deploy/**/*.sh", "rules/**/*.yaml", ".pre-commit-hooks.yaml", "receiver/**/*.py", "templates/**/*.j2",
)  # fmt: skip
NAMES = "|".join(name for name, *_ in COMMANDS)
# In a code span, at the start of a line of code, after `run:`, behind `kubectl exec ... --`, with variables before it, or from a .venv.
COMMAND = re.compile(rf"(?:(?<![\w/-])|(?<=bin/))oomtriage (?P<rest>(?:{NAMES})\b[^`\n]*)")
# In a code span any word is taken for a command: one that does not exist is what must be found.
NAMED = re.compile(r"`oomtriage (?P<rest>[a-z][^`\n]*)`")
# kubectl's plugin: the command `triage`, for those who have the installation's kubeconfig.
PLUGIN = re.compile(r"(?<![\w/-])kubectl oomtriage (?P<rest>[^`\n]*[^`\s])")
BEFORE = re.compile(r"\s*(?:[-#$]*\s*)*(?:\w[\w ]*:\s*(?:'|\")?)?(?:kubectl exec .* -- )?(?:[A-Z_]+=\S+ )*(?:[\w./]*/)?")
CHOICES = re.compile(r"(?<=\w)(?:\|\w+)+")  # of `dead list|replay|drop` the first is tried
# The command ends where the shell or the sentence goes on.
END = re.compile(r"\s{2,}|\s+(?:[|;#]|&&|>|2>)|[`;]|\.\s|\.$|: |, (?!\w+=)| \(")


def written() -> Iterator[tuple[str, str]]:
    """(where, command line) of each."""
    for pattern in PLACES:
        for path in sorted(REPO.glob(pattern)):
            for number, line in lines(path):
                for found in (*COMMAND.finditer(line), *NAMED.finditer(line), *PLUGIN.finditer(line)):
                    if found.re is NAMED or (path.suffix not in (".py", ".j2") and _is_code(line, found.start())):
                        words = CHOICES.sub("", END.split(found["rest"], maxsplit=1)[0].strip())
                        yield f"{path.relative_to(REPO)}:{number}", f"triage {words}" if found.re is PLUGIN else words


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; a command that goes on behind a backslash is one line."""
    begun, start = "", 0
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        start = start if begun else number
        begun += line
        if begun.endswith("\\") and path.suffix in (".md", ".sh"):
            begun = begun[:-1]
            continue
        yield start, begun
        begun = ""


def _is_code(line: str, at: int) -> bool:
    """Whether what begins there is a command: in a code span, or nothing but a prompt, a key or a comment sign before it."""
    before = line[:at]
    return before.count("`") % 2 == 1 or BEFORE.fullmatch(before) is not None


WRITTEN = sorted({(where, command) for where, command in written()})


def exit_code(words: list[str]) -> int:
    """0 when the command line takes the words."""
    try:
        parser_for(words).parse_args(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_commands_are_found() -> None:
    """The net has no hole: the places that matter most are in it."""
    found = {where.partition(":")[0] for where, _ in WRITTEN}

    assert {
        "README.md", "docs/runbooks/OOMKilled.md", "docs/rules/gitops.md", "deploy/gitops/alerts/render.sh",
        "deploy/gitops/github/memory-alerts.yaml", "deploy/gitops/gitlab/memory-alerts.gitlab-ci.yml", ".pre-commit-hooks.yaml",
    } <= found  # fmt: skip


@pytest.mark.parametrize(("where", "command"), WRITTEN, ids=[f"{where} {command}" for where, command in WRITTEN])
def test_the_command_line_takes_it(where: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its options and arguments exist. A bare name, `oomtriage triage`, only speaks of the command."""
    words = shlex.split(command)
    is_mention = len(words) == 1 or (words[0] in ("rules", "dead") and len(words) == 2)
    words = [*words, "--help"] if is_mention else words

    assert exit_code(words) == 0, f"{where}: {capsys.readouterr().err}"


def test_a_wrong_option_would_be_found() -> None:
    """The parser refuses what does not exist, so the test above can fail."""
    assert exit_code(["rules", "render", "--no-such"]) == 2
