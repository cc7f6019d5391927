"""Makes tests/fixtures/kubernetes/custom-resources.json anew: `python tools/custom_resources.py CRDS_DIR`.

CRDS_DIR: a checkout of datreeio/CRDs-catalog (GROUP/KIND_VERSION.json). Descriptions are left out, and so is every field that no object of
deploy/ has, because the whole of AlertmanagerConfig alone is 700 KB: an object that uses another field is refused by the tests, rightly or
because this has to be run again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).resolve().parents[1]
TARGET = REPO / "tests" / "fixtures" / "kubernetes" / "custom-resources.json"
NOISE = ("description", "default", "format", "$schema")


def bare(schema: Any, *, is_fields: bool = False) -> Any:
    """Without what no check reads. `is_fields`: the keys are names of fields, so none of them is noise."""
    if isinstance(schema, dict):
        kept = ((key, value) for key, value in schema.items() if is_fields or not (key in NOISE or key.startswith("x-kubernetes-")))
        return {key: bare(value, is_fields=key == "properties" and not is_fields) for key, value in kept}
    return [bare(each) for each in schema] if isinstance(schema, list) else schema


def used(schema: Any, values: Sequence[Any]) -> Any:
    """The schema with those fields alone that one of the values has."""
    if not isinstance(schema, dict):
        return schema
    kept = dict(schema)
    if "properties" in kept:
        mappings = [value for value in values if isinstance(value, dict)]
        inner = {name: [m[name] for m in mappings if name in m] for name in kept["properties"]}
        kept["properties"] = {name: used(kept["properties"][name], found) for name, found in inner.items() if found}
        kept.setdefault("additionalProperties", False)
    if "items" in kept:
        kept["items"] = used(kept["items"], [each for value in values if isinstance(value, list) for each in value])
    return kept


def custom(folder: Path) -> dict[str, Any]:
    """`apiVersion/kind` -> schema of the custom resources in deploy/."""
    documents: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted((REPO / "deploy").rglob("*.yaml")):
        if "templates" in path.parts:
            continue
        for document in yaml.safe_load_all(path.read_text()):
            if isinstance(document, dict) and "." in str(document.get("apiVersion", "")).partition("/")[0]:
                documents.setdefault((document["apiVersion"], document["kind"]), []).append(document)
    found = {}
    for (version, kind), examples in sorted(documents.items()):
        group, _, name = version.partition("/")
        path = folder / group / f"{kind.lower()}_{name}.json"
        if path.exists():
            schema = used(bare(json.loads(path.read_text())), examples)
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{version}/{kind}"] = schema
    return found


def main(arguments: Sequence[str]) -> int:
    """Writes the file."""
    TARGET.write_text(json.dumps(custom(Path(arguments[0])), indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
