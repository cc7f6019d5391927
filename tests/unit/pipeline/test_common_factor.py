"""What a storm's workloads share is named only when chance would not give it."""

from __future__ import annotations

import json
from itertools import product
from math import comb

import pytest

from receiver.domain.conversation_memory import BaseShare
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident import DigestEntry
from receiver.pipeline.common_factor import Candidate, candidates, common_factor, is_beyond_chance, upper_tail
from tests.places import FIXTURES
from tests.support import said


def entry(name: str, *, node: str = "", image: str = "", namespace: str = "shop") -> DigestEntry:
    """A workload of a storm."""
    subject = Subject(namespace=namespace, pod=f"{name}-0", workload=Workload(kind="Deployment", name=name), container=name)
    return DigestEntry(incident_id=name, subject=subject, cause="leak", summary=said("dies"), node=node, image=image)


def recorded() -> list[DigestEntry]:
    """The twelve workloads of the recorded storm on a cluster of one node."""
    document = json.loads((FIXTURES / "cluster" / "storm-one-node.json").read_text(encoding="utf-8"))
    parts = [one["workload"].split("/") for one in document["workloads"]]
    return [entry("/".join(rest), node=document["node"], namespace=namespace) for namespace, *rest in parts]


class TestRecordedStorm:
    """Twelve workloads on the only node: recorded, when `Look at node lab-node-1 first: 12 of 12 run there` was said."""

    ONLY_NODE = BaseShare(share=1.0, values=1)

    def test_the_only_node_is_never_blamed(self) -> None:
        """Everything runs there."""
        found = common_factor(recorded(), {"node:lab-node-1": self.ONLY_NODE, "namespace:shop": BaseShare(share=0.7, values=6)})

        assert len(recorded()) == 12
        assert found.factor is None
        assert found.unknown == ()

    def test_without_knowledge_of_the_cluster_nothing_is_blamed(self) -> None:
        """No Prometheus that counts pods: that most share something is no finding, and not `nothing in common` either."""
        found = common_factor(recorded(), {})

        assert found.factor is None
        assert [c.key for c in found.unknown] == ["node:lab-node-1", "namespace:shop"]


def test_one_of_ten_nodes_is_named() -> None:
    """Twelve of twelve where one would be expected."""
    storm = [entry(f"w{i}", node="n1", namespace=f"ns-{i}") for i in range(12)]
    factor = common_factor(storm, {"node:n1": BaseShare(share=0.1, values=10)}).factor

    assert factor is not None
    assert (factor.kind, factor.name, factor.count, round(factor.expected, 1)) == ("node", "n1", 12, 1.2)


def test_the_first_factor_that_stands_out_is_named() -> None:
    """All on the one large node, which is chance; all of one image, which is not."""
    storm = [entry(f"w{i}", node="n1", image="base:2", namespace=f"ns-{i}") for i in range(12)]
    shares = {"node:n1": BaseShare(share=0.8, values=3), "image:base:2": BaseShare(share=0.05, values=60)}
    factor = common_factor(storm, shares).factor

    assert factor is not None
    assert factor.kind == "image"


def test_what_half_share_is_no_candidate() -> None:
    """Six of twelve."""
    storm = [entry(f"w{i}", node="n1" if i < 6 else f"n{i}", namespace=f"ns-{i}") for i in range(12)]

    assert candidates(storm) == ()


@pytest.mark.parametrize(
    ("count", "of", "share", "values", "is_named"),
    [
        (12, 12, 1.0, 1, False),  # one node
        (12, 12, 0.5, 2, True),  # 1 in 4096, of two nodes
        (7, 12, 0.5, 2, False),
        (9, 12, 1 / 3, 3, False),  # 4 in 1000, of three nodes: once in thirty storms by chance
        (10, 12, 1 / 3, 3, True),
        (8, 12, 0.02, 50, True),
        (300, 300, 0.9, 2, False),  # surely no chance, and of no use: nearly all run there
        (200, 300, 0.5, 2, False),  # the same: the other half dies as well
        (3, 3, 0.3, 4, False),  # too few to tell
    ],
)
def test_the_rule(count: int, of: int, share: float, values: int, is_named: bool) -> None:
    """Rare by chance, given how many values could have come out, and well above what is expected."""
    assert is_beyond_chance(Candidate(kind="node", name="n", count=count, of=of), BaseShare(share=share, values=values)) is is_named


def test_by_chance_a_factor_is_named_in_less_than_one_storm_of_a_hundred() -> None:
    """Exact, over all outcomes of twelve workloads on nodes of equal size."""
    for nodes in (2, 3, 5, 10):
        base = BaseShare(share=1 / nodes, values=nodes)
        named = [k for k in range(7, 13) if is_beyond_chance(Candidate(kind="node", name="n", count=k, of=12), base)]
        chance = nodes * sum(comb(12, k) * base.share**k * (1 - base.share) ** (12 - k) for k in named)

        assert named, nodes
        assert chance < 0.01


def test_the_tail_is_the_binomial_one() -> None:
    """Against the sum written out; and at its ends."""
    for n, share in product((5, 12, 40), (0.05, 0.5, 0.93)):
        for k in range(n + 1):
            exact = sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
            assert upper_tail(k, n, share) == pytest.approx(exact, rel=1e-9)
    assert upper_tail(12, 12, 1.0) == 1.0
    assert upper_tail(1, 12, 0.0) == 0.0
    assert upper_tail(0, 12, 0.0) == 1.0
    assert 0.0 < upper_tail(600, 1000, 0.5) < 1e-9
