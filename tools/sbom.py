"""What the image holds, as CycloneDX 1.5 JSON on standard output: every distribution of the lock files with its version and hashes.

    python tools/sbom.py requirements/runtime.txt requirements/charts.txt requirements/postgres.txt

Reads nothing but the lock files, so that the same clone gives the same list. It runs in the image's build, where only Python is.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(text: str) -> Iterator[dict[str, Any]]:
    """The components of one lock file. The hashes are those of every file the index has for that version."""
    found = list(_PINNED.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    for each, end in zip(found, ends, strict=True):
        name, version = each[1].lower().replace("_", "-"), each[2]
        purl = f"pkg:pypi/{name}@{version}"
        hashes = [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(text[each.end() : end])]
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": hashes}


def document(locks: Sequence[str]) -> dict[str, Any]:
    """The whole list; a distribution that two lock files pin is in it once."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    components = {each["purl"]: each for text in locks for each in pinned(text)}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "application", "name": project["name"], "version": project["version"],
            "purl": f"pkg:pypi/{project['name']}@{project['version']}", "licenses": [{"license": {"id": project["license"]}}],
        }},
        "components": [components[purl] for purl in sorted(components)],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(document([Path(path).read_text() for path in sys.argv[1:]]), indent=1))
