"""Another server's memory: what its clients print when it answers that it is full. No limit and no heap of the client helps."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import EXACT, REMOTE, RUNTIME, LogPattern

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="es-breaker-answered",
        runtime="elasticsearch",
        kind=REMOTE,
        rank=EXACT,
        hint="",
        regex=re.compile(r"circuit_breaking_exception|\[\w{1,40}\] Data too large, data for \["),
        meaning="Elasticsearch, the server that it asks, refused a request: the heap there is nearly full",
        advice="Look at the Elasticsearch or OpenSearch pods: more heap there, fewer shards, smaller requests. Nothing of this pod is full.",
        example="FATAL  [circuit_breaking_exception] [parent] Data too large, data for [<http_request>] would be [1017560880/970.4mb], "
        "which is larger than the limit of [986061209/940.3mb], real usage: [1017560880/970.4mb]",
        near_miss="FATAL  [resource_already_exists_exception] index [.kibana_1/xg1] already exists",
        source="Elasticsearch, ElasticsearchException.getExceptionName: the name that clients are answered with; OpenSearch has the same",
        twin="es-circuit-breaker",
    ),
    LogPattern(
        id="redis-oom-answered",
        runtime="redis",
        kind=REMOTE,
        rank=EXACT,
        hint="command not allowed",
        regex=re.compile(r"(?:OOM )?command not allowed (?:when used memory > 'maxmemory'|under OOM prevention)"),
        meaning="Redis, the server that it asks, refuses writes: its maxmemory is reached",
        advice="On that Redis: a maxmemory-policy that evicts (allkeys-lru), times to live, or a higher maxmemory. Nothing of this pod is full.",
        example="redis.exceptions.OutOfMemoryError: OOM command not allowed when used memory > 'maxmemory'.",
        near_miss="INFO redis: command not allowed from script",
        source="Redis, src/server.c: shared.oomerr; Valkey and KeyDB have the same; redis-py takes OOM off its pipelines' errors (rhesis-ai/rhesis#1769)",
        twin="redis-maxmemory",
    ),
    LogPattern(
        id="memcached-full-answered",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="server_error out of memory",
        regex=re.compile(r"SERVER_ERROR out of memory (?:storing object|reading request|writing|preparing)"),
        meaning="memcached, the server that it asks, has no memory left for the object",
        advice="On that memcached: more memory (-m), or smaller objects. Nothing of this pod is full.",
        example="pymemcache.exceptions.MemcacheServerError: SERVER_ERROR out of memory storing object",
        near_miss="SERVER_ERROR object too large for cache",
        source="memcached, proto_text.c",
    ),
    LogPattern(
        id="postgres-oom-answered",
        runtime="postgres",
        kind=REMOTE,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"psycopg\w{0,8}\.errors\.OutOfMemory\b|\bpq: out of memory|PSQLException: (?:ERROR|FATAL): out of memory|(?:ERROR|FATAL): out of memory \(SQLSTATE 53200\)"
            r"|PG::OutOfMemory\b|SQLSTATE\[53200\]|asyncpg\.exceptions\.OutOfMemoryError|db error: (?:ERROR|FATAL): out of memory|Npgsql\.PostgresException \S{0,12} ?53200: out of memory"
        ),
        meaning="PostgreSQL, the server that it asks, was refused memory for a query",
        advice="On that database: lower work_mem or max_connections, or give it more memory. Nothing of this pod is full.",
        example="sqlalchemy.exc.OperationalError: (psycopg2.errors.OutOfMemory) out of memory",
        near_miss='psycopg2.errors.OutOfOrder: relation "orders" does not exist',
        source="PostgreSQL, errcodes: 53200 out_of_memory; psycopg, lib/pq, pgx, pgjdbc, Npgsql print it",
        twin="postgres-oom",
    ),
    LogPattern(
        id="mysql-oom-answered",
        runtime="mysql",
        kind=REMOTE,
        rank=EXACT,
        hint="memory",
        regex=re.compile(
            r"(?:Error |\(|ERROR |: )(?:1037|1038|1041)(?:, ['\"]| \(HY\d{3}\)|:? )[^\n]{0,40}?(?:Out of (?:sort )?memory)|ER_OUT_OF_SORTMEMORY"
            r"|^(?![^\n]{0,400}(?:\[ERROR\]|mysqld: ))[^\n]{0,400}?Out of memory(?: \(Needed \d{1,20} bytes\)|; (?:check if mysqld|restart server))"
        ),
        meaning="MySQL, the server that it asks, was refused memory for a query",
        advice="On that database: a larger sort_buffer_size, an index instead of the sort, or more memory. Nothing of this pod is full.",
        example="pymysql.err.OperationalError: (1038, 'Out of sort memory, consider increasing server sort buffer size')",
        near_miss="pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db'\")",
        source="MySQL, share/messages_to_clients.txt: ER_OUTOFMEMORY, ER_OUT_OF_SORTMEMORY, ER_OUT_OF_RESOURCES",
    ),
    LogPattern(
        id="clickhouse-limit-answered",
        runtime="clickhouse",
        kind=REMOTE,
        rank=EXACT,
        hint="memory",
        regex=re.compile(
            r"[Mm]emory limit (?:\((?:total|for query|for user)\) )?exceeded: would use \d|\bcode: 241\b[^\n]{0,40}[Mm]emory limit|\(MEMORY_LIMIT_EXCEEDED\)"
        ),
        meaning="ClickHouse, the server that it asks, ended a query at the server's memory limit",
        advice="On that ClickHouse: let the query spill to disk (max_bytes_before_external_group_by), or raise its limits. Nothing of this pod is full.",
        example="DB::Exception: Memory limit (for query) exceeded: would use 9.32 GiB (attempt to allocate chunk of 4360992 bytes), "
        "maximum: 9.31 GiB",
        near_miss="<Information> Application: Setting max_server_memory_usage was set to 9.00 GiB (10.00 GiB available * 0.90)",
        source="ClickHouse, src/Common/MemoryTracker.cpp; code 241 is MEMORY_LIMIT_EXCEEDED",
        twin="clickhouse-memory-limit",
    ),
    LogPattern(
        id="trino-limit-answered",
        runtime="remote",
        kind=REMOTE,
        rank=RUNTIME,
        hint="",
        regex=re.compile(
            r"Query exceeded (?:per-node|distributed)(?: user| total)? memory limit of|EXCEEDED_(?:LOCAL|GLOBAL|CLUSTER)_MEMORY(?:_LIMIT)?|Query killed because the cluster is out of memory"
        ),
        meaning="Trino or Presto, the server that it asks, ended a query at the cluster's memory limit",
        advice="There: query.max-memory-per-node, spilling, or a query that joins and groups less. Nothing of this pod is full.",
        example='TrinoQueryError(type=INSUFFICIENT_RESOURCES, name=EXCEEDED_LOCAL_MEMORY_LIMIT, message="Query exceeded per-node memory limit of 9GB")',
        near_miss='TrinoUserError(type=USER_ERROR, name=SYNTAX_ERROR, message="line 1:8: mismatched input")',
        source="Trino, io/trino/ExceededMemoryLimitException.java and spi/StandardErrorCode.java",
    ),
    LogPattern(
        id="bigquery-resources-exceeded",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="resources exceeded during query execution",
        regex=re.compile(r"Resources exceeded during query execution\b"),
        meaning="BigQuery ended a query at its own memory quota",
        advice="Sort, join and aggregate less in one query (ORDER BY and analytic functions need one worker). Nothing of this pod is full.",
        example="google.api_core.exceptions.BadRequest: 400 Resources exceeded during query execution: The query could not be executed in the "
        "allotted memory. Peak usage: 122% of limit.",
        near_miss="google.api_core.exceptions.Forbidden: 403 Quota exceeded: Your project exceeded quota for free query bytes scanned",
        source="Google Cloud, BigQuery error messages: resourcesExceeded",
    ),
    LogPattern(
        id="warehouse-memory-exhausted",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"Function available memory exhausted|UDF available memory exhausted|Query exhausted resources at this scale factor"
            r"|There is insufficient (?:system )?memory (?:in|available in) (?:the )?resource pool|ORA-0403[016]: |Out Of Memory Quota!\[conn|exceeding the allowed memory limit for (?:a single SQL query|the tidb-server instance)"
            r"|[Mm]emory of (?:process|[Qq]uery\S{0,60}) exceed(?:s|ed)? limit|root: memory budget exceeded: \d"
        ),
        meaning="the database, another server, ended a query at its own memory limit",
        advice="Make the query need less, or raise the limit of that database or warehouse. Nothing of this pod is full.",
        example="ORA-04030: out of process memory when trying to allocate 16328 bytes (koh-kghu sessi,pmuccst: adt/record)",
        near_miss="ORA-01555: snapshot too old: rollback segment number 12 too small",
        source="error references of Snowflake, Athena, SQL Server (701), Oracle, TiDB (8175, 8176), StarRocks, CockroachDB",
    ),
    LogPattern(
        id="mongodb-limit-answered",
        runtime="mongodb",
        kind=REMOTE,
        rank=EXACT,
        hint="exceeded memory limit",
        regex=re.compile(
            r"(?:Sort|PlanExecutor|\$group|\$\w{1,30}|Used too much)[^\n]{0,80}?[Ee]xceeded memory limit (?:of \d{1,20} bytes|for \$)|Exceeded memory limit for \$"
        ),
        meaning="MongoDB, the server that it asks, ended a query at its limit for one stage (100 MB)",
        advice="allowDiskUse, or an index that gives the order; the limit is MongoDB's for each query. Nothing of this pod is full.",
        example="pymongo.errors.OperationFailure: PlanExecutor error during aggregation :: caused by :: Sort exceeded memory limit of "
        "104857600 bytes, but did not opt in to external sorting.",
        near_miss="pymongo.errors.OperationFailure: cursor id 71 not found",
        source="MongoDB, src/mongo/db/exec/sort.cpp: QueryExceededMemoryLimitNoDiskUseAllowed (292)",
        twin="mongodb-query-limit",
    ),
    LogPattern(
        id="neo4j-limit-answered",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"Neo\.TransientError\.General\.(?:MemoryPoolOutOfMemoryError|OutOfMemoryError)|The allocation of an extra [\d.]{1,12} \w{1,4} would use more than the limit"
        ),
        meaning="Neo4j ended a transaction at its memory limit",
        advice="Smaller transactions (CALL { } IN TRANSACTIONS), or a higher dbms.memory.transaction.total.max on that server.",
        example="neo4j.exceptions.TransientError: {code: Neo.TransientError.General.MemoryPoolOutOfMemoryError} {message: The allocation of an "
        "extra 2.0 MiB would use more than the limit 1.0 GiB.}",
        near_miss="neo4j.exceptions.TransientError: {code: Neo.TransientError.Transaction.DeadlockDetected}",
        source="Neo4j, status codes",
    ),
    LogPattern(
        id="rabbitmq-blocked",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="low on memory",
        regex=re.compile(r"[Bb]locked[^\n]{0,60}low on memory"),
        meaning="RabbitMQ, the server that it publishes to, blocks publishers: its memory watermark is reached",
        advice="On that RabbitMQ: consumers are too slow, or the watermark is too low. Nothing of this pod is full.",
        example="WARNING Connection blocked by broker: low on memory",
        near_miss="INFO Connection unblocked by broker",
        source="RabbitMQ, rabbit_alarm: the reason of connection.blocked",
    ),
    LogPattern(
        id="otel-refused-remotely",
        runtime="remote",
        kind=REMOTE,
        rank=EXACT,
        hint="due to high memory usage",
        regex=re.compile(
            r"(?:rpc error|code = \w{1,20}|Exporting failed|StatusCode\.|status code|HTTP Status Code|UNAVAILABLE|RESOURCE_EXHAUSTED)[^\n]{0,200}?data (?:refused|dropped) due to high memory usage"
        ),
        meaning="the OpenTelemetry Collector that it sends to refuses data: that collector's memory limit is reached",
        advice="Look at the receiving collector: more replicas or memory there, or less to send. Nothing of this pod is full.",
        example='error exporterhelper/queue_sender.go:92 Exporting failed. Dropping data. {"kind": "exporter", "error": "rpc error: code = '
        'Unavailable desc = data refused due to high memory usage"}',
        near_miss='error exporterhelper/queue_sender.go:92 Exporting failed. {"error": "rpc error: code = Unavailable desc = connection refused"}',
        source="OpenTelemetry Collector, internal/memorylimiter: ErrDataRefused",
    ),
)
