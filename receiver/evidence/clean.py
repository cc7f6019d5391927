"""What of a Kubernetes object enters a case: without values that may be secrets, texts redacted, managedFields boiled down to `writes`.

Environment values are dropped, except of the flags that decide how much memory a runtime takes: those of `KEPT_ENV` are redacted,
of all others the settings that bound memory are kept and nothing beside them. Volumes keep what says
where memory goes. Every longer text that a person wrote or a program said goes through the redactor; identifiers do not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from receiver.diagnosis.log.ceilings import kept_value
from receiver.evidence.writes import writes_of

Redact = Callable[[str], tuple[str, Mapping[str, int]]]

# Flags of runtimes that size their heap, arenas or workers. Everything else in `env` keeps its name, and what `kept_value` finds.
KEPT_ENV = frozenset(
    (
        "JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CATALINA_OPTS", "JAVA_OPTIONS", "JAVA_ARGS", "JVM_OPTS",
        "ES_JAVA_OPTS", "LS_JAVA_OPTS", "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "SBT_OPTS", "MAVEN_OPTS", "GRADLE_OPTS", "JAVA_MAX_MEM_RATIO",
        "JAVA_MAX_HEAP_SIZE", "MAX_HEAP_SIZE", "HEAP_NEWSIZE", "XMX", "NODE_OPTIONS", "UV_THREADPOOL_SIZE", "GOMEMLIMIT", "GOGC", "GODEBUG",
        "GOMAXPROCS", "DOTNET_GCHeapHardLimit", "DOTNET_GCHeapHardLimitPercent", "DOTNET_gcServer", "DOTNET_GCHeapCount",
        "DOTNET_GCConserveMemory", "COMPlus_GCHeapHardLimit", "COMPlus_GCHeapHardLimitPercent", "COMPlus_gcServer", "MALLOC_ARENA_MAX",
        "MALLOC_TRIM_THRESHOLD_", "MALLOC_CONF", "LD_PRELOAD", "PYTHONMALLOC", "PYTHONTRACEMALLOC", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS",
        "UVICORN_WORKERS", "CELERY_WORKER_MAX_MEMORY_PER_CHILD", "RUBY_GC_HEAP_GROWTH_FACTOR", "RUBY_GC_MALLOC_LIMIT", "RUBYOPT",
        "RAILS_MAX_THREADS", "PHP_MEMORY_LIMIT", "PHP_FPM_PM_MAX_CHILDREN", "OMP_NUM_THREADS", "TF_FORCE_GPU_ALLOW_GROWTH",
    )
)  # fmt: skip

# Annotations that repeat the object (with its plain environment values) or are of no use here.
_DROPPED_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration", "control-plane.alpha.kubernetes.io/leader")
# Keys whose strings are identifiers, times or closed words: never free text, and a redactor must not touch them.
_IDENTIFIERS = frozenset(
    (
        "name", "namespace", "uid", "kind", "apiVersion", "resourceVersion", "generateName", "creationTimestamp", "deletionTimestamp",
        "nodeName", "image", "imageID", "containerID", "startTime", "startedAt", "finishedAt", "firstTimestamp", "lastTimestamp",
        "eventTime", "lastObservedTime", "lastTransitionTime", "lastProbeTime", "lastUpdateTime", "type", "status", "phase", "reason",
        "qosClass", "policy", "restartPolicy", "fieldPath", "component", "host", "reportingComponent", "reportingInstance", "memory", "cpu",
        "schedule", "timestamp", "window", "providerID", "mountPath",
    )
)  # fmt: skip
_COMMAND_LINE = ("command", "args")
_NAMED_VALUES = ("labels", "matchLabels", "nodeSelector", "annotations")
_REVISION = "controller-revision-hash"  # of a Deployment's pod the owner's name says it
_SHORT = 6  # characters: no secret worth the name is shorter, and most closed words are


class Cleaner:
    """Cleans the answers of one gatherer and counts what it hid. Not shared between threads."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self.counts: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """A text without secrets."""
        if not text:
            return text
        cleaned, counts = self._redact(text)
        self.counts.update(counts)
        return cleaned

    def pair(self, name: str, value: str) -> str:
        """A named value without secrets: by its own shape first, then by the name, which may give it away (`password`)."""
        prefix = f"{name}="
        cleaned = self.text(prefix + self.text(value))
        return cleaned[len(prefix) :] if cleaned.startswith(prefix) else "[redacted]"

    def pairs(self, named: Mapping[str, str]) -> dict[str, str]:
        """Labels or annotations without secrets."""
        return {name: self.pair(name, value) for name, value in named.items()}

    def object(self, obj: Any) -> Any:
        """A Kubernetes object (or any part of one) fit to be kept and shown."""
        if isinstance(obj, Mapping):
            cleaned = {k: self._field(k, v) for k, v in obj.items() if k not in ("managedFields", *_COMMAND_LINE)} | self._command_line(obj)
            written = writes_of(obj) if "managedFields" in obj else []
            return {**cleaned, "writes": written} if written else cleaned
        if isinstance(obj, list):
            return [self.object(v) for v in obj]
        return self.text(obj) if isinstance(obj, str) and len(obj) > _SHORT else obj

    def items(self, entries: Any) -> dict[str, Any]:
        """A list answer: only its items, cleaned."""
        return {"items": [self.object(e) for e in entries]}

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if key in _IDENTIFIERS or len(value) <= _SHORT else self.pair(key, value)
        if key in _NAMED_VALUES and isinstance(value, Mapping):
            return self.pairs({k: v for k, v in value.items() if k not in _DROPPED_ANNOTATIONS and isinstance(v, str)})
        return self._list(key, value) if isinstance(value, list) else self.object(value)

    def _list(self, key: str, values: list[Any]) -> list[Any]:
        """A list of an object's field. Of headers only the names are kept, of volumes what counts as memory."""
        entries = [v for v in values if isinstance(v, Mapping)]
        match key:
            case "env":
                return [self._env(e) for e in entries]
            case "httpHeaders":
                return [{"name": h.get("name")} for h in entries]
            case "volumes":
                return [{k: v[k] for k in ("name", "emptyDir") if k in v} for v in entries]
            case _:
                return [self.object(v) for v in values]

    def _command_line(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """`command` and `args`, looked at as the one command line that they are: what a piece means, the pieces before it say."""
        lists = {k: obj[k] for k in _COMMAND_LINE if isinstance(obj.get(k), list)}
        pieces = [self.text(piece) for values in lists.values() for piece in values if isinstance(piece, str)]
        if not pieces:
            return lists
        try:
            whole = json.loads(self.text(json.dumps(pieces, ensure_ascii=False)))
        except ValueError:  # what was found reaches from one piece into another
            whole = None
        left = iter(whole if isinstance(whole, list) and len(whole) == len(pieces) else pieces)
        return {k: [next(left) for piece in values if isinstance(piece, str)] for k, values in lists.items()}

    def _env(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        name, value = entry.get("name"), entry.get("value")
        kept: dict[str, Any] = {"name": name}
        if isinstance(value, str) and isinstance(name, str):
            if name in KEPT_ENV:
                kept["value"] = self.pair(name, value)
            elif (settings := kept_value(name, value)) is not None:
                kept["value"] = settings
        return kept


def slim_pod(pod: Mapping[str, Any]) -> dict[str, Any]:
    """A pod among many (siblings, a node's pods): who it is, its memory settings and how its containers fare."""
    metadata, spec, status = pod.get("metadata") or {}, pod.get("spec") or {}, pod.get("status") or {}
    labels = metadata.get("labels") or {}
    return {
        "metadata": {
            **{k: metadata[k] for k in ("name", "namespace", "uid", "creationTimestamp", "ownerReferences") if k in metadata},
            **({"labels": {_REVISION: labels[_REVISION]}} if _REVISION in labels else {}),
        },
        "spec": {
            **{k: spec[k] for k in ("nodeName", "resources") if k in spec},
            **{
                kind: [{k: c[k] for k in ("name", "image", "resources", "restartPolicy") if k in c} for c in spec[kind]]
                for kind in ("initContainers", "containers")
                if spec.get(kind)
            },
        },
        "status": {k: status[k] for k in ("phase", "reason", "containerStatuses", "initContainerStatuses", "startTime") if k in status},
    }
