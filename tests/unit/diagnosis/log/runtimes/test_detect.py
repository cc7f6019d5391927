"""Which runtime a container runs."""

from __future__ import annotations

import pytest

from receiver.diagnosis.log.runtimes import DETECTED, detect_runtime
from receiver.domain.facts import ContainerFacts, LogFacts
from tests.unit.diagnosis.log.kit import recorded_log


def runtime(*, command: str = "", image: str = "", env: dict[str, str] | None = None, log: tuple[str, ...] = ()) -> str:
    """The runtime of a container with these properties; `|` separates the items of the command."""
    container = ContainerFacts(name="app", command=tuple(command.split("|")) if command else (), image=image, env=env or {})
    return detect_runtime(container, LogFacts(container="app", lines=log))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/bin/python3|/app/leak.py|leak|1|150", "python"),
        ("gunicorn|app:app|-w|4", "python"),
        ("celery|-A|shop|worker", "python"),
        ("uv|run|main.py", "python"),
        ("/opt/jre/bin/java|-Xmx48m|-cp|/app|Leak", "jvm"),
        ("sh|-c|cd /app && exec java $JAVA_OPTS -jar app.jar", "jvm"),
        ("bash|-c|set -e; PORT=80 node server.js", "node"),
        ("/usr/bin/tini|--|node|--max-old-space-size=64|app.js", "node"),
        ("/sbin/dumb-init|npm|start", "node"),
        ("dotnet|Shop.dll", "dotnet"),
        ("Rscript|report.R", "r"),
        ("bundle|exec|puma|-C|config/puma.rb", "ruby"),
        ("php-fpm8.2|-F", "php"),
        ("docker-entrypoint.sh|postgres", "postgres"),
        ("redis-server|/etc/redis.conf", "redis"),
        ("odoo|-c|/etc/odoo/odoo.conf", "python"),
        ("bundle|exec|pitchfork|-c|pitchfork.conf.rb", "ruby"),
        ("hypnotoad|-f|app.pl", "perl"),
        ("mysqld", "mysql"),
        ("nginx|-g|daemon off;", "nginx"),
        ("/entrypoint.sh|java|-jar|x.jar", "jvm"),
        ("/bin/memlab|leak|2|500", ""),
        ("/app/python-exporter-in-go", ""),
        ("/bin/sh|-c|/app/server --node=3 --go", ""),
        ("/app/run|java", ""),
    ],
)
def test_by_command(command: str, expected: str) -> None:
    """The program that runs decides; shells, init programs and assignments before it are skipped, arguments are not taken for it."""
    assert runtime(command=command) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.lab.local/python-orders:1.4.2", "python"),
        ("registry.lab.local:5000/team/java-orders:3.1.0@sha256:" + "a" * 64, "jvm"),
        ("node:20-alpine", "node"),
        ("docker.io/library/postgres:15", "postgres"),
        ("bitnami/postgresql", "postgres"),
        ("redis:7", "redis"),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "dotnet"),
        ("quay.io/prometheus/node-exporter:v1.8", "go"),
        ("oliver006/redis_exporter", "go"),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.13", "elasticsearch"),
        ("confluentinc/cp-kafka:7.6", "jvm"),
        ("wordpress:php8.2-apache", "php"),
        ("ghcr.io/acme/shop:python", ""),
        ("python.example.com/shop:1", ""),
        ("acme/javascript-cookbook-diagnode", ""),
        ("", ""),
    ],
)
def test_by_image(image: str, expected: str) -> None:
    """Words of the repository's path tell; the registry's name and the tag do not."""
    assert runtime(image=image) == expected


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"JAVA_TOOL_OPTIONS": "-Xmx1g"}, "jvm"), ({"NODE_ENV": "production"}, "node"), ({"PYTHONUNBUFFERED": "1"}, "python"), ({"GOMEMLIMIT": "90MiB"}, "go"),
        ({"ASPNETCORE_URLS": "http://+:80"}, "dotnet"), ({"RAILS_ENV": "production"}, "ruby"), ({"ES_JAVA_OPTS": "-Xmx1g"}, "elasticsearch"), ({"PORT": "80"}, ""),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else v,
)  # fmt: skip
def test_by_environment(env: dict[str, str], expected: str) -> None:
    """Variables that only one runtime reads tell, also when the image is named otherwise."""
    assert runtime(env=env, image="acme/shop:1") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("python-memoryerror", "python"), ("gunicorn-child-oom", "python"), ("java-exitonoom", "jvm"), ("java-caused-by", "jvm"), ("node-heap", "node"),
        ("leak-sidecar", ""), ("steady", ""),
    ],
)  # fmt: skip
def test_by_recorded_log(name: str, expected: str) -> None:
    """A log alone tells by its memory error or its stack frames."""
    assert runtime(log=recorded_log(name).lines) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('  File "/app/x.py", line 22, in <module>', "python"),
        ("\tat com.acme.Shop.run(Shop.java:12)", "jvm"),
        ("    at Object.<anonymous> (/app/server.js:12:9)", "node"),
        ("goroutine 1 [running]:", "go"),
        ("   at Shop.Program.Main(String[] args) in /src/Program.cs:line 9", "dotnet"),
        ("/app/shop.rb:12:in `run'", "ruby"),
        ("PHP Warning:  Undefined variable $x in /app/x.php on line 3", "php"),
        ("thread 'main' panicked at src/main.rs:4:5:", "rust"),
        ("1:M 02 May 2024 10:11:12.345 * Ready to accept connections tcp", "redis"),
        ("2024-05-02 10:11:12.345 UTC [1] LOG:  database system is ready to accept connections", "postgres"),
        ("INFO GET /java/python/node 200", ""),
    ],
)
def test_by_stack_frames(line: str, expected: str) -> None:
    """Frames and start-up lines are as telling as an error."""
    assert runtime(log=(line,)) == expected


def test_command_beats_all_else() -> None:
    """A Python program in an image named after Java, with a Node variable, is Python."""
    assert runtime(command="python3|x.py", image="acme/java-shop", env={"NODE_ENV": "x"}) == "python"


def test_nothing_known() -> None:
    """With no container and no log there is no runtime, and every answer is one of the list."""
    assert detect_runtime(None, None) == ""
    assert "" not in {r.name for r in DETECTED}
    assert {"python", "jvm", "node", "go", "dotnet", "ruby", "php", "rust", "postgres", "redis"} <= {r.name for r in DETECTED}


@pytest.mark.parametrize(
    "line",
    [
        '{"log":"Traceback (most recent call last):\\n","stream":"stderr"}',
        "\x1b[31mTraceback (most recent call last):\x1b[0m",
        "2026-11-24T09:25:59.123456789Z stderr F Traceback (most recent call last):",
    ],
)
def test_wrapping_hides_no_runtime(line: str) -> None:
    """A colour, a record or a driver's prefix before the words that tell it."""
    assert runtime(log=(line,)) == "python"
