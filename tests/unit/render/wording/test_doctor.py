"""Sentences of doctor that depend on more than their facts' words."""

from __future__ import annotations

import pytest

from receiver.domain.reason import Reason, reason
from receiver.render.wording import say


def other(asked: int, ours: int, theirs: int) -> Reason:
    return reason("doctor.cluster.other", asked=asked, namespace="shop", pod="cart-0", ours=ours, theirs=theirs)


@pytest.mark.wording
@pytest.mark.parametrize(
    ("what", "says"),
    [
        (other(1, 0, 0), "it has no memory series of shop/cart-0, the one running pod that was looked for"),
        (other(40, 2, 3), "it has no memory series of any of 40 running pods, such as shop/cart-0; none of 2 nodes here is among its 3"),
        (
            reason("doctor.clock.off", service="Kubernetes", off_s=600.0, direction="ahead"),
            "the clock of Kubernetes is 10 min ahead of ours",
        ),
        (reason("doctor.clock.off", service="Prometheus", off_s=90.0, direction="behind"), "the clock of Prometheus is 2 min behind ours"),
        (
            reason("doctor.reach.wrong_path", service="Prometheus", origin="http://p:9090", path="", status=404),
            "http://p:9090 answers (404), but Prometheus is not at the address without a path",
        ),
        (
            reason("doctor.permissions.denied", permission="get pods/log", sources=("log",)),
            "may not get pods/log: the log of the killed container cannot be read",
        ),
        (
            reason("doctor.metrics.absent", metric="m", rests="", source="", without="", rules=("A", "B")),
            "m is not there: A, B reads it",
        ),
        (reason("doctor.rules.none", n=23, others=1), "none of the 23 alerts of the pack is loaded in Prometheus, only 1 other rule"),
    ],
)  # fmt: skip
def test_a_finding_reads_as_a_person_would_say_it(what: Reason, says: str) -> None:
    assert says in say(what)
