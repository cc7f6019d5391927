"""Shared answers: how long they are kept, and that two threads ask once."""

from __future__ import annotations

import threading

import pytest

from receiver.errors import Forbidden, NotFound, Unavailable
from receiver.evidence.cache import MAX_ENTRIES, Cache
from receiver.transport import Deadline


class Asker:
    """Counts how often it is asked; answers or raises what it is told to."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> object:
        self.count += 1
        answer = self.answers[min(self.count, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def get(cache: Cache, ask: Asker, key: object = "k") -> object:
    return cache.get(key, ask, ttl_s=10, negative_ttl_s=100, deadline=Deadline(5))


def test_an_answer_is_kept_for_its_time():
    """After it, the question is asked anew."""
    now = [0.0]
    cache, ask = Cache(clock=lambda: now[0]), Asker(1, 2)

    first = [get(cache, ask), get(cache, ask)]
    now[0] = 11

    assert (first, get(cache, ask)) == ([1, 1], 2)
    assert ask.count == 2


@pytest.mark.parametrize("error", [NotFound("no VPA"), Forbidden("may not")])
def test_a_no_is_kept_too(error):
    """And longer: CRDs and permissions come seldom."""
    now = [0.0]
    cache, ask = Cache(clock=lambda: now[0]), Asker(error, 1)
    for _ in range(3):
        with pytest.raises(type(error), match=str(error)):
            get(cache, ask)
    now[0] = 101

    assert (get(cache, ask), ask.count) == (1, 2)


def test_a_failure_that_may_pass_is_not_kept():
    """The next incident asks again."""
    cache, ask = Cache(), Asker(Unavailable("500"), 1)
    with pytest.raises(Unavailable):
        get(cache, ask)

    assert get(cache, ask) == 1


def test_two_threads_ask_once():
    """The second waits for the first's answer."""
    cache, entered, release = Cache(), threading.Event(), threading.Event()
    asked, answers = [], []

    def ask() -> str:
        asked.append(1)
        entered.set()
        release.wait(5)
        return "x"

    def look() -> None:
        answers.append(cache.get("k", ask, ttl_s=10, negative_ttl_s=10, deadline=Deadline(5)))

    threads = [threading.Thread(target=look) for _ in range(2)]
    threads[0].start()
    entered.wait(5)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join()

    assert (answers, len(asked)) == (["x", "x"], 1)


def test_waiting_for_anothers_answer_ends_at_the_deadline():
    """A hung question does not hang the incidents behind it."""
    cache, entered, release = Cache(), threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        release.wait(10)

    thread = threading.Thread(target=lambda: cache.get("k", hang, ttl_s=1, negative_ttl_s=1, deadline=Deadline(10)))
    thread.start()
    entered.wait(5)
    try:
        with pytest.raises(Unavailable):
            cache.get("k", hang, ttl_s=1, negative_ttl_s=1, deadline=Deadline(0.05))
    finally:
        release.set()
        thread.join()


def test_the_cache_does_not_grow_for_ever():
    """Namespaces and workloads come and go."""
    cache = Cache()
    for i in range(MAX_ENTRIES + 500):
        get(cache, Asker(i), i)

    assert len(cache._entries) <= MAX_ENTRIES


def test_large_answers_make_room_for_one_another():
    """500 workloads' objects are megabytes: what was not asked for the longest is forgotten first."""
    cache = Cache(clock=lambda: 0.0, max_size=10_000)
    asked = {name: Asker({"text": name * 3_000}) for name in "abcd"}
    for name in "abcab":
        get(cache, asked[name], name)
    get(cache, asked["d"], "d")

    assert [cache.fresh(name) for name in "abcd"] == [True, True, False, True]
    assert [get(cache, asked[name], name) for name in "abdc"] == [{"text": name * 3_000} for name in "abdc"]
    assert [asked[name].count for name in "abdc"] == [1, 1, 1, 2]


def test_an_answer_larger_than_all_room_is_still_an_answer():
    cache, ask = Cache(clock=lambda: 0.0, max_size=10), Asker("x" * 1_000)

    assert [get(cache, ask), get(cache, ask)] == ["x" * 1_000] * 2


def test_what_was_dropped_weighs_nothing():
    """Else the room would shrink with everything that is forgotten."""
    cache = Cache(clock=lambda: 0.0, max_size=10_000)
    for turn in range(20):
        get(cache, Asker("x" * 4_000), turn)
        cache.drop(lambda key: True)
    for name in "ab":
        get(cache, Asker("x" * 4_000), name)

    assert [cache.fresh(name) for name in "ab"] == [True, True]
