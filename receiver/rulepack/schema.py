"""What values.yaml may hold, as a JSON Schema: the one description that the reader of values, editors and the docs share.

The alerts, parameters, groups and labels in it are those of the rule files. `title` says what a value is ("expected ...").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.rulepack.marks import Parameter
from receiver.rulepack.metrics import EXPORTERS
from receiver.rulepack.pack import Pack

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SEVERITIES = ("critical", "warning", "info", "none")
RESERVED = ("enabled", "for", "keep_firing_for", "severity", "labels", "annotations")  # no parameter may be called so
_UNITS = "".join(f"([0-9]+{unit})?" for unit in ("y", "w", "d", "h", "m", "s", "ms"))
DURATION_PATTERN = f"^(0|(?=[0-9]){_UNITS})$"  # each unit once, the larger first, as Prometheus and the operator's CRD want it
WINDOW_PATTERN = f"^(?=[0-9])(?=.*[1-9]){_UNITS}$"  # longer than nothing
LABEL_PATTERN = "^[a-zA-Z_][a-zA-Z0-9_]*$"
OBJECT_NAME_PATTERN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
REGEX_PATTERN = r"^[A-Za-z0-9_.*+?|()\[\]{},^$\\-]+$"  # what names of Kubernetes objects can be matched with; no quotes
THRESHOLD = "memory_usage_threshold"


def values_schema(pack: Pack) -> Schema:
    """The schema of the values of this pack."""
    return {
        "$schema": DRAFT,
        "title": "Values of the oomtriage rules",
        "description": "What `oomtriage rules render --values FILE` takes. Leave out what shall stay as the rule files have it.",
    } | _object(
        {
            "runbook_base": _text(
                "an address that begins with http:// or https://",
                "Where the alerts' runbook links lead; the alert's name is appended. A receiver serves the pages at PUBLIC_URL/runbooks/.",
                pattern="^https?://[^\\s]+$",
            ),
            "interval": _duration("Time between two evaluations, for every group. Without it: the group's own, else Prometheus' evaluation_interval."),
            "group_intervals": _keys({name: _duration(f"Time between two evaluations of {name}; wins over `interval`.") for name in pack.groups},
                                     "Time between two evaluations, group by group."),
            "labels": _names("Added to every alert, to route it."),
            "annotations": _names("Added to every alert."),
            "label_names": _keys({name: _label_name(f"How {name} is called in your Prometheus.") for name in pack.labels},
                                 "Labels with other names, in every matcher, clause and annotation of the pack."),
            "selectors": _keys({name: _matchers(f"Added to every selector of a metric of {name}.") for name in EXPORTERS},
                               "More matchers for the metrics of one source, such as its job."),
            "exclude_namespaces": {
                "type": ["array", "null"], "items": _regex("Anchored RE2 regular expression of namespaces."),
                "title": "a list of regular expressions",
                "description": "No alert that names a namespace fires for these. Records, and alerts about nodes, stay as they are.",
            },
            "parameters": _keys({p.word: _parameter(p) for p in pack.parameters.values() if not p.alert},
                                "Marked numbers in recording rules; one value for every place with that word."),
            "alerts": _keys({name: _alert(name, pack) for name in pack.alerts}, "What can be changed of each alert."),
            "overrides": {
                "type": ["array", "null"], "items": _override(), "title": "a list of overrides",
                "description": "HighMemoryUsage's threshold for some containers; the first that fits counts.",
            },
            "prometheusrule": _resource(),
        }
    )  # fmt: skip


def _alert(name: str, pack: Pack) -> Schema:
    own = {p.word: _parameter(p) for p in pack.parameters.values() if p.alert == name}
    return _keys(
        {
            "enabled": {"type": ["boolean", "null"], "title": "true or false", "description": "false leaves the alert out."},
            "for": _duration("How long the expression must hold before the alert fires; 0s: at once."),
            "keep_firing_for": _duration("How long it goes on firing after the expression stopped to hold; 0s: not at all."),
            "severity": {
                "type": ["string", "null"], "enum": [*SEVERITIES, None], "title": f"one of {', '.join(SEVERITIES)}",
                "description": "Alertmanager routes on it.",
            },
            "labels": _names("Added to this alert."),
            "annotations": _names("Added to this alert, or instead of its own."),
            **own,
        },
        f"{name}.",
    )  # fmt: skip


def _parameter(parameter: Parameter) -> Schema:
    kind = (
        {"type": ["string", "null"], "pattern": WINDOW_PATTERN, "title": "a duration such as 30s, 5m or 1h"}
        if parameter.is_duration
        else {"type": ["number", "null"], "title": "a number"}
    )
    return {**kind, "description": f"The number marked `# {parameter.word}` in the rule."}


def _override() -> Schema:
    pod = {key: _regex(f"Anchored RE2 regular expression of the {key}.") for key in ("cluster", "namespace", "pod", "container")}
    workload = _text(
        "a workload's name", "Name of the Deployment, StatefulSet, DaemonSet or Job; not together with pod.", pattern=OBJECT_NAME_PATTERN
    )
    threshold = {
        "type": "number", "exclusiveMinimum": 0, "maximum": 1, "title": "a share of the limit between 0 and 1",
        "description": "Share of the memory limit; 0.9 is 90 %.",
    }  # fmt: skip
    return {
        **_object({**pod, "workload": workload, "threshold": threshold}),
        "required": ["threshold"],
        "minProperties": 2,
        "title": "what it is for (namespace, workload, pod, container, cluster) and a threshold",
    }


def _resource() -> Schema:
    name = _text("a name of lower-case letters, digits, - and .", "The PrometheusRule's name.", pattern=OBJECT_NAME_PATTERN)
    namespace = _text("a namespace", "The PrometheusRule's namespace.", pattern=OBJECT_NAME_PATTERN)
    labels = _names("The PrometheusRule's labels. The operator loads it only when they match its ruleSelector.", keys=None)
    return _keys({"name": name, "namespace": namespace, "labels": labels}, "Only for --format prometheusrule.")


def _object(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "title": "keys and values", "additionalProperties": False, "properties": dict(properties)}


def _keys(properties: Mapping[str, Any], description: str) -> Schema:
    return {**_object(properties), "type": ["object", "null"], "description": description}


def _names(description: str, keys: str | None = LABEL_PATTERN) -> Schema:
    names = {"propertyNames": {"pattern": keys}} if keys else {}
    return {
        "type": ["object", "null"], "title": "keys and values", "description": description, **names,
        "additionalProperties": {"type": "string", "title": "text (put it in quotes)"},
    }  # fmt: skip


def _text(title: str, description: str, *, pattern: str) -> Schema:
    return {"type": ["string", "null"], "pattern": pattern, "title": title, "description": description}


def _duration(description: str) -> Schema:
    return _text("a duration such as 30s, 5m or 1h", description, pattern=DURATION_PATTERN)


def _label_name(description: str) -> Schema:
    return _text("a label's name", description, pattern=LABEL_PATTERN)


def _matchers(description: str) -> Schema:
    return {"type": ["string", "null"], "title": 'matchers such as job="kubelet"', "description": description}


def _regex(description: str) -> Schema:
    return _text("a regular expression of names, without quotes", description, pattern=REGEX_PATTERN)
