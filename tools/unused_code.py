"""Code that nothing uses: vulture's findings but for those that unused_code.yaml explains.

    python tools/unused_code.py

Looks twice: at everything, and at what is left without the tests, because code that only tests use is dead, too. Prints one line for
each name that nothing uses, and one for each line of unused_code.yaml that explains nothing any more. Exit status 1 when there is any.
What receiver/render and receiver/web hand to templates is used when a template names it, or docs/templates.md offers it to the templates of users.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from vulture.core import Vulture

REPO = Path(__file__).resolve().parents[1]
PRODUCT = ("receiver", "tools", "bench")
EXPLAINED = Path(__file__).with_suffix(".yaml")
CALLED_BY_NAME = ["@pytest.fixture", "@*.get", "@*.post", "@*.before_request", "@*.after_request", "@*.errorhandler"]
TEMPLATES = ("templates/**/*.j2", "docs/templates.md")
LEAST_SURE = 60  # percent: vulture's lowest, a name that nothing mentions


def unused(folders: Sequence[str]) -> dict[str, str]:
    """`path name` of everything that nothing in these folders uses, with what to print of it."""
    vulture = Vulture(ignore_decorators=CALLED_BY_NAME)
    vulture.scavenge([str(REPO / folder) for folder in folders])
    in_templates = {word for pattern in TEMPLATES for path in REPO.glob(pattern) for word in re.findall(r"\w+", path.read_text())}
    found = {}
    for item in vulture.get_unused_code(min_confidence=LEAST_SURE):
        path = Path(item.filename).relative_to(REPO).as_posix()
        if path.startswith(("receiver/render/", "receiver/web/")) and item.name in in_templates:
            continue
        found[f"{path} {item.name}"] = f"{path}:{item.first_lineno}: unused {item.typ} {item.name}"
    return found


def main() -> int:
    """Print what is wrong; the exit status."""
    patterns = list(yaml.safe_load(EXPLAINED.read_text()))
    only_in_tests = {where: f"{line}, but for tests" for where, line in unused(PRODUCT).items()}
    found = only_in_tests | unused([*PRODUCT, "tests"])
    lines = [line for where, line in found.items() if not any(fnmatchcase(where, pattern) for pattern in patterns)]
    lines += [
        f"{EXPLAINED.name}: {pattern!r} explains nothing any more"
        for pattern in patterns
        if not any(fnmatchcase(where, pattern) for where in found)
    ]
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
