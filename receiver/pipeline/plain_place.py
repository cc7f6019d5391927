"""The place that decides a container's memory, in plain manifests: the workload's own object, edited in the one value. Pure.

Only where there is exactly one, written as a literal. Overlays, charts and generated files are found by nobody here, and so never edited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from receiver.domain.reason import reason
from receiver.domain.report import Report
from receiver.domain.subject import Subject
from receiver.domain.units import format_quantity, parse_bytes
from receiver.forge import Edit
from receiver.pipeline.change_requests import Found

_MANIFESTS = (".yaml", ".yml")
_TEMPLATES = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_TEMPLATE = ("spec", "template", "spec")
_IN_ITSELF = ("containers", "initContainers")


@dataclass(frozen=True, slots=True)
class _Value:
    """A scalar as it stands in a file."""

    path: str
    start: int
    end: int
    text: str


def plain_place(files: Mapping[str, str], report: Report) -> Found:
    """The edit of the one manifest of this workload. `files`: texts by path."""
    subject, proposal = report.subject, report.proposal
    limits = list(_values(files, subject, "limits"))
    if len(limits) > 1:
        return Found(refusal=reason("request.several_places", paths=tuple(dict.fromkeys(v.path for v in limits))[:6]))
    if not limits or proposal.limit_bytes is None:
        return Found(refusal=reason("request.no_place"))
    limit = limits[0]
    if proposal.limit_before_bytes is not None and _bytes(limit.text) != proposal.limit_before_bytes:
        return Found(refusal=reason("request.other_value", path=limit.path, there=limit.text, before_bytes=proposal.limit_before_bytes))
    changes = [(limit, format_quantity(proposal.limit_bytes))]
    if proposal.request_bytes is not None:
        changes += [(v, format_quantity(proposal.request_bytes)) for v in _values(files, subject, "requests") if v.path == limit.path]
    text = files[limit.path]
    if len({v.start for v, _ in changes}) < len(changes) or any(text[v.start : v.end] != v.text for v, _ in changes):
        return Found(refusal=reason("request.no_place"))  # one anchor for several, or written in another way than it reads
    for value, wanted in sorted(changes, key=lambda c: -c[0].start):
        text = text[: value.start] + wanted + text[value.end :]
    if _others(files[limit.path], subject) != _others(text, subject):
        return Found(refusal=reason("request.no_place"))
    return Found(edits=(Edit(path=limit.path, text=text),), why=reason("request.why_plain", path=limit.path))


def _values(files: Mapping[str, str], subject: Subject, which: str) -> Iterator[_Value]:
    for path, text in files.items():
        if not path.endswith(_MANIFESTS) or "{{" in text or subject.workload is None or subject.workload.name not in text:
            continue
        for document in _documents(text):
            yield from _in_object(path, document, subject, which)


def _documents(text: str) -> list[yaml.Node]:
    try:
        return [d for d in yaml.compose_all(text, Loader=yaml.SafeLoader) if d is not None]
    except yaml.YAMLError:
        return []


def _in_object(path: str, node: yaml.Node, subject: Subject, which: str) -> Iterator[_Value]:
    if _scalar(_at(node, "kind")) == "List":
        items = _at(node, "items")
        for item in items.value if isinstance(items, yaml.SequenceNode) else ():
            yield from _in_object(path, item, subject, which)
        return
    if not _is_it(node, subject):
        return
    kind = _scalar(_at(node, "kind"))
    spec = _at(node, *_TEMPLATES.get(kind, _TEMPLATE))
    for name in _IN_ITSELF:
        containers = _at(spec, name)
        for container in containers.value if isinstance(containers, yaml.SequenceNode) else ():
            value = _at(container, "resources", which, "memory")
            if _scalar(_at(container, "name")) == subject.container and isinstance(value, yaml.ScalarNode):
                yield _value(path, value)


def _value(path: str, node: yaml.ScalarNode) -> _Value:
    quotes = 1 if node.style in ("'", '"') else 0
    return _Value(path, node.start_mark.index + quotes, node.end_mark.index - quotes, node.value)


def _is_it(node: yaml.Node, subject: Subject) -> bool:
    workload = subject.workload
    if workload is None or _scalar(_at(node, "kind")) != workload.kind or _scalar(_at(node, "metadata", "name")) != workload.name:
        return False
    return _scalar(_at(node, "metadata", "namespace")) in ("", subject.namespace)


def _at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((v for k, v in node.value if _scalar(k) == key), None)
    return node


def _scalar(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _bytes(text: str) -> int | None:
    try:
        return parse_bytes(text)
    except ValueError:
        return None


def _others(text: str, subject: Subject) -> list[object]:
    """Everything that the text says beside the container's memory: a look whether the edit changed anything else."""
    return [_without(d, subject) for d in _documents(text)]


def _without(node: yaml.Node, subject: Subject, trail: tuple[str, ...] = ()) -> object:
    if isinstance(node, yaml.MappingNode):
        is_ours = _scalar(_at(node, "name")) == subject.container and trail[-1:] in (("containers",), ("initContainers",))
        return [
            (_scalar(k), _without(v, subject, (*trail, "*" if is_ours else "", _scalar(k))) if not _is_memory(trail, k) else "memory")
            for k, v in node.value
        ]
    if isinstance(node, yaml.SequenceNode):
        return [_without(v, subject, trail) for v in node.value]
    return (node.tag, node.value)


def _is_memory(trail: tuple[str, ...], key: yaml.Node) -> bool:
    return "*" in trail and trail[-1:] in (("limits",), ("requests",)) and _scalar(key) == "memory"
