"""Real wordings of many programs, a list a kind, and lines that only look like one: no kind may take another's."""

from __future__ import annotations

import pytest

from receiver.diagnosis.log.runtimes import as_seen_by
from receiver.diagnosis.log.signatures import SIGNATURES, LogPattern, find_signature, match_line
from receiver.diagnosis.log.signatures.model import CHILD_KILLED, GPU, KERNEL, OWN_LIMIT, REFUSED, REMOTE

# fmt: off
ON_GPUS = (
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 23.69 GiB',
    'torch.OutOfMemoryError: HIP out of memory. Tried to allocate 512.00 MiB',
    'RuntimeError: MPS backend out of memory (MPS allocated: 7.64 GiB, other allocations: 68.91 GiB, max allowed: 88.13 GiB). Tried to allocate 33.92 GiB',
    'RuntimeError: CUDA error: out of memory',
    'RuntimeError: CUDA driver error: out of memory',
    'RuntimeError: HIP error: out of memory',
    'torch.OutOfMemoryError: Allocation on device',
    'CUDA error: out of memory',
    'ROCm error: out of memory',
    'llama runner process has terminated: cudaMalloc failed: out of memory',
    'time=2024-05-02T10:11:12Z level=ERROR source=sched.go:455 msg="error loading llama server" error="llama runner process has terminated: cudaMalloc failed: out of memory"',
    'ggml_vulkan: Device memory allocation of size 1037832192 failed.',
    'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 812.00 MiB on device 0: cudaMalloc failed: out of memory',
    'error loading model: unable to allocate ROCm0 buffer',
    'E0502 10:11:12.345678 12 cuda_driver.cc:157] failed to allocate 2.00GiB (2147483648 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
    '2024-05-02 10:11:12.345678: W tensorflow/core/common_runtime/bfc_allocator.cc:497] Allocator (GPU_0_bfc) ran out of memory trying to allocate 2.00GiB (rounded to 2147483648)requested by op',
    'jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 4294967296 bytes.',
    'XlaRuntimeError: RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. Used 20.93G of 15.48G hbm. Exceeded hbm capacity by 5.45G.',
    'RESOURCE_EXHAUSTED: Attempting to reserve 4.00G at the bottom of memory. That was not possible. There are 2.69G free, 0B reserved, and 2.69G reservable.',
    "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV cache (11520). Try increasing `gpu_memory_utilization`",
    "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.08 GiB).",
    'ValueError: Free memory on device (3.12/23.69 GiB) on startup is less than desired GPU memory utilization (0.9, 21.32 GiB).',
    '[E] [TRT] 1: [defaultAllocator.cpp::allocate::20] Error Code 1: Cuda Runtime (out of memory)',
    "node-0:71:93 [0] NCCL WARN Cuda failure 2 'out of memory'",
    'cupy.cuda.memory.OutOfMemoryError: Out of memory allocating 8,000,000,000 bytes (allocated so far: 2,000 bytes).',
    'onnxruntime::CudaCall CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; expr=cudaMalloc((void**)&p, size);',
    'numba.cuda.cudadrv.driver.CudaAPIError: [2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY',
    'Error: DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")',
    'RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED',
    'pyopencl._cl.MemoryError: clEnqueueNDRangeKernel failed: MEM_OBJECT_ALLOCATION_FAILURE',
    'ggml_metal_graph_compute: command buffer 1 failed with status 5 error: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)',
    'System is out of GPU memory',
    "I0502 10:11:12.345678 1 model_lifecycle.cc:621] failed to load 'llm' version 1: Internal: CUDA error: out of memory",
    'ResourceExhaustedError: Out of memory error on GPU 0. Cannot allocate 2.0GB memory on GPU 0, 23.0GB memory has been allocated',
    'std::bad_alloc: out_of_memory: CUDA error at: /opt/conda/include/rmm/mr/device/cuda_memory_resource.hpp:70: cudaErrorMemoryAllocation out of memory',
    'ERROR torch: HIP out of memory',
    'RuntimeError: Bad StatusOr access: RESOURCE_EXHAUSTED: Error allocating device buffer: Attempting to allocate 129.50M. That was not possible. There are 78.17M free.; (0x0x0_HBM0)',
    'RuntimeError: Resource exhausted: From /job:tpu_worker/replica:0/task:0: Attempting to reserve 3.95G at the bottom of memory. That was not possible. There are 1.92G free',
    'RuntimeError: Resource exhausted: Out of memory allocating 123 bytes on TPU_0(process=0,(0,0,0,0))',
    '[TensorRT] ERROR: Requested amount of memory (150994944 bytes) could not be allocated. There may not be enough free memory for allocation to succeed.',
)
BY_THE_KERNEL = (
    'app.service: A process of this unit has been killed by the OOM killer.',
    "app.service: Failed with result 'oom-kill'.",
    'Memory cgroup out of memory: Kill process 1234 (java) score 1900 or sacrifice child',
    '[1234567.890123] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,oom_memcg=/kubepods,task_memcg=/kubepods/a,task=java,pid=71,uid=0',
)
OF_SERVERS = (
    "kombu.exceptions.OperationalError: Command # 1 (LLEN telemetry) of pipeline caused error: command not allowed when used memory > 'maxmemory'",
    'com.mysql.cj.jdbc.exceptions.MySQLException: Out of memory (Needed 1048576 bytes)',
    'mysql.connector.errors.DatabaseError: 1041 (HY000): Out of memory; restart server and try again (needed 2 bytes)',
    'google.api_core.exceptions.BadRequest: 400 Resources exceeded during query execution',
    '{:timestamp=>"2024-05-02", :message=>"retrying failed action with response code: 429 ({\\"type\\"=>\\"circuit_breaking_exception\\", \\"reason\\"=>\\"[parent] Data too large, data for [<http_request>] would be [1/1b]\\"})"}',
    "elasticsearch.ApiError: TransportError(429, 'circuit_breaking_exception', '[parent] Data too large, data for [<http_request>] would be [1/1gb]')",
    'ElasticsearchStatusException[Elasticsearch exception [type=circuit_breaking_exception, reason=[parent] Data too large, data for [<http_request>] would be [1/1gb], which is larger]]',
    '[error] [output:es:es.0] error: Output {"error":{"root_cause":[{"type":"circuit_breaking_exception","reason":"[parent] Data too large, data for [<http_request>]',
    'elastic: Error 429 (Too Many Requests): [parent] Data too large, data for [indices:data/write/bulk[s]] would be [1/1gb] [type=circuit_breaking_exception]',
    'ResponseError: circuit_breaking_exception: [circuit_breaking_exception] Reason: [parent] Data too large',
    'failed to publish events: 429 Too Many Requests: {"error":{"root_cause":[{"type":"circuit_breaking_exception","reason":"[parent] Data too large, data for [<http_request>]"',
    "ReplyError: OOM command not allowed when used memory > 'maxmemory'.",
    "Redis::CommandError: OOM command not allowed when used memory > 'maxmemory'.",
    "io.lettuce.core.RedisCommandExecutionException: OOM command not allowed when used memory > 'maxmemory'.",
    "redis.clients.jedis.exceptions.JedisDataException: OOM command not allowed when used memory > 'maxmemory'.",
    "panic: OOM command not allowed when used memory > 'maxmemory'.",
    'level=error msg="set failed" err="OOM command not allowed when used memory > \'maxmemory\'."',
    "PHP Fatal error:  Uncaught RedisException: OOM command not allowed when used memory > 'maxmemory'. in /app/x.php:3",
    'pq: out of memory',
    'org.postgresql.util.PSQLException: ERROR: out of memory',
    'ERROR: out of memory (SQLSTATE 53200)',
    'ActiveRecord::StatementInvalid (PG::OutOfMemory: ERROR:  out of memory',
    'psycopg2.errors.OutOfMemory: out of memory',
    'SQLSTATE[HY001]: Memory allocation error: 1038 Out of sort memory, consider increasing server sort buffer size',
    'Error 1038 (HY001): Out of sort memory, consider increasing server sort buffer size',
    'DB::Exception: Memory limit (total) exceeded: would use 3.61 GiB (attempt to allocate chunk of 4219924 bytes), maximum: 3.60 GiB. Stack trace:',
    'code: 241, message: Memory limit (for query) exceeded: would use 9.32 GiB',
    'Received exception from server (version 23.8.2): Code: 241. DB::Exception: Received from db:9000. DB::Exception: Memory limit (for query) exceeded: would use 9.3 GiB',
    'HTTPDriver for http://ch:8123 returned response code 500) Code: 241. DB::Exception: Query memory limit exceeded: would use 9.32 GiB. (MEMORY_LIMIT_EXCEEDED)',
    'Query exceeded per-node memory limit of 1GB [Allocated: 1.2GB, Delta: 4MB]',
    'TrinoQueryError(type=INSUFFICIENT_RESOURCES, name=EXCEEDED_GLOBAL_MEMORY_LIMIT, message="Query exceeded distributed user memory limit of 20GB")',
    'presto.exceptions.PrestoQueryError: Query exceeded distributed user memory limit of 20GB',
    'snowflake.connector.errors.ProgrammingError: 100357 (P0000): Function available memory exhausted. Please visit',
    'Resources exceeded during query execution: The query could not be executed in the allotted memory. Peak usage: 158% of limit.',
    "Msg 701, Level 17, State 123, Line 1 There is insufficient system memory in resource pool 'default' to run this query.",
    'ORA-04031: unable to allocate 4096 bytes of shared memory',
    "MongoServerError: PlanExecutor error during aggregation :: caused by :: Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
    'Executor error during find command :: caused by :: Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting.',
    'ERROR 8175 (HY000): Out Of Memory Quota![conn=54]',
    'ERROR 1105 (HY000): Your query has been cancelled due to exceeding the allowed memory limit for a single SQL query. Please try narrowing your query scope',
    'Memory of Query01a06c84 exceed limit. Pipeline Backend: starrocks-be',
    'memcache: unexpected response line from "set": "SERVER_ERROR out of memory storing object\\r\\n"',
    'Connection to rabbit blocked: low on memory',
    'traces export: rpc error: code = Unavailable desc = data refused due to high memory usage',
    'Failed to export logs batch code: 13, reason: StatusCode.UNAVAILABLE data refused due to high memory usage',
    'Query exhausted resources at this scale factor',
)
AT_OWN_LIMITS = (
    'JVMDUMP039I Processing dump event "systhrow", detail "java/lang/OutOfMemoryError" at 2024/05/02 10:11:12 - please wait.',
    'JVMDUMP013I Processed dump event "systhrow", detail "java/lang/OutOfMemoryError".',
    'Exception in thread "main" java.lang.OutOfMemoryError: Garbage-collected heap size exceeded.',
    "Uncaught error from thread [ClusterSystem-akka.actor.default-dispatcher-3]: Java heap space, shutting down JVM since 'akka.jvm-exit-on-fatal-error' is enabled for for ActorSystem[ClusterSystem]",
    "Uncaught error from thread [a-pekko.actor.default-dispatcher-3]: GC overhead limit exceeded, shutting down JVM since 'pekko.jvm-exit-on-fatal-error' is enabled",
    'JVM state determined to be unstable.  Exiting forcefully due to: java.lang.OutOfMemoryError: Java heap space',
    'Aborting due to java.lang.OutOfMemoryError: Java heap space',
    'Terminating due to java.lang.OutOfMemoryError: Java heap space',
    'org.apache.flink.runtime.JobException java.lang.OutOfMemoryError: Metaspace. The metaspace out-of-memory error has occurred.',
    'java.lang.OutOfMemoryError: Direct buffer memory. The direct out-of-memory error has occurred.',
    'System memory 259522560 must be at least 471859200. Please increase heap size using the --driver-memory option or spark.driver.memory in Spark configuration.',
    'org.apache.spark.SparkException: Job aborted due to stage failure: Total size of serialized results of 16 tasks (1048.5 MiB) is bigger than spark.driver.maxResultSize (1024.0 MiB)',
    '2024.05.02 10:11:12.345678 [ 71 ] {a1b2} <Error> executeQuery: Code: 241. DB::Exception: Memory limit (total) exceeded: would use 3.61 GiB (attempt to allocate chunk of 4219924 bytes), maximum: 3.60 GiB. (MEMORY_LIMIT_EXCEEDED)',
    '{"error":"data refused due to high memory usage","level":"error","msg":"Failed to consume"}',
    'warn memorylimiterprocessor/memorylimiter.go:205 Memory usage is above hard limit. Dropping data.',
    '[2023-01-01 10:11:12] [ warn] [input] forward.1 paused (mem buf overlimit)',
    "2024-05-02 10:11:12.345 [warning] <0.412.0> memory resource limit alarm set on node 'rabbit@mq-0'.",
    '[warning]: Process            Context:            maximum heap size reached',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    '# Fatal JavaScript out of memory: Reached heap limit',
    'ray.exceptions.ObjectStoreFullError: Failed to put object because it is full',
    'System.InsufficientMemoryException: Insufficient available memory to meet the expected demands of an operation at this time',
    'io.trino.ExceededMemoryLimitException: Query exceeded distributed user memory limit of 20GB',
    'org.elasticsearch.common.breaker.CircuitBreakingException: [parent] Data too large, data for [<http_request>] would be [1/1gb]',
    'child process exiting after exceeding memory limit (524288KiB / 409600KiB)',
    '*** EVIL RELOAD ON WORKER 1 RSS: 524288000 (pid: 12) ***',
    '#<Unicorn::HttpServer:0x0>: worker (pid: 27) exceeds memory limit (524288000 bytes > 419430400 bytes)',
    'current RSS 812.5 of host:1:a exceeds maximum RSS 750.0',
    'app: Heap exhausted;',
    'app: Current maximum heap size is 268435456 bytes (256 MB).',
    'Exhausted heap space, trying to allocate 34359738384 bytes.',
    'Heap exhausted during garbage collection: 0 bytes available, 16 requested.',
    'Heap exhausted, game over.',
    'the query exceeded the maximum allowed estimated amount of memory consumed by a single query (limit: 1073741824 bytes) (err-mimir-max-estimated-memory-consumption-per-query)',
    '{"level":"warn","msg":"worker max memory reached","pid":27}',
    'process exceeded memory limit, killing process {"memory_usage_mb": 812.0, "memory_limit_mb": 750}',
    'Memory usage exceeded 512MiB. Shutting down Scrapy...',
    '2026-11-24 10:11:12,345 27 INFO shop odoo.service.server: Worker (27) virtual memory limit (2684354560) reached.',
    'odoo.service.server: Server memory limit (2684354560) reached.',
    '{"@timestamp":"2024-05-02T10:11:12.345Z","log.level":"ERROR","message":"fatal error in thread [elasticsearch[es-0][search][T#1]], exiting","error.type":"java.lang.OutOfMemoryError","error.message":"Java heap space","error.stack_trace":"java.lang.OutOfMemoryError: Java heap space\\n\\tat a"}',
    '{"log":"JVMDUMP039I Processing dump event \\"systhrow\\", detail \\"java/lang/OutOfMemoryError\\" at 2024/05/02 10:11:12 - please wait.\\n","stream":"stderr"}',
    '{"msg":"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"}',
    'level=error component="query engine" err="query processing would load too many samples into memory in query execution"',
    '[ERROR] rabbit: memory resource limit alarm set on node rabbit@mq-0.',
    'Process is terminating due to OutOfMemoryException.',
    'after running out of JVM Metaspace',
    '# Fatal JavaScript invalid size error 169220804',
    '{"severity":"WARN","message":"rss memory limit exceeded","pid":27}',
    '[2024-05-02 10:11:12.345][12][debug][main] [source/server/overload_manager_impl.cc:577] Overload action envoy.overload_actions.shrink_heap became saturated',
    'Expiring Daemon because JVM Tenured space is exhausted',
    '> Expiring Daemon because JVM Metaspace is exhausted',
    'Fatal error: java.lang.OutOfMemoryError: Could not allocate an unaligned heap chunk',
    '[input] tail.1 paused (storage buf overlimit',
    'distributed.nanny - WARNING - Worker exceeded 95% memory budget. Restarting',
)
REFUSALS = (
    'ERROR POST /upload failed: out of memory',
    'error executing query="select 1": out of memory',
    'could not fork another process: out of memory',
    'worker 3 on device 0: out of memory',
    'GC heap initialization failed with error 0x8007000E',
    'Failed to create CoreCLR, HRESULT: 0x8007000E',
    'unable to calculate memory configuration fixed memory regions require 644117K which is greater than 512M available for allocation: -XX:MaxDirectMemorySize=10M',
    'Cannot calculate JVM memory configuration: There is insufficient memory remaining for heap. Memory available for allocation 512M is less than allocated memory 688M',
    'eheap_alloc: Cannot allocate 1052804960 bytes of memory (of type "heap").',
    'binary_alloc: Cannot reallocate 1073741864 bytes of memory (of type "binary", thread 2).',
    'll_alloc: Cannot allocate 2147483711 bytes of memory (of type "port_tab").',
    'err="opening storage failed: mmap files: mmap, size 134217728: cannot allocate memory"',
    'Error: model requires more system memory (44.0 GiB) than is available (7.6 GiB)',
    'runtime: out of memory: cannot allocate 4194304-byte block (268435456 in use)',
    'oh no: Bun has run out of memory.',
    '-bash: fork: Cannot allocate memory',
    'could not map the file: out of memory',
    'failed to allocate buffer: out of memory',
    'Fatal error: exception Out_of_memory',
    'ERROR: LoadError: OutOfMemoryError()',
    'tar: memory exhausted',
    'xrealloc: cannot allocate 18446744071562067968 bytes',
    'cc1plus: out of memory allocating 65536 bytes after a total of 1048576 bytes',
    'virtual memory exhausted: Cannot allocate memory',
    '<jemalloc>: Error in malloc(): out of memory',
    'Out of memory in perl:util:safesysrealloc',
    'GC: Reserving 274877906944 bytes (256 GiB) for the regions range failed, do you have a virtual memory limit set on this process?',
    'fatal error: cannot allocate memory',
    'node: cannot allocate memory',
    'Error: Cannot allocate memory - fork(2)',
    'Errno::ENOMEM: Cannot allocate memory - npm',
    'library initialization failed - unable to allocate file descriptor table - out of memory',
    'Error: spawn ENOMEM',
    'polars.exceptions.ComputeError: out of memory',
    'pyarrow.lib.ArrowMemoryError: malloc of size 8589934592 failed',
    'MemoryError: Unable to allocate internal buffer.',
    'sqlite3.OperationalError: out of memory',
    'OSError: [Errno 12] Cannot allocate memory',
    '{"t":{"$date":"2024-05-02T10:11:12.345+00:00"},"s":"F","c":"CONTROL","id":1,"msg":"out of memory","attr":{}}',
    '{"timestamp":"2024-05-02 10:11:12.345 UTC","pid":71,"error_severity":"ERROR","state_code":"53200","message":"out of memory","detail":"Failed on request of size 2048 in memory context \\"ExprContext\\"."}',
    "terminate called after throwing an instance of 'std::bad_array_new_length'",
    'fatal: Out of memory, malloc failed (tried to allocate 1073741824 bytes)',
    'node api-server.js: out of memory',
    'fatal error: out of memory allocating heap arena map',
)
CHILDREN = (
    'ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 137',
    'ExecutorLostFailure (executor 7 exited caused by one of the running tasks) Reason: Container from a bad node: container_1_2_3 on host: ip. Exit status: 137. Diagnostics: [...]',
    'Container [pid=71,containerID=container_1] is running beyond physical memory limits. Current usage: 2.1 GB of 2 GB physical memory used; Killing container.',
    "Container [pid=71,containerID=container_1] is running 1B beyond the 'PHYSICAL' memory limit. Current usage: 2.1 GB of 2 GB",
    'Memory on the node (IP: 10.0.0.1) was 7.61GiB / 8.00GiB (0.951), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: a)',
    'llama runner process has terminated: signal: killed',
    'npm ERR! signal SIGKILL',
    'Worker 3f2a: job 1b2c failed (Work-horse terminated unexpectedly; waitpid returned 9 (signal 9); )',
    '10:11:12 Moving job to FailedJobRegistry (work-horse terminated unexpectedly; waitpid returned 9)',
    '[2026-11-24 10:11:12] CRITICAL - Process terminated by signal. Likely out of memory error (OOM). For more information, see https://airflow.apache.org/docs/apache-airflow/stable/troubleshooting.html#process-terminated-by-signal. signal=-9 signal_name=SIGKILL',
    '{"event":"Process terminated by signal. For more information, see x","signal":-9,"signal_name":"SIGKILL","level":"critical"}',
    '[2026-11-24, 10:11:12 UTC] {local_task_job_runner.py:118} ERROR - Job 53 was killed before it finished (likely due to running out of memory)',
    'DAMN ! worker 3 (pid: 31) MYSTERIOUSLY killed by signal 9 :( trying respawn ...',
    'worker(pid=27, id=2) abnormal exit, status=0, signal=9',
    '[2026-11-24 10:11:12 #1.0]\tWARNING\tServer::check_worker_exit_status(): worker#2[pid=27] abnormal exit, status=0, signal=9',
    '2026-11-24 10:11:12 pid:1 worker[webman:44] exit with status 9',
    '[2026-11-24 10:11:12,345] [PID 1] [MainThread] [dramatiq.MainProcess] [CRITICAL] Worker with PID 9 exited unexpectedly (code -9). Shutting down...',
    "Process for flow run 'x' exited with status code: -9; This indicates that the process exited due to a SIGKILL signal.",
    "process didn't exit successfully: `rustc --crate-name app` (signal: 9, SIGKILL: kill)",
    'command exited with signal: 9 (SIGKILL)',
    'The exit codes of the workers are {SIGKILL(-9)}',
    'Process finished with exit code 137 (interrupted by signal 9:SIGKILL)',
    "Process 'Gradle Test Executor 1' finished with non-zero exit value 137",
    'Process Exit Code: 137',
    'Exit code is 137',
    'returned non-zero exit status -9.',
    'exits with return code = -9',
    'Child (18) died signal=9',
    'Squid Parent: squid-1 process 12 exited due to signal 9 with status 0',
    "<Fatal> Application: Child process was terminated by signal 9 (KILL). If it is not done by 'forcestop' command or manually, the possible cause is OOM Killer (see 'dmesg' and look at the '/var/log/kern.log' for the details).",
    '[Thu May 02 10:11:12 2024] [core:notice] [pid 1] AH00052: child pid 123 exit signal Killed (9)',
    'Daemon child process 73 terminated after receiving signal sigkill',
    'npm ERR! Killed',
    '{"log":"Killed\\n","stream":"stderr","time":"2026-11-24T10:11:12Z"}',
    '\x1b[31mKilled\x1b[0m',
    'worker-1  | Killed',
    '2026-11-24T10:11:12.345Z stdout F Killed',
    'Task Process exited, exit_code=-9',
    'tini: child exited with 137',
    'Next.js build worker exited with code: null and signal: SIGKILL',
    'ELIFECYCLE  Command failed with exit code 137.',
    'A jest worker process (pid=70) was terminated by another process: signal=SIGKILL, exitCode=null. Operating system logs may contain more information on why this occurred.',
    'torch.distributed.elastic.multiprocessing.api: failed (exitcode: -9) local_rank: 0 (pid: 123) of binary: /usr/bin/python3',
    'Signal 9 (SIGKILL) received by PID 71',
    'Worker process 71 was killed by signal 9',
    'dagster._core.executor.child_process_executor.ChildProcessCrashException: Step crashed with exit code -9',
    'luigi Worker task died unexpectedly with exit code -9',
    'The spawned process was killed: signal: killed',
    'java.lang.RuntimeException: Process exited with exit value 137',
    'error: index-pack died of signal 9',
    'fatal: remote error: upload-pack: pack-objects died of signal 9',
    'npm ERR! errno 137',
    'npm error code 137',
    'rsync error: error in rsync protocol data stream (code 137)',
    'ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.7: Command exited with code 137',
    '[error]: Worker 0 finished unexpectedly with signal SIGKILL',
    'error Epoch 0 terminated with an error: signal: killed',
    'error building image: error building stage: failed to execute command: waiting for process to exit: signal: killed',
    '[ALERT]    (1) : Current worker (12) exited with code 137 (Killed)',
    'make[1]: *** [Makefile:12: bundle] Error 137',
    '2024/05/02 10:11:12 [alert] 1#1 app process 27 exited on signal 9',
    'ray.exceptions.OutOfMemoryError: 1 worker(s) were killed due to the node running low on memory.',
)
ABOUT_OTHERS = (
    'System OOM encountered, victim process: java, pid: 71',
    'ERROR: Job failed: pod "runner-x-project-1-concurrent-0" status is "Failed": OOMKilled',
    'oom_watcher_linux.go:81] "Got sys oom event" event={"Pid":71,"ProcessName":"java","ContainerName":"/kubepods/pod1"}',
    'time="2024-05-02T10:11:12Z" level=info msg="node changed" new.message="OOMKilled (exit code 137)" new.phase=Failed nodeID=wf-3365-1282933487 old.phase=Running workflow=wf-3365',
    'time="2024-05-02" level=warning msg="Pod failed" displayName=main message="OOMKilled (exit code 137): main" phase=Failed',
    '{"level":"error","ts":1714644672.1,"logger":"controller.pod","msg":"container OOMKilled","pod":"shop/orders-1","exitCode":137}',
    'I0502 10:11:12.345678 1 event.go:377] "Event occurred" object="shop/orders" kind="Pod" reason="OOMKilling" message="Memory cgroup out of memory: Killed process 71 (java)"',
    "Pod etl-abc123 returned a failure. remote_pod: {'state': {'terminated': {'exit_code': 137, 'reason': 'OOMKilled'}}}",
    '[2024-05-02] {pod_manager.py:616} INFO - Pod etl-x1 has phase Failed: container_statuses exit_code 137 reason OOMKilled',
    '"step-build" exited with code 137 (image: "docker.io/library/maven@sha256:a"); for logs run: kubectl -n ci logs build-pod -c step-build',
    'TaskRun "build" failed: "step-compile" exited with code 137: OOMKilled',
    'controller/pod.go: container "main" in pod "wf-1" terminated with exit code 137',
    'W0502 10:11:12 kubelet: "Container exited" pod="shop/orders-1" containerID="containerd://a" exitCode=137',
    'New status generated: &{Source:kernel-monitor Events:[{Severity:warn Timestamp:2024 Reason:OOMKilling Message:Memory cgroup out of memory: Killed process 71 (java) total-vm:1kB}]}',
    'level=info msg="TaskOOM event container_id:\\"a1\\""',
    'level=info msg="Notify success" receiver=slack alerts="[KubePodOOMKilled[a1][active]]"',
    'HelmRelease/shop/orders upgrade failed: pod orders-1 OOMKilled',
    'NAME READY STATUS RESTARTS orders-1 0/1 OOMKilled 3',
    'Watching for OOMKilled containers',
    'time="2026-11-24T10:11:12Z" level=info msg="workflow failed" message="main: OOMKilled (exit code 137)" namespace=ci workflow=build-1',
    '{"severity":"INFO","msg":"pod OOMKilled","pod":"shop/cart-1","reason":"OOMKilled"}',
    'Node gke-prod-pool-1 ran out of memory',
    'deployment shop/cart: out of memory',
    'host "db-1.example" is out of memory',
    'StatefulSet shop/kafka not ready: out of memory',
)
ORDINARY = (
    'usage: app [--max-mem MB]  Abort with out of memory when MB is exceeded',
    '    catch (System.OutOfMemoryException)',
    '\tat java.lang.OutOfMemoryError.<init>(OutOfMemoryError.java:48)',
    'exec java -XX:OnOutOfMemoryError=/opt/solr/bin/oom_solr.sh 8983 /var/solr/logs -jar start.jar',
    'Dumping heap to /dumps/java_pid1.hprof ...',
    'systemd-oomd.service: Started Userspace Out-Of-Memory (OOM) Killer.',
    'alert loaded: expr="out of memory"',
    'INFO so that the job will not run out of memory',
    'INFO when the system is running out of memory, the cache shrinks',
    'Recovered from out of memory, retrying',
    'Picked up _JAVA_OPTIONS: -XX:+ExitOnOutOfMemoryError -XX:OnOutOfMemoryError=kill -9 %p',
    'NOTE: Picked up JDK_JAVA_OPTIONS: -XX:+HeapDumpOnOutOfMemoryError',
    'Picked up JAVA_TOOL_OPTIONS: -Xdump:system:none -Xdump:heap:events=systhrow,filter=java/lang/OutOfMemoryError',
    'Command line argument: -XX:OnOutOfMemoryError=kill -9 %p',
    'jvm_args: -XX:OnOutOfMemoryError=kill',
    '  --exit-on-oom             exit when out of memory (default false)',
    '  -XX:+CrashOnOutOfMemoryError',
    'oom_kills=0 oom_events=0',
    'out of memory errors: 0',
    'memory.events: low 0 high 0 max 0 oom 0 oom_kill 0',
    'WARNING overcommit_memory is set to 0! Background save may fail under low memory condition.',
    'bootstrap check: max virtual memory areas vm.max_map_count [65530] is too low',
    'Unable to lock JVM Memory: error=12, reason=Cannot allocate memory',
    'This can result in part of the JVM being swapped out.',
    'INFO [main] NoSpamLogger.java:92 - Maximum memory usage reached (512.000MiB), cannot allocate chunk of 1.000MiB',
    'WARN MemoryStore: Not enough space to cache rdd_1_2 in memory! (computed 384.0 B so far)',
    'level=warn msg="per-user series limit of 150000 exceeded"',
    'level=error err="maximum active stream limit exceeded, reduce the number of active streams (reduce labels or reduce label values)"',
    'server returned HTTP status 429 Too Many Requests: per-user ingestion rate limit (25000) exceeded',
    'grpc: received message larger than max (5242880 vs. 4194304) RESOURCE_EXHAUSTED',
    'etcdserver: mvcc: database space exceeded',
    'ERROR:  out of shared memory',
    'HINT:  You might need to increase max_locks_per_transaction.',
    'Setting PYTORCH_CUDA_ALLOC_CONF to avoid CUDA out of memory',
    'If you run out of memory, lower the batch size',
    'The process may run out of memory if the dataset is large',
    'to prevent out of memory errors use --stream',
    'Retrying: will run out of memory otherwise',
    'level=info query="{app=\\"x\\"} |= \\"out of memory\\"" duration=12ms',
    'Memory usage back within limits. Resuming normal operation.',
    'memorylimiter.go:151 Memory limiter configured {"limit_mib": 400, "spike_limit_mib": 80, "check_interval": 1}',
    "memory resource limit alarm cleared on node 'rabbit@mq-0'",
    'Memory high watermark set to 819 MiB (858993459 bytes) of 2048 MiB total',
    'Overload action envoy.overload_actions.shrink_heap became inactive',
    '[input] tail.0 resume (mem buf overlimit)',
    'JAVA_OPTS=-XX:+HeapDumpOnOutOfMemoryError',
    'export JAVA_OPTS="-XX:OnOutOfMemoryError=\'kill -9 %p\'"',
    'kernel.panic_on_oom = 0',
    'Registered OutOfMemoryError handler',
    'oom_score_adj set to -997',
    'started with maxmemory 100mb maxmemory-policy allkeys-lru',
    'CUDA out of memory retries: 0',
    'num_ooms: 0',
    "Uncaught error from thread [a-akka.actor.default-dispatcher-3]: null, shutting down JVM since 'akka.jvm-exit-on-fatal-error'",
    'Liveness probe failed, container will be restarted',
    'worker exited with code 143',
    'Maximum memory usage reached (512.000MiB), cannot allocate chunk of 1.000MiB',
    '# -XX:OnOutOfMemoryError="kill -9 %p"',
    'INFO: OOM killer protection enabled, vm.panic_on_oom=0',
    'out_of_memory_retries=3 worker_count=4',
    'INFO  o.a.k.c.Config - producer.on.out.of.memory = block',
    'level=info msg="Starting rule manager" rules="KubePodOOMKilled, HighMemory"',
    'I0101 00:00:00.000000 1 flags.go:64] FLAG: --oom-score-adj="-999"',
    '10:11:12 Moving job to FailedJobRegistry (Work-horse terminated unexpectedly; waitpid returned 139 (signal 11); )',
    'worker 3 killed successfully (pid: 31)',
    'worker(pid=27, id=2) abnormal exit, status=255, signal=0',
    'panic: runtime error: makeslice: len out of range',
    '*** Publishers will be blocked until this alarm clears ***',
    '2026-11-24 10:11:12 0 [Note] mysqld: Memory limit 512M',
    'INFO JVM OutOfMemoryError handler installed',
    '{"level":"info","msg":"flags","args":["-XX:+ExitOnOutOfMemoryError","-Xmx512m"]}',
    '{"level":"info","message":"-XX:+ExitOnOutOfMemoryError -Xmx512m"}',
    'NODE_OPTIONS=--max-old-space-size=4096',
    'OMP: Info #276: omp_set_nested routine deprecated',
    'tcmalloc: using TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD=1073741824',
    'ulimit -v: unlimited, vm.overcommit_memory=1',
    '# WARNING Memory overcommit must be enabled! Without it, a background save or replication may fail under low memory condition. Being disabled, it can also cause failures without low memory condition, see https://github.com/jemalloc/jemalloc/issues/1328.',
    'kubelet: Node is running with swap on. OOM killer may be invoked',
    'Back-off restarting failed container; last exit code 137 of pod shop/cart-7d9',
    'level=warn msg="evicted pod shop/cart-1: The node was low on resource: memory"',
    'Received SIGTERM, will SIGKILL after 30s',
    'graceful shutdown timeout is 10s, then SIGKILL',
    '[INFO] worker 12 booted (signal 9 handled by kernel)',
    'signals: TERM=15 KILL=9',
    'GC(123) Pause Full (Ergonomics) 250M->249M(256M) 512.345ms',
    'Consider increasing the heap size to avoid OutOfMemoryError',
    'HeapDumpOnOutOfMemoryError is enabled, dumps go to /dumps',
    'prometheus: WAL segment loaded, replaying on-disk memory mappable chunks',
    'ERROR: duplicate key value violates unique constraint "memory_limit_exceeded_pkey"',
    'query returned 137 rows',
    'Error 137 of 200 records are late',
    'code 9 of the catalogue',
    'process exited with code 13',
    'temperature is -9',
    '(node:1) MaxListenersExceededWarning: Possible EventEmitter memory leak detected. 11 exit listeners added',
    'W tensorflow/tsl/framework/cpu_allocator_impl.cc:83] Allocation of 1073741824 exceeds 10% of free system memory.',
    '[2024-05-02T10:11:12,345][INFO ][o.e.n.Node] [es-0] JVM arguments [-Xshare:auto, -XX:+ExitOnOutOfMemoryError, -XX:HeapDumpPath=data, -Xmx512m]',
    'INFO  [main] QueryProcessor - heap size [512mb], compressed ordinary object pointers [true]',
    'OpenJDK 64-Bit Server VM warning: MaxNewSize (524288k) is equal to or greater than the entire heap (262144k).',
    '[warning][gc] -Xlog: memory limit is 512M, out-of-memory handling is on',
    'vm.overcommit_memory must be set to 1 for background saves',
    "JVMDUMP034I User requested Heap dump using '/dumps/a.phd' through com.ibm.jvm.Dump.HeapDump",
    'level=info msg="GOMEMLIMIT is updated" GOMEMLIMIT=483183820 previous=9223372036854775807',
    'Calculated JVM Memory Configuration: -XX:MaxDirectMemorySize=10M -XX:MaxMetaspaceSize=86976K -Xmx288179K',
    'product code 137 was ordered',
    '[input] tail.1 resume (storage buf overlimit',
    'JAVA_OPTS already set in environment; overriding default settings with values: -XX:+ExitOnOutOfMemoryError',
    "+ exec java -XX:OnOutOfMemoryError='kill -9 %p' -Xmx512m -jar app.jar",
)
# fmt: on


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (kind, line)
        for kind, lines in (
            (GPU, ON_GPUS),
            (REMOTE, OF_SERVERS),
            (OWN_LIMIT, AT_OWN_LIMITS),
            (REFUSED, REFUSALS),
            (CHILD_KILLED, CHILDREN),
            (KERNEL, BY_THE_KERNEL),
        )
        for line in lines
    ],
)
def test_kind_of_a_wording(kind: str, line: str) -> None:
    """Whose memory a line speaks of, or who was killed, in the words of each program."""
    found = match_line(line)

    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("line", ABOUT_OTHERS)
def test_what_a_controller_logs_about_others_is_no_evidence(line: str) -> None:
    """Operators, runners and node agents name the pods that they look after; that says nothing about their own container."""
    assert match_line(line) is None


@pytest.mark.parametrize("line", ORDINARY)
def test_words_that_are_no_error(line: str) -> None:
    """Echoes of flags, help texts, counters of nothing, conditions, quotas that are not memory."""
    assert match_line(line) is None


def test_a_program_that_logs_its_own_pod_is_heard() -> None:
    """Structured logs often name the pod that writes them."""
    line = '{"level":"error","pod":"orders-1","msg":"worker 3: out of memory"}'

    assert find_signature((line,)) is None
    assert find_signature((line,), pod="orders-1") is not None


TWINS = [p for p in SIGNATURES if p.twin]


@pytest.mark.parametrize("pattern", TWINS, ids=lambda p: p.id)
def test_a_server_and_its_client_mean_the_same_line_differently(pattern: LogPattern) -> None:
    """In the server's container the line is about its own limit; in that of a client, about another server."""
    found = find_signature((pattern.example,))

    at_home, abroad = as_seen_by(found, pattern.runtime), as_seen_by(found, "node")
    assert at_home is not None
    assert abroad is not None
    assert at_home.kind in (OWN_LIMIT, REFUSED)
    assert abroad.kind == REMOTE
    assert at_home.line == abroad.line == pattern.example


def test_twins_name_each_other() -> None:
    """So that either can be told as the other."""
    by_id = {p.id: p for p in SIGNATURES}

    assert [p.id for p in TWINS if by_id[p.twin].twin != p.id or by_id[p.twin].runtime != p.runtime] == []


def test_the_wording_decides_where_the_runtime_does_not() -> None:
    """Elasticsearch runs on Java: a container of which only Java is known may be either."""
    own = find_signature(
        ("org.elasticsearch.common.breaker.CircuitBreakingException: [parent] Data too large, data for [<http_request>] would be [1/1b]",)
    )

    assert as_seen_by(own, "jvm") == own
    assert as_seen_by(own, "") == own


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"error","pod":"billing-7c9d8f6b5-x2x4z","msg":"fatal error: runtime: out of memory"}',
        'level=error msg="java.lang.OutOfMemoryError: Java heap space" pod=billing-6f7d8c9b5-k3j2h',
        '{"kubernetes":{"pod_name":"billing-0"},"log":"CUDA out of memory. Tried to allocate 20.00 MiB"}',
    ],
)
def test_an_error_that_a_field_gives_to_another_pod_is_not_ours(line: str) -> None:
    """A shipper, an operator or a pipeline prints what others wrote; of our own pod's the same line counts."""
    assert match_line(line, pod="shipper-5d6f7c8b9-a1b2c") is None
    own = "billing-7c9d8f6b5-x2x4z" if "x2x4z" in line else "billing-6f7d8c9b5-k3j2h" if "k3j2h" in line else "billing-0"
    assert match_line(line, pod=own) is not None
    assert match_line(line) is not None


def test_the_servers_own_word_of_its_memory_stays_its_own() -> None:
    """MySQL's log, not a client's."""
    found = match_line("2024-05-02T10:11:12.345678Z 0 [ERROR] [MY-010000] [Server] Out of memory (Needed 1048576 bytes)")

    assert found is not None
    assert found.kind == REFUSED
