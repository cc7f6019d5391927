"""What the workloads of a storm have in common beyond what chance alone would give. Pure.

On a cluster of one node every storm is "on that node", and where half of all images share a base most storms do. So a node, an
image or a namespace is named only when, of all that could have been hit, a much smaller share has it. Null hypothesis: who was
hit was drawn from the whole cluster, so that of `of` workloads the number on a node that holds the share p of all pods is
binomial. (Drawn without replacement it is hypergeometric, whose upper tail is thinner: binomial errs on the side of silence.)
P(at least `count`) must stay below ALPHA divided by the number of values that could have come out as the largest, summed over
the kinds of factors that are tried (Bonferroni's correction, because the largest is looked for). And since with hundreds of
workloads a difference that helps nobody becomes significant too, the share must be LIFT times that of chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from receiver.domain.conversation_memory import BaseShare
from receiver.domain.incident import CommonFactor, DigestEntry

SHARED = 0.5  # of the workloads: less of them have it in common than not
ALPHA = 0.01
LIFT = 1.5
NODE, IMAGE, NAMESPACE = "node", "image", "namespace"

_FACTORS: Mapping[str, Callable[[DigestEntry], str]] = {  # in the order in which they are worth a look
    NODE: lambda entry: entry.node,
    IMAGE: lambda entry: entry.image,
    NAMESPACE: lambda entry: entry.subject.namespace,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What more than half of a storm's workloads share: `count` of `of` of them."""

    kind: str
    name: str
    count: int
    of: int

    @property
    def key(self) -> str:
        """By which its share in the cluster is remembered."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`factor`: what stands out; None when nothing does. `unknown`: shared by most, and its share in the cluster is not known."""

    factor: CommonFactor | None = None
    unknown: tuple[Candidate, ...] = field(default=())


def candidates(entries: Sequence[DigestEntry]) -> tuple[Candidate, ...]:
    """At most one of a kind, whether it stands out or not."""
    found = []
    for kind, of in _FACTORS.items():
        counts = Counter(of(e) for e in entries if of(e))
        if not counts:
            continue
        name, count = min(counts.items(), key=lambda c: (-c[1], c[0]))
        if count > SHARED * len(entries) and count > 1:
            found.append(Candidate(kind=kind, name=name, count=count, of=len(entries)))
    return tuple(found)


def common_factor(entries: Sequence[DigestEntry], shares: Mapping[str, BaseShare]) -> Finding:
    """The first factor that is no chance. `shares`: by a candidate's key."""
    unknown = []
    for candidate in candidates(entries):
        base = shares.get(candidate.key)
        if base is None:
            unknown.append(candidate)
        elif is_beyond_chance(candidate, base):
            factor = CommonFactor(kind=candidate.kind, name=candidate.name, count=candidate.count, expected=base.share * candidate.of)
            return Finding(factor=factor)
    return Finding(unknown=tuple(unknown))


def is_beyond_chance(candidate: Candidate, base: BaseShare) -> bool:
    """The rule of the module's docstring."""
    if candidate.count < LIFT * base.share * candidate.of:
        return False
    most = ALPHA / (len(_FACTORS) * max(base.values, 1))
    return upper_tail(candidate.count, candidate.of, base.share) < most


def upper_tail(hits: int, of: int, share: float) -> float:
    """P(X >= hits) of a binomial X of `of` draws, each a hit with probability `share`."""
    if share <= 0.0 or share >= 1.0:
        return 0.0 if share <= 0.0 < hits else 1.0
    ln, ln_not = math.log(share), math.log1p(-share)
    terms = (math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * ln + (of - k) * ln_not for k in range(hits, of + 1))
    return min(1.0, math.fsum(math.exp(term) for term in terms))
