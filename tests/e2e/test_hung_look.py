"""A look that hangs is told past its deadline."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from receiver.pipeline import collect
from tests.e2e.inside import post, receiver_inside
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload, wait_until


def test_a_look_that_hangs_is_told_with_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert itself, within ENRICH_DEADLINE and a little; what the look finds is shown when it comes back after all."""
    released = threading.Event()
    monkeypatch.setattr(collect, "JUDGING_S", 0.2)
    with FakeSlack() as slack, receiver_inside(tmp_path, slack, ENRICH_DEADLINE="1s") as application:
        gather = application.evidence.gather

        def hang(*asked: object, **more: object) -> object:
            released.wait(60)
            return gather(*asked, **more)  # type: ignore[arg-type]

        application.evidence.gather = hang  # type: ignore[method-assign,assignment]
        try:
            assert post(application, payload(alert())) == 202
            slack.wait_for(lambda: len(slack.channel("C1").roots) == 1, timeout_s=20)
            assert "Still being looked at" in slack.text("C1")
            assert application.worker.dispatcher.running == 1
        finally:
            released.set()
        wait_until(lambda: application.worker.dispatcher.running == 0, what="the look came back")
        slack.wait_for(lambda: "Still being looked at" not in slack.text("C1"), timeout_s=30)
