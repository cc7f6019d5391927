"""Whose memory it was, where the log of a container that ended itself names memory that is not its own."""

from __future__ import annotations

import pytest

from receiver.diagnosis.diagnose import diagnose
from receiver.domain.report import CauseName, KillKind, Report
from receiver.render.kinds import kind_of
from tests.unit.diagnosis.facts_kit import container, death, facts, log

GPU = "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4403.49 MiB on device 0: cudaMalloc failed: out of memory"
BREAKER = " FATAL  [circuit_breaking_exception] [parent] Data too large, data for [<http_request>] would be [1017560880/970.4mb]"
REDIS = "ReplyError: OOM command not allowed when used memory > 'maxmemory'."
SHM = "RuntimeError: DataLoader worker (pid 93) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory."


def ended(*lines: str, image: str = "", code: int = 1, reason: str = "Error") -> Report:
    """The report of a container that ended so, with these last lines."""
    dead = container(dead=death(reason, code, lived_s=600), image=image)
    return diagnose(facts(dead, alerts=("KubePodCrashLooping",), log=log("INFO starting", *lines)))


@pytest.mark.parametrize(("line", "whose"), [(GPU, "gpu"), (BREAKER, "remote"), (REDIS, "remote"), (SHM, "shared_memory")])
def test_memory_that_is_not_the_containers(line: str, whose: str) -> None:
    """It is not memory of this container: nothing is proposed for its limit, and the log's advice is the real fix."""
    report = ended(line)

    assert report.kill.kind is KillKind.NONE
    assert (report.cause.name, report.cause.detail) == (CauseName.NOT_MEMORY, whose)
    assert report.proposal.none is not None
    assert report.signature is not None
    assert [fix.id for fix in report.long_term] == [f"log_{report.signature.id}"]
    assert kind_of(report, is_memory_alert=False) == "elsewhere"


def test_a_servers_own_breaker_is_its_own_limit() -> None:
    """The same line in the server's container is about the heap there."""
    report = ended(BREAKER, image="docker.elastic.co/elasticsearch/elasticsearch:8.13.0")

    assert report.signature is not None
    assert report.signature.kind == "own_limit"
    assert report.cause.detail == "runtime_limit"


def test_an_error_that_it_outlived_explains_nothing() -> None:
    """A client that was refused long before its end died of something else, or of nothing that is known."""
    report = ended(REDIS, *["INFO GET /orders 200"] * 200)

    assert report.cause.detail != "remote"


def test_an_oom_kill_stays_one() -> None:
    """What the kernel did outweighs what the log says of a GPU."""
    report = ended(GPU, code=137, reason="OOMKilled")

    assert report.kill.kind is KillKind.CONTAINER_OOM
    assert report.cause.name is not CauseName.NOT_MEMORY


def test_a_controllers_line_about_another_pod_is_no_evidence() -> None:
    """It panicked for a reason of its own."""
    report = ended(
        'time="2024-05-02T10:11:12Z" level=info msg="node changed" new.message="OOMKilled (exit code 137)" new.phase=Failed nodeID=wf-1',
        "panic: assignment to entry in nil map",
        code=2,
    )

    assert report.signature is None
    assert report.kill.kind is KillKind.NONE
