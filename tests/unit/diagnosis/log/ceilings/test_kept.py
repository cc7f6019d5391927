"""Of a variable's value only settings that bound memory are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.ceilings import OMITTED, kept_value, settings_of
from receiver.domain.facts import ContainerFacts


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (
            "INSTALL4J_ADD_VM_PARAMS",
            "-Xms2703m -Xmx2703m -XX:MaxDirectMemorySize=2703m",
            "-Xms2703m -Xmx2703m -XX:MaxDirectMemorySize=2703m",
        ),
        ("APP_JAVA_OPTS", "-Dspring.datasource.password=hunter2 -Xmx2g", f"{OMITTED} -Xmx2g"),
        ("REDIS_EXTRA_FLAGS", "--requirepass hunter2 --maxmemory 512mb", f"{OMITTED} --maxmemory 512mb"),
        ("POSTGRES_INITDB_ARGS", "-c shared_buffers=1GB --pwfile=/x", f"{OMITTED} shared_buffers=1GB"),
        ("START", "celery -A app worker -b redis://:hunter2@r -c 8", f"{OMITTED} -c 8"),
        ("R_MAX_VSIZE", "16Gb", "16Gb"),
        ("BUN_JSC_forceRAMSize", "1073741824", "1073741824"),
        ("UWSGI_PROCESSES", "8", "8"),
        ("APP_HEAP", "2g", "2g"),
        ("UWSGI_PROCESSES", "hunter2", None),
        ("R_MAX_VSIZE", "see vault:hunter2", None),
        ("PIN", "4711m", None),
        ("DB_PASSWORD", "123456", None),
        ("MEMCACHED_PASSWORD", "123456", None),
        ("DB_PASSWORD", "hunter2", None),
    ],
)
def test_kept(name: str, value: str, kept: str | None) -> None:
    """Flags, digits and units; whatever stands between them is left out, and that it was is said."""
    assert kept_value(name, value) == kept


@given(
    st.sampled_from(["-Xmx2g", "--max-old-space-size=512", "--maxmemory 1gb", "-XX:MaxRAMPercentage=90", "celery -A x -c 4", ""]),
    st.sampled_from(
        [
            "{secret} {option}",
            "{option} {secret}",
            "-Dpassword={secret} {option}",
            "celery {secret} {option}",
            "memcached {secret} {option}",
        ]
    ),
    st.text(alphabet="abcdefghjkmnpqrstuvwxyzABCDEFGH0123456789", min_size=8, max_size=40),
)
def test_nothing_else_gets_through(option: str, form: str, secret: str) -> None:
    """Wherever a secret stands beside a setting."""
    assert secret not in (kept_value("SOME_OPTS", form.format(secret=secret, option=option)) or "")


def test_what_is_kept_is_read() -> None:
    """The case holds what the diagnosis looks for."""
    value = kept_value("APP_JAVA_OPTS", "-Dpassword=hunter2 -Xmx2g")
    assert value is not None

    assert [s.flag for s in settings_of(ContainerFacts(name="app", env={"APP_JAVA_OPTS": value}), None, "")] == ["-Xmx2g"]
