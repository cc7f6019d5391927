"""Which log is fetched, how much of it, and what is not a log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.demo.standins import PodRecording, Recordings
from receiver.domain.case import Case
from receiver.domain.identity import Subject
from receiver.evidence import EvidenceConfig
from receiver.evidence.redaction import Redactor
from tests.unit.evidence.kit import lab, nothing_redacted

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
REMOVED = "unable to retrieve container logs for containerd://0123456789abcdef"
DIED = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-11-23T00:50:00Z", "finishedAt": "2026-11-23T00:58:00Z"}}
RUNNING = {"running": {"startedAt": "2026-11-23T00:59:00Z"}}
WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


def line(text: str, at: str = "00:57:00") -> str:
    return f"2026-11-23T{at}.000000001Z {text}\n"


def gather(
    state: dict[str, Any],
    last: dict[str, Any],
    restarts: int,
    logs: dict[bool, str | tuple[int, str]],
    *,
    redact: Any = nothing_redacted,
    **config: Any,
) -> Case:
    """The case of a pod with one container in these states, whose plain (False) and previous (True) logs are these."""
    status = {"name": "app", "state": state, "lastState": last, "restartCount": restarts, "ready": False}
    pod = {
        "metadata": {"namespace": "shop", "name": "web-1", "uid": "u"},
        "spec": {"containers": [{"name": "app", "image": "x"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }
    kept = {("app", previous): (200, log) if isinstance(log, str) else log for previous, log in logs.items()}
    recordings = Recordings(pods={("shop", "web-1"): PodRecording(pod=pod, logs=kept)})
    with lab(recordings=recordings, config=EvidenceConfig(**config), redact=redact) as running:
        return running.evidence.gather(Subject(namespace="shop", pod="web-1"), (), NOW)


def told(case: Case) -> tuple[list[str], bool, bool]:
    """Lines, and whether they are of the previous and of the running instance."""
    log = facts_of(case).log
    return list(log.lines), log.is_previous, log.is_current


def gap(case: Case) -> Any:
    return next(m for m in case.missing if m.source == "log")


def test_a_restarted_container_is_asked_for_its_previous_log():
    """It runs again: the dying words are the predecessor's."""
    case = gather(RUNNING, DIED, 3, {True: line("dying words"), False: line("hello again", "00:59:30")})

    assert told(case) == (["dying words"], True, False)


@pytest.mark.parametrize("state", [DIED, WAITING])
def test_a_dead_container_is_asked_for_its_plain_log(state):
    """In the back-off the plain log is the dead instance's; `previous` is the crash before, mostly removed."""
    case = gather(state, DIED, 3, {False: line("dying words"), True: REMOVED})

    assert told(case) == (["dying words"], False, False)


def test_a_running_container_whose_dead_log_is_gone_shows_its_own_and_says_so():
    """Better a log of the same program than none, if it is not passed off as the dead one's."""
    case = gather(RUNNING, DIED, 3, {True: REMOVED, False: line("hello again", "00:59:30")})

    assert told(case) == (["hello again"], False, True)
    assert any("already removed" in m.why for m in facts_of(case).missing)


def test_a_container_that_never_died_is_not_asked_for_a_previous_log():
    """It would be answered 400; the current log is what there is."""
    case = gather(RUNNING, {}, 0, {False: line("working")})

    assert told(case) == (["working"], False, True)


def test_a_restart_between_two_requests_is_noticed():
    """The pod was dead when read and runs when its log is read: a log that begins after the death is another instance's."""
    case = gather(DIED, {}, 3, {False: line("hello again", "00:58:30"), True: line("dying words")})

    assert told(case) == (["dying words"], True, False)


def test_a_log_of_which_nothing_is_left():
    """Both instances' logs are gone: that is told, the kubelet's sentence is not shown."""
    case = gather(DIED, {}, 3, {False: REMOVED, True: REMOVED})

    assert "already removed by the runtime" in gap(case).why
    assert "log" not in case.answers


def test_a_container_that_has_not_started_has_no_log():
    """ContainerCreating is no failure, and costs no request."""
    case = gather({"waiting": {"reason": "ContainerCreating"}}, {}, 0, {})

    assert gap(case).is_normal
    assert "has not started" in gap(case).why


def test_an_empty_log_is_told_as_empty():
    """A program that logs to a file only is told apart from a log that is not available."""
    case = gather(DIED, {}, 3, {False: ""})

    assert "is empty" in gap(case).why
    assert gap(case).is_normal


def test_only_the_last_lines_are_kept():
    """200 lines, the newest."""
    case = gather(DIED, {}, 3, {False: "".join(line(f"line {i}") for i in range(1000))})

    lines, _, _ = told(case)
    assert (lines[0], lines[-1], len(lines)) == ("line 800", "line 999", 200)
    assert facts_of(case).log.is_truncated


def test_long_lines_are_bounded_in_bytes_and_the_end_is_kept():
    """A dump of megabytes in one log does not reach the case; the dying words do."""
    case = gather(DIED, {}, 3, {False: "".join(line("x" * 1000) for _ in range(199)) + line("dying words")})

    assert len(case.answers["log"]["text"]) <= 64 * 1024
    lines, _, _ = told(case)
    assert lines[-1] == "dying words"
    assert {len(x) for x in lines[:-1]} == {1000}  # no torn line at the beginning
    assert facts_of(case).log.is_truncated


def test_more_than_the_api_gives_at_once_still_ends_with_the_dying_words():
    """limitBytes keeps the first bytes of the last 200 lines; then fewer lines are asked for."""
    case = gather(DIED, {}, 3, {False: "".join(line("y" * 100_000) for _ in range(199)) + line("dying words")})

    lines, _, _ = told(case)
    assert lines[-1] == "dying words"


def test_bytes_that_are_no_text_do_not_matter():
    """Logs need not be UTF-8."""
    binary = "\udcff\udcfe\udc80 broken"

    lines, _, _ = told(gather(DIED, {}, 3, {False: line(binary) + line("dying words")}))

    assert lines == ["��� broken", "dying words"]


def test_an_error_of_the_api_is_a_gap():
    """A container name that the API refuses is told in the API's words."""
    case = gather(DIED, {}, 3, {False: (400, '{"kind": "Status", "message": "container app is not valid for pod web-1"}')})

    assert "is not valid for pod" in gap(case).why


def test_secrets_are_gone_before_the_log_is_kept():
    """Also one of several lines, each of which the kubelet stamps."""
    key = ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEowIBAAKCAQEAx" + "abcdEFGH0123" * 3] * 4, "-----END RSA PRIVATE KEY-----"]
    text = line("connecting with password=hunter2hunter2") + "".join(line(part) for part in key) + line("killed")

    case = gather(DIED, {}, 3, {False: text}, redact=Redactor().redact)

    kept = case.answers["log"]["text"]
    assert "hunter2" not in kept
    assert "MIIEowIBAAKCAQEA" not in kept
    assert "killed" in kept
    assert sum(case.redactions.values()) == 2


def test_the_kubelets_stamps_stand_beside_the_lines():
    """Lines read as the program wrote them; when they were written is known too."""
    log = facts_of(gather(DIED, {}, 3, {False: line("one", "00:57:01") + line("two", "00:57:02")})).log

    assert log.lines == ("one", "two")
    assert [t.second for t in log.times] == [1, 2]
