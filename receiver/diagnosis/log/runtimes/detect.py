"""Which runtime a container runs: read from its command, environment, image and log, in this order of trust."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures import find_signature, strip_kube_time
from receiver.domain.facts import ContainerFacts, LogFacts

# The program that PID 1 is (the first word of the command that is no wrapper), by its base name.
_PROGRAMS: tuple[tuple[str, str], ...] = (
    ("python", r"python[\d.]*|pypy[\d.]*|gunicorn|uvicorn|hypercorn|daphne|celery|airflow|uwsgi|flask|jupyter(?:-\w+)?|ipython|ray|streamlit|pytest|poetry|uv|[\w-]+\.py"),
    ("elasticsearch", r"elasticsearch|opensearch"),
    ("jvm", r"java|javaw|catalina\.sh|kotlin|scala|groovy|gradlew?|mvnw?|spark-submit|sbt|kafka-[\w-]+\.sh|[\w.-]+\.jar"),
    ("node", r"node|nodejs|npm|npx|yarn|pnpm|pm2(?:-runtime)?|ts-node|tsx|next|nuxt|nest|[\w.-]+\.[cm]?[jt]s"),
    ("dotnet", r"dotnet|[\w.-]+\.dll"),
    ("ruby", r"ruby[\d.]*|bundle|bundler|rails|rake|puma|unicorn(?:_rails)?|sidekiq|[\w-]+\.rb"),
    ("php", r"php[\d.]*|php-fpm[\d.]*|artisan|composer|apache2-foreground|[\w-]+\.php"),
    ("go", r"go|[\w-]+\.go"),
    ("rust", r"cargo"),
    ("erlang", r"erl|iex|mix|beam\.smp|rabbitmq-server|elixir"),
    ("perl", r"perl[\d.]*|[\w-]+\.pl"),
    ("r", r"r|rscript|rserve|shiny-server"),
    ("postgres", r"postgres|postmaster|pg_ctl"),
    ("mysql", r"mysqld(?:_safe)?|mariadbd(?:-safe)?"),
    ("redis", r"redis-server|redis-sentinel|valkey-server|keydb-server"),
    ("mongodb", r"mongod|mongos"),
    ("clickhouse", r"clickhouse(?:-server)?"),
    ("nginx", r"nginx"),
)  # fmt: skip
_PROGRAM = {name: re.compile(rf"(?:{words})", re.IGNORECASE) for name, words in _PROGRAMS}

# What stands before the program: shells, init programs, launchers. Their options are skipped as well.
_WRAPPERS = frozenset(
    ("sh", "bash", "ash", "dash", "zsh", "env", "exec", "tini", "dumb-init", "catatonit", "su-exec", "gosu", "setpriv", "nice", "ionice", "nohup",
     "time", "timeout", "xvfb-run", "stdbuf", "numactl", "opentelemetry-instrument", "ddtrace-run", "newrelic-admin", "run-program", "memray", "docker-entrypoint.sh", "entrypoint.sh")
)  # fmt: skip

# Variables that only one runtime reads, or that its official image sets.
_ENV: tuple[tuple[str, str], ...] = (
    ("jvm", r"JAVA_(?:TOOL_OPTIONS|OPTS|HOME|OPTIONS|VERSION)|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CATALINA_OPTS|JVM_OPTS|KAFKA_HEAP_OPTS|MAVEN_OPTS|GRADLE_OPTS|SPRING_PROFILES_ACTIVE"),
    ("elasticsearch", r"ES_JAVA_OPTS|OPENSEARCH_JAVA_OPTS"),
    ("node", r"NODE_(?:OPTIONS|ENV|VERSION|PATH)|NPM_CONFIG_\w+"),
    ("python", r"PYTHON\w+|DJANGO_SETTINGS_MODULE|GUNICORN_CMD_ARGS|FLASK_(?:APP|ENV)|WEB_CONCURRENCY_PYTHON|CELERY_\w+|UVICORN_\w+"),
    ("dotnet", r"DOTNET_\w+|ASPNETCORE_\w+|COMPlus_\w+"),
    ("go", r"GOMEMLIMIT|GOGC|GOMAXPROCS|GODEBUG|GOTRACEBACK"),
    ("ruby", r"RAILS_(?:ENV|MAX_THREADS)|RACK_ENV|RUBY(?:OPT|_VERSION|_GC_\w+)|BUNDLE_\w+|GEM_HOME"),
    ("php", r"PHP_\w+|COMPOSER_\w+"),
    ("rust", r"RUST_(?:LOG|BACKTRACE)|CARGO_HOME"),
    ("postgres", r"POSTGRES_(?:DB|USER|PASSWORD)|PGDATA"),
    ("mysql", r"MYSQL_(?:ROOT_PASSWORD|DATABASE|RANDOM_ROOT_PASSWORD)|MARIADB_\w+"),
    ("erlang", r"RABBITMQ_\w+|ERL_(?:FLAGS|AFLAGS)|RELEASE_COOKIE|MIX_ENV"),
)  # fmt: skip
_ENV_NAME = tuple((name, re.compile(words)) for name, words in _ENV)

# Words of the image's repository (never its tag), the more special first: node-exporter is Go, not Node.
_IMAGES: tuple[tuple[str, str], ...] = (
    ("go", r"(?:node|redis|postgres|mysqld?|mongodb|elasticsearch|kafka|blackbox|statsd|nginx-prometheus)[-_]exporter|node-problem-detector"),
    ("elasticsearch", r"elasticsearch|opensearch"),
    ("postgres", r"postgres(?:ql)?|timescaledb|postgis|spilo|cloudnative-pg"),
    ("mysql", r"mysql|mariadb|percona"),
    ("redis", r"redis|valkey|keydb"),
    ("mongodb", r"mongo(?:db)?"),
    ("clickhouse", r"clickhouse"),
    ("erlang", r"rabbitmq|erlang|elixir"),
    ("nginx", r"nginx|openresty"),
    ("jvm", r"java|openjdk|jdk|jre|temurin|corretto|zulu|graalvm|spring|springboot|tomcat|jetty|wildfly|quarkus|keycloak|kafka|zookeeper|cassandra|spark|flink|solr|jenkins|scala|kotlin|gradle|maven|logstash|trino|nexus3?|sonarqube"),
    ("dotnet", r"dotnet|aspnet|aspnetcore"),
    ("node", r"node|nodejs|npm|nextjs|nestjs|strapi|ghost"),
    ("python", r"python[\d.]*|py\d*|django|flask|fastapi|celery|airflow|jupyter\w*|pytorch|tensorflow|uwsgi|gunicorn|superset|mlflow|ray"),
    ("ruby", r"ruby|rails|sidekiq|puma|gitlab-webservice-ee|discourse"),
    ("php", r"php|wordpress|laravel|drupal|nextcloud|magento"),
    ("go", r"golang|prometheus|alertmanager|grafana|loki|tempo|mimir|thanos|etcd|traefik|caddy|minio|vault|consul|coredns|cert-manager|kube-state-metrics|promtail|otelcol|opentelemetry-collector(?:-contrib)?"),
    ("rust", r"rust|vector|linkerd2?-proxy"),
    ("perl", r"perl"),
    ("r", r"r-base|r-ver|rocker|rstudio|shiny|plumber"),
)  # fmt: skip
_IMAGE_WORD = tuple((name, re.compile(rf"(?:^|[/_.-])(?:{words})(?=$|[/_.-])", re.IGNORECASE)) for name, words in _IMAGES)

# What a runtime writes whatever happens: stack frames and start-up lines.
_LOG: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("python", re.compile(r'^\s*File "[^"]{1,200}\.py", line \d|^Traceback \(most recent call last\):|\[INFO\] Booting worker with pid')),
    ("jvm", re.compile(r"^\s+at [\w$./@<>-]{3,250}\((?:[\w$]{1,80}\.(?:java|kt|scala|groovy):\d+|Native Method)\)|Picked up JAVA_TOOL_OPTIONS|:: Spring Boot ::|\[gc(?:,\w+)*\s*\] ?GC\(\d+\)")),
    ("node", re.compile(r"^\s+at [^\n]{0,160}(?:node:internal/|\.[cm]?[jt]s:\d+:\d+)|<--- Last few GCs --->|\(node:\d+\) ")),
    ("go", re.compile(r"^goroutine \d+ \[|^panic: runtime error|\t/\S{1,200}\.go:\d+ \+0x|^fatal error: runtime")),
    ("dotnet", re.compile(r"^\s+at [A-Z][\w.`<>\[\]]{1,200}\([^)]{0,200}\)(?: in /\S{1,200}:line \d+)?$|Now listening on: http|Microsoft\.Hosting\.Lifetime")),
    ("ruby", re.compile(r"\.rb:\d+:in [`']|^\s*from /\S{1,200}\.rb:\d+|Puma starting in (?:single|cluster) mode")),
    ("php", re.compile(r"PHP (?:Fatal error|Warning|Notice|Deprecated|Parse error):|\[pool \w+\] child \d+")),
    ("rust", re.compile(r"^thread '[^']{1,80}' panicked at |\.rs:\d+:\d+")),
    ("redis", re.compile(r"^\d+:[MCSX] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} [*#.-] ")),
    ("postgres", re.compile(r"\[\d+\] (?:LOG|FATAL|ERROR|PANIC|DETAIL):  |database system (?:is ready|was shut down|is starting)")),
    ("mysql", re.compile(r"\[(?:ERROR|Warning|System|Note)\] \[MY-\d{6}\]")),
    ("nginx", re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:alert|emerg|crit|error|warn|notice)\] \d+#\d+: ")),
)  # fmt: skip

RUNTIMES: tuple[str, ...] = tuple(dict.fromkeys([name for name, _ in (*_PROGRAMS, *_ENV, *_IMAGES)]))
_MANAGERS = frozenset(("kernel", "runtime", "shell", "supervisord", "systemd", "apache", "haproxy", "varnish", "cpp", ""))


def detect_runtime(container: ContainerFacts | None, log: LogFacts | None) -> str:
    """The runtime's name (one of `RUNTIMES`), or "" where nothing tells.

    The command names the program that runs, so it goes first; then the memory error that the log names; then
    variables that only one runtime reads; then stack frames in the log; then words of the image's name.
    """
    lines = log.lines if log is not None else ()
    if container is not None and (found := _by_command(container.command)):
        return found
    signature = find_signature(lines)
    if signature is not None and signature.runtime not in _MANAGERS:
        return signature.runtime
    if container is not None and (found := _by_env(container)):
        return found
    if found := _by_log(lines):
        return found
    return _by_image(container.image) if container is not None else ""


def _by_command(command: tuple[str, ...]) -> str:
    """The first word that is no wrapper decides; in a shell's `-c` text, the first word that is a known program."""
    words = [w for part in command for w in part.split()][:60]
    is_shell_text = any(" " in part.strip() for part in command)
    for word in words:
        name = word.strip("\"';&|()").rsplit("/", 1)[-1]
        if not name or name.startswith("-") or "=" in name or name.lower() in _WRAPPERS or word == "run" or name.isdigit():
            continue
        found = next((runtime for runtime, regex in _PROGRAM.items() if regex.fullmatch(name)), "")
        if found or not (is_shell_text or name.endswith(".sh")):
            return found
    return ""


def _by_env(container: ContainerFacts) -> str:
    return next((runtime for runtime, regex in _ENV_NAME if any(regex.fullmatch(name) for name in container.env)), "")


def _by_log(lines: tuple[str, ...]) -> str:
    for line in lines[:20] + lines[-60:]:
        text = strip_kube_time(line)[:1000]
        for runtime, regex in _LOG:
            if regex.search(text):
                return runtime
    return ""


def _by_image(image: str) -> str:
    """By the words of `team/python-orders` in `registry.example.com:5000/team/python-orders:1.4.2@sha256:...`."""
    parts = image.split("@", 1)[0].split("/")
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    path = "/".join((*parts[:-1], parts[-1].split(":", 1)[0]))
    return next((runtime for runtime, regex in _IMAGE_WORD if regex.search(path)), "")
