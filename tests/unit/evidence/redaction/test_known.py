"""What holds no secret is looked at once; what does, each time."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from receiver.evidence.redaction import KnownClean, Redactor
from receiver.evidence.redaction.known import LARGEST_BYTES, TEXTS


class Counting:
    """The real redactor, which says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._redactor = Redactor()

    def __call__(self, text: str) -> tuple[str, Mapping[str, int]]:
        self.asked.append(text)
        return self._redactor.redact(text)


def test_a_clean_text_is_looked_at_once() -> None:
    counting = Counting()
    known = KnownClean(counting)

    assert [known("app=orders-api") for _ in range(3)] == [("app=orders-api", {})] * 3
    assert counting.asked == ["app=orders-api"]


def test_a_secret_is_taken_out_and_counted_each_time() -> None:
    counting = Counting()
    known = KnownClean(counting)
    first, second = known("password=hunter2hunter2"), known("password=hunter2hunter2")

    assert first == second
    assert "hunter2" not in first[0]
    assert sum(second[1].values()) == 1
    assert len(counting.asked) == 2


def test_a_large_text_is_not_remembered() -> None:
    counting = Counting()
    known = KnownClean(counting)
    log = "all is well\n" * LARGEST_BYTES
    known(log)
    known(log)

    assert len(counting.asked) == 2


def test_what_comes_again_stays_and_the_rest_is_forgotten() -> None:
    counting = Counting()
    known = KnownClean(counting)
    for i in range(3 * TEXTS):
        known(f"pod={i}")
        if not i % 100:
            known("app=orders-api")
    asked = len(counting.asked)
    known("app=orders-api")
    known("pod=0")

    assert counting.asked[asked:] == ["pod=0"]


@given(
    st.lists(st.sampled_from(["app=a", "token=ghp_abcdefghijklmnopqrstuvwxyz0123456789", "x", "", "password: s3cretvalue99"]), max_size=12)
)
def test_nobody_can_tell_the_difference(texts: list[str]) -> None:
    known, plain = KnownClean(Redactor().redact), Redactor()

    assert [known(t) for t in texts] == [(c, dict(n)) for c, n in map(plain.redact, texts)]
