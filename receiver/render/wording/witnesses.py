"""Sentences about what witnesses a container's memory beside its own series: its runtime's heap, its replicas."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import human_duration
from receiver.render.wording.forms import Facts, Sentence, counted, growth, upper_first


def _others(n: int, compared: int) -> str:
    return f"all {compared} other replicas compared" if n == compared else f"{n} of {compared} other replicas compared"


def _others_do(n: int, compared: int, verb: str) -> str:
    """`the other replica grows`, `1 of 2 other replicas compared grows`, `all 3 other replicas compared grow`."""
    who = "the other replica" if compared == 1 else _others(n, compared)
    return f"{who} {verb}{'s' if n == 1 else ''}"


def _alike(how: str) -> Sentence:
    def said(facts: Facts) -> str:
        n, compared, paces = facts["growing"], facts["compared"], growth(facts["growth_bytes_per_h"])
        return f"{upper_first(_others_do(n, compared, 'grow'))} too, {paces}{how}: the cause is in what every replica runs."

    return said


def _alone(facts: Facts) -> str:
    others = (
        "the other one stands still" if facts["compared"] == 1 else f"{_others_do(facts['standing'], facts['compared'], 'stand')} still"
    )
    busier = f" It gets {facts['busier_ratio']:.1f} times their requests." if facts.get("busier_ratio") else ""
    return f"This replica grows {growth(facts['growth_bytes_per_h'])} alone; at the same age {others}.{busier}"


def _older(do: str, so: str) -> Sentence:
    def said(facts: Facts) -> str:
        n = facts["replicas"]
        does = f"{do}s" if n == 1 and do.endswith("grow") else do
        return f"{counted(n, 'older replica')} {does} at an age of {human_duration(facts['age_s'])}{so}."

    return said


def _regression(new: str, old: str) -> Sentence:
    def said(facts: Facts) -> str:
        before = facts["growth_before_bytes_per_h"]
        stood = f"grew {growth(before)}" if before >= 0.1 * facts["growth_bytes_per_h"] else "did not grow"
        pods = f" ({facts['new']} pods against {facts['old']})" if facts["new"] > 1 or facts["old"] > 1 else ""
        now, then = _apart(str(facts[new]), str(facts[old]))
        return f"New with this rollout: {now} grows {growth(facts['growth_bytes_per_h'])}, {then} before it {stood}{pods}."

    return said


def _apart(*images: str) -> tuple[str, ...]:
    """Images without their registry, where they still differ then."""
    short = tuple(image.rpartition("/")[2] for image in images)
    return short if len(set(short)) == len(set(images)) else images


def _peaks(facts: Facts) -> str:
    others = upper_first(_others_do(facts["together"], facts["compared"], "peak"))
    return f"{others} at the same times: shared traffic or a shared schedule, not this pod alone."


REPLICAS: dict[str, Sentence] = {
    "replicas.grow_alike": _alike(""),
    "replicas.grow_alike_per_request": _alike(" and as much per request"),
    "replicas.alone": _alone,
    "replicas.busier_alone": _alone,
    "replicas.older_grow_on": _older("still grow", ": no warm-up"),
    "replicas.older_levelled": _older("levelled off", ": this may be a warm-up too"),
    "replicas.new_image_grows": _regression("image", "image_before"),
    "replicas.new_rollout_grows": _regression("rollout", "rollout_before"),
    "replicas.peak_together": _peaks,
}

HEAP: dict[str, Sentence] = {
    "heap.grows_after_gc": "The heap after collection grows {growth_bytes_per_h:growth} ({metric}): what grows is the program's own objects.",
    "heap.floor_grows": "The floor of the heap grows {growth_bytes_per_h:growth} ({metric}): what grows is the program's own objects.",
    "heap.flat": "The heap is flat at {heap_bytes:size} ({metric}) while memory grows {memory_bytes_per_h:growth}: what grows is outside it, native memory or fragmentation.",
    "heap.native_grows": "The heap is flat at {heap_bytes:size} ({metric}); beside it {native_metric} grew by {native_growth_bytes:size}.",
    "heap.garbage": "After collection the heap is flat at {heap_bytes:size} ({metric}); memory grows because the heap takes room, {held_bytes:size} by now ({held_metric}), and fills it with garbage.",
    "heap.full": "The heap is full: {heap_bytes:size} of its own maximum of {max_bytes:size} after collection ({metric}). A higher limit of the container alone gives it nothing.",
    "heap.goroutines": "Goroutines grow from {first:,} to {last:,} ({metric}): each keeps its stack and what it refers to.",
    "heap.uncollectable": "Objects that cannot be collected grow from {first:,} to {last:,} ({metric}).",
}

TOLD: Mapping[str, Sentence] = HEAP | REPLICAS

PIECES: dict[str, Sentence] = {
    "memory.piece.heap_grows": "heap (Prometheus): {metric} grows {growth_bytes_per_h:growth}, {share_ratio:percent} of the growth",
    "memory.piece.heap_flat": "heap (Prometheus): {metric} flat at {heap_bytes:size} under growth of {memory_bytes_per_h:growth}",
    "memory.piece.heap_native": "heap (Prometheus): {metric} flat, {native_metric} grew by {native_growth_bytes:size}",
    "memory.piece.heap_garbage": "heap (Prometheus): {metric} flat at {heap_bytes:size}, {held_metric} at {held_bytes:size}",
    "memory.piece.heap_full": "heap (Prometheus): {metric} at {heap_bytes:size} of at most {max_bytes:size}",
    "memory.piece.count_grows": "runtime (Prometheus): {metric} from {first:,} to {last:,}",
    "memory.piece.replicas_alike": "replicas (Prometheus): {growing} of {compared} grow alike, {growth_bytes_per_h:growth}",
    "memory.piece.replica_alone": "replicas (Prometheus): {standing} of {compared} stand still at the age at which this one grows {growth_bytes_per_h:growth}",
    "memory.piece.replicas_older_grow": "replicas (Prometheus): {replicas} older grow on, up to {age_s:span}",
    "memory.piece.replicas_older_level": "replicas (Prometheus): {replicas} older levelled off within {age_s:span}",
    "memory.piece.revision_grows": "rollouts (Prometheus, Kubernetes): {new} of the new grow {growth_bytes_per_h:growth}, {old} of the one before {growth_before_bytes_per_h:growth}",
    "memory.piece.replicas_together": "replicas (Prometheus): {together} of {compared} peak at the same times",
}

SENTENCES: Mapping[str, Sentence] = HEAP | REPLICAS | PIECES
