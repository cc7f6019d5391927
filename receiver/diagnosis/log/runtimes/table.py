"""The runtimes that we tell apart, one row each, and how each is recognised. To add one: a row here, and its signatures.

The more special stands before the more general: an image named after Elasticsearch and Java is Elasticsearch. All words are
regular expressions that must match whole names, in either case; every one is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What runs in a container.

    `program`: names of what PID 1 is (its base name). `variable`: environment variables that only this runtime reads, or that its
    official image sets. `image`: words of the image's repository, never its tag; `first_image`: those that beat every other row's.
    `log_line`: what it writes whatever happens, stack frames and start-up lines. `like`: the runtime whose profilers fit it as well.
    `is_detected`: False for what signatures name and
    nothing is recognised by: the kernel, process managers, any program.
    """

    name: str
    title: str  # as docs/signatures.md has it
    program: str = ""
    variable: str = ""
    image: str = ""
    first_image: str = ""
    log_line: str = ""
    like: str = ""
    is_detected: bool = True

    def is_program(self, name: str) -> bool:
        """Whether a program of this base name is this runtime."""
        return bool(self.program) and self._program.fullmatch(name) is not None

    def is_variable(self, name: str) -> bool:
        """Whether only this runtime reads the variable."""
        return bool(self.variable) and self._variable.fullmatch(name) is not None

    def writes(self, line: str) -> bool:
        """Whether a log line is this runtime's own."""
        return bool(self.log_line) and self._log_line.search(line) is not None

    def has_image(self, repository: str, *, is_first: bool = False) -> bool:
        """Whether a repository's path holds one of its words."""
        return (
            bool(self.first_image if is_first else self.image)
            and (self._first_image if is_first else self._image).search(repository) is not None
        )

    @cached_property
    def _program(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self.program})", re.IGNORECASE)

    @cached_property
    def _variable(self) -> re.Pattern[str]:
        return re.compile(self.variable)

    @cached_property
    def _log_line(self) -> re.Pattern[str]:
        return re.compile(self.log_line)

    @cached_property
    def _image(self) -> re.Pattern[str]:
        return _word_of_path(self.image)

    @cached_property
    def _first_image(self) -> re.Pattern[str]:
        return _word_of_path(self.first_image)


def _word_of_path(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[/_.-])(?:{words})(?=$|[/_.-])", re.IGNORECASE)


RUNTIMES: tuple[Runtime, ...] = (
    Runtime(
        name="elasticsearch",
        title="Elasticsearch, OpenSearch",
        like="jvm",
        program=r"elasticsearch|opensearch",
        variable=r"ES_JAVA_OPTS|OPENSEARCH_JAVA_OPTS",
        image=r"elasticsearch|opensearch",
    ),
    Runtime(
        name="postgres",
        title="PostgreSQL",
        program=r"postgres|postmaster|pg_ctl",
        variable=r"POSTGRES_(?:DB|USER|PASSWORD)|PGDATA",
        image=r"postgres(?:ql)?|timescaledb|postgis|spilo|cloudnative-pg",
        log_line=r"\[\d+\] (?:LOG|FATAL|ERROR|PANIC|DETAIL):  |database system (?:is ready|was shut down|is starting)",
    ),
    Runtime(
        name="mysql",
        title="MySQL, MariaDB",
        program=r"mysqld(?:_safe)?|mariadbd(?:-safe)?",
        variable=r"MYSQL_(?:ROOT_PASSWORD|DATABASE|RANDOM_ROOT_PASSWORD)|MARIADB_\w+",
        image=r"mysql|mariadb|percona",
        log_line=r"\[(?:ERROR|Warning|System|Note)\] \[MY-\d{6}\]",
    ),
    Runtime(
        name="redis",
        title="Redis, Valkey",
        program=r"redis-server|redis-sentinel|valkey-server|keydb-server",
        image=r"redis|valkey|keydb",
        log_line=r"^\d+:[MCSX] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} [*#.-] ",
    ),
    Runtime(
        name="mongodb",
        title="MongoDB",
        program=r"mongod|mongos",
        image=r"mongo(?:db)?",
    ),
    Runtime(
        name="clickhouse",
        title="ClickHouse",
        program=r"clickhouse(?:-server)?",
        image=r"clickhouse",
    ),
    Runtime(
        name="erlang",
        title="Erlang, RabbitMQ",
        program=r"erl|iex|mix|beam\.smp|rabbitmq-server|elixir",
        variable=r"RABBITMQ_\w+|ERL_(?:FLAGS|AFLAGS)|RELEASE_COOKIE|MIX_ENV",
        image=r"rabbitmq|erlang|elixir",
    ),
    Runtime(
        name="nginx",
        title="nginx",
        program=r"nginx",
        image=r"nginx|openresty",
        log_line=r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:alert|emerg|crit|error|warn|notice)\] \d+#\d+: ",
    ),
    Runtime(
        name="jvm",
        title="JVM",
        program=r"java|javaw|catalina\.sh|kotlin|scala|groovy|gradlew?|mvnw?|spark-submit|sbt|kafka-[\w-]+\.sh|[\w.-]+\.jar",
        variable=r"JAVA_(?:TOOL_OPTIONS|OPTS|HOME|OPTIONS|VERSION)|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CATALINA_OPTS|JVM_OPTS|KAFKA_HEAP_OPTS|MAVEN_OPTS|GRADLE_OPTS|SPRING_PROFILES_ACTIVE",
        image=r"java|openjdk|jdk|jre|temurin|corretto|zulu|graalvm|spring|springboot|tomcat|jetty|wildfly|quarkus|keycloak|kafka|zookeeper|cassandra|spark|flink|solr|jenkins|scala|kotlin|gradle|maven|logstash|trino|nexus3?|sonarqube",
        log_line=r"^\s+at [\w$./@<>-]{3,250}\((?:[\w$]{1,80}\.(?:java|kt|scala|groovy):\d+|Native Method)\)|Picked up JAVA_TOOL_OPTIONS|:: Spring Boot ::|\[gc(?:,\w+)*\s*\] ?GC\(\d+\)",
    ),
    Runtime(
        name="dotnet",
        title=".NET",
        program=r"dotnet|[\w.-]+\.dll",
        variable=r"DOTNET_\w+|ASPNETCORE_\w+|COMPlus_\w+",
        image=r"dotnet|aspnet|aspnetcore",
        log_line=r"^\s+at [A-Z][\w.`<>\[\]]{1,200}\([^)]{0,200}\)(?: in /\S{1,200}:line \d+)?$|Now listening on: http|Microsoft\.Hosting\.Lifetime",
    ),
    Runtime(
        name="node",
        title="Node.js",
        program=r"node|nodejs|npm|npx|yarn|pnpm|pm2(?:-runtime)?|ts-node|tsx|next|nuxt|nest|[\w.-]+\.[cm]?[jt]s",
        variable=r"NODE_(?:OPTIONS|ENV|VERSION|PATH)|NPM_CONFIG_\w+",
        image=r"node|nodejs|npm|nextjs|nestjs|strapi|ghost",
        log_line=r"^\s+at [^\n]{0,160}(?:node:internal/|\.[cm]?[jt]s:\d+:\d+)|<--- Last few GCs --->|\(node:\d+\) ",
    ),
    Runtime(
        name="python",
        title="Python",
        program=r"python[\d.]*|pypy[\d.]*|gunicorn|uvicorn|hypercorn|daphne|celery|airflow|uwsgi|flask|jupyter(?:-\w+)?|ipython|ray|streamlit|pytest|poetry|uv|odoo(?:-bin)?|scrapy|dramatiq|rq|[\w-]+\.py",
        variable=r"PYTHON\w+|DJANGO_SETTINGS_MODULE|GUNICORN_CMD_ARGS|FLASK_(?:APP|ENV)|WEB_CONCURRENCY_PYTHON|CELERY_\w+|UVICORN_\w+",
        image=r"python[\d.]*|py\d*|django|flask|fastapi|celery|airflow|jupyter\w*|pytorch|tensorflow|uwsgi|gunicorn|superset|mlflow|ray|odoo|scrapy",
        log_line=r'^\s*File "[^"]{1,200}\.py", line \d|^Traceback \(most recent call last\):|\[INFO\] Booting worker with pid',
    ),
    Runtime(
        name="ruby",
        title="Ruby",
        program=r"ruby[\d.]*|bundle|bundler|rails|rake|puma|unicorn(?:_rails)?|pitchfork|sidekiq|[\w-]+\.rb",
        variable=r"RAILS_(?:ENV|MAX_THREADS)|RACK_ENV|RUBY(?:OPT|_VERSION|_GC_\w+)|BUNDLE_\w+|GEM_HOME",
        image=r"ruby|rails|sidekiq|puma|gitlab-webservice-ee|discourse",
        log_line=r"\.rb:\d+:in [`']|^\s*from /\S{1,200}\.rb:\d+|Puma starting in (?:single|cluster) mode",
    ),
    Runtime(
        name="php",
        title="PHP",
        program=r"php[\d.]*|php-fpm[\d.]*|artisan|composer|apache2-foreground|[\w-]+\.php",
        variable=r"PHP_\w+|COMPOSER_\w+",
        image=r"php|wordpress|laravel|drupal|nextcloud|magento",
        log_line=r"PHP (?:Fatal error|Warning|Notice|Deprecated|Parse error):|\[pool \w+\] child \d+",
    ),
    Runtime(
        name="go",
        title="Go",
        program=r"go|[\w-]+\.go",
        variable=r"GOMEMLIMIT|GOGC|GOMAXPROCS|GODEBUG|GOTRACEBACK",
        image=r"golang|prometheus|alertmanager|grafana|loki|tempo|mimir|thanos|etcd|traefik|caddy|minio|vault|consul|coredns|cert-manager|kube-state-metrics|promtail|otelcol|opentelemetry-collector(?:-contrib)?",
        first_image=r"(?:node|redis|postgres|mysqld?|mongodb|elasticsearch|kafka|blackbox|statsd|nginx-prometheus)[-_]exporter|node-problem-detector",
        log_line=r"^goroutine \d+ \[|^panic: runtime error|\t/\S{1,200}\.go:\d+ \+0x|^fatal error: runtime",
    ),
    Runtime(
        name="rust",
        title="Rust",
        program=r"cargo",
        variable=r"RUST_(?:LOG|BACKTRACE)|CARGO_HOME",
        image=r"rust|vector|linkerd2?-proxy",
        log_line=r"^thread '[^']{1,80}' panicked at |\.rs:\d+:\d+",
    ),
    Runtime(
        name="perl",
        title="Perl",
        program=r"perl[\d.]*|hypnotoad|starman|plackup|[\w-]+\.pl",
        image=r"perl",
    ),
    Runtime(
        name="r",
        title="R",
        program=r"r|rscript|rserve|shiny-server",
        image=r"r-base|r-ver|rocker|rstudio|shiny|plumber",
    ),
    Runtime(name="gpu", title="GPUs and other accelerators", is_detected=False),
    Runtime(name="remote", title="Other servers", is_detected=False),
    Runtime(name="agents", title="Collectors and proxies", like="go", is_detected=False),
    Runtime(name="cpp", title="C and C++", like="rust", is_detected=False),
    Runtime(name="other", title="Other languages", is_detected=False),
    Runtime(name="haproxy", title="HAProxy", is_detected=False),
    Runtime(name="varnish", title="Varnish", is_detected=False),
    Runtime(name="kernel", title="The kernel", is_detected=False),
    Runtime(name="runtime", title="The container runtime", is_detected=False),
    Runtime(name="supervisord", title="supervisord", is_detected=False),
    Runtime(name="systemd", title="systemd", is_detected=False),
    Runtime(name="shell", title="Shells", is_detected=False),
    Runtime(name="", title="Any program", is_detected=False),
)  # fmt: skip
