"""Memory errors of the JVM."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import CHILD_KILLED, EXACT, OWN_LIMIT, REFUSED, RUNTIME, LogPattern

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="jvm-heap",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="java heap space",
        regex=re.compile(r"OutOfMemoryError: Java heap space"),
        meaning="the Java heap is full",
        advice="Take a heap dump to see what fills it. If all of it is needed, raise -Xmx or -XX:MaxRAMPercentage: with -Xmx set, a higher limit alone "
        "changes nothing.",
        example="Terminating due to java.lang.OutOfMemoryError: Java heap space",
        near_miss="INFO Java heap space: 46 MiB used of 256 MiB",
        source="OpenJDK, share/memory/universe.cpp; -XX:+ExitOnOutOfMemoryError in share/utilities/debug.cpp",
    ),
    LogPattern(
        id="jvm-gc-overhead",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="gc overhead limit exceeded",
        regex=re.compile(r"GC overhead limit exceeded"),
        meaning="the Java heap is almost full, and nearly all time goes into collecting it",
        advice="Treat it as a full heap: heap dump first, then -Xmx. Do not switch the check off.",
        example="java.lang.OutOfMemoryError: GC overhead limit exceeded",
        near_miss="[gc][412] overhead, spent [251ms] collecting in the last [1s]",
        source="OpenJDK, share/memory/universe.cpp",
    ),
    LogPattern(
        id="jvm-metaspace",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="outofmemoryerror: ",
        regex=re.compile(r"OutOfMemoryError: (?:Metaspace|Compressed class space|PermGen space)"),
        meaning="the JVM's space for classes is full",
        advice="Raise -XX:MaxMetaspaceSize. If it grows for ever, class loaders leak (redeploys, proxies, scripts): jcmd 1 "
        "VM.classloader_stats",
        example='Exception in thread "main" java.lang.OutOfMemoryError: Metaspace',
        near_miss="[2.345s][info][gc,metaspace] Metaspace: 45056K(46080K)->45056K(46080K)",
        source="OpenJDK, share/memory/metaspace.cpp",
    ),
    LogPattern(
        id="jvm-direct",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="direct",
        regex=re.compile(
            r"OutOfMemoryError: Direct buffer memory|OutOfMemoryError: Cannot reserve \d{1,20} bytes of direct buffer memory|OutOfDirectMemoryError: failed to allocate \d{1,20} byte"
        ),
        meaning="the JVM's direct buffers are at their limit",
        advice="Set -XX:MaxDirectMemorySize on purpose (by default as large as -Xmx, on top of it). Look for buffers never "
        "released: -Dio.netty.leakDetection.level=paranoid",
        example="io.netty.util.internal.OutOfDirectMemoryError: failed to allocate 16777216 byte(s) of direct memory (used: "
        "251658240, max: 259522560)",
        near_miss="DEBUG io.netty.util.internal.PlatformDependent - maxDirectMemory: 259522560 bytes",
        source="OpenJDK, java.nio.Bits; Netty, PlatformDependent",
    ),
    LogPattern(
        id="jvm-native-thread",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="native thread",
        regex=re.compile(r"OutOfMemoryError: unable to create (?:new )?native thread"),
        meaning="the JVM could not start another thread",
        advice="Count the threads (jcmd 1 Thread.print | grep -c nid=) and bound the pools; check the pids limit. A higher heap "
        "makes it worse.",
        example="java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached",
        near_miss="DEBUG created native thread pool of size 8",
        source="OpenJDK, share/prims/jvm.cpp: JVM_StartThread",
    ),
    LogPattern(
        id="jvm-map-failed",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="map failed",
        regex=re.compile(r"OutOfMemoryError: Map failed"),
        meaning="the JVM was refused a memory-mapped file",
        advice="Most often vm.max_map_count of the node is reached (Kafka, Lucene map every segment): raise it there, or have fewer open segments.",
        example="Caused by: java.lang.OutOfMemoryError: Map failed",
        near_miss="WARN GeoMap failed to load tile 12",
        source="OpenJDK, sun.nio.ch.FileChannelImpl",
    ),
    LogPattern(
        id="jvm-array-size",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="array size exceeds",
        regex=re.compile(r"OutOfMemoryError: Requested array size exceeds VM limit"),
        meaning="one array of over 2 billion elements was asked for",
        advice="No limit helps: a buffer or collection grows without bound in the method that the first frame names.",
        example="java.lang.OutOfMemoryError: Requested array size exceeds VM limit",
        near_miss="WARN requested page size exceeds the limit of 500",
        source="OpenJDK, share/memory/universe.cpp",
    ),
    LogPattern(
        id="jvm-commit-failed",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="memory",
        regex=re.compile(
            r"insufficient memory for the Java Runtime Environment to continue|Native memory allocation \((?:mmap|malloc)\) failed|os::commit_memory\(0x[0-9a-f]{1,16}, \d{1,20}, \d\) failed"
        ),
        meaning="the operating system refused the JVM memory",
        advice="Leave room beside the heap: -Xmx at about 75 % of the limit. -XX:NativeMemoryTracking=summary shows who takes the rest.",
        example="# There is insufficient memory for the Java Runtime Environment to continue.",
        near_miss="Native Memory Tracking: (Omitting categories weighting less than 1KB)",
        source="OpenJDK, share/utilities/vmError.cpp and os/linux/os_linux.cpp",
    ),
    LogPattern(
        id="jvm-heap-reserve",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"Could not reserve enough space (?:for|in) (?:\d{1,20}KB )?(?:object heap|card marking|the heap|CodeHeap)|Could not allocate compressed class space: \d{1,20} bytes|Initial heap size set to a larger value than the maximum heap size"
        ),
        meaning="the JVM could not start: its heap or class space does not fit",
        advice="Lower -Xms and -Xmx below the container's limit, or use -XX:MaxRAMPercentage=75.",
        example="Error: Could not reserve enough space for 2097152KB object heap",
        near_miss="INFO could not reserve seat 12A, no enough space for luggage",
        source="OpenJDK, share/memory/universe.cpp and share/gc/shared/genArguments.cpp",
    ),
    LogPattern(
        id="spark-executor-oom",
        runtime="jvm",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="137",
        regex=re.compile(
            r"exit code 137\s?\(SIGKILL, possible container OOM\)|ExecutorLostFailure [^\n]{0,200}?(?:exit(?:ed with)? (?:code|status):? 137|Exit status: 137)"
        ),
        meaning="Spark: an executor was killed, possibly for memory",
        advice="Raise spark.executor.memoryOverheadFactor before spark.executor.memory: the kill is most often about what is "
        "outside the heap.",
        example="The executor with id 5 exited with exit code 137(SIGKILL, possible container OOM).",
        near_miss="The executor with id 5 exited with exit code 143(SIGTERM).",
        source="apache/spark, resource-managers/kubernetes/core: ExecutorPodsLifecycleManager.describeExitCode; core: TaskSchedulerImpl",
        is_of_executor=True,
    ),
    LogPattern(
        id="gradle-daemon-heap",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="jvm",
        regex=re.compile(
            r"Expiring Daemon because JVM (?:heap space|Tenured space|Metaspace) is exhausted|after running out of JVM (?:Metaspace|heap space|memory)"
        ),
        meaning="the Gradle daemon reached its own heap or metaspace limit",
        advice="Set org.gradle.jvmargs=-Xmx... in gradle.properties; lower org.gradle.workers.max.",
        example="Expiring Daemon because JVM heap space is exhausted",
        near_miss="Starting a Gradle Daemon (subsequent builds will be faster)",
        source="gradle/gradle, launcher/daemon/server/health: LowHeapSpaceDaemonExpirationStrategy, LowMetaspaceDaemonExpirationStrategy; before 5: Tenured space",
    ),
    LogPattern(
        id="openj9-oom",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=RUNTIME,
        hint="java/lang/outofmemoryerror",
        regex=re.compile(r"JVMDUMP\d{3}[IWE] [^\n]{0,200}?\"java/lang/OutOfMemoryError\""),
        meaning="OpenJ9's heap, or another of its pools, is full: it writes its dumps",
        advice="Open the .phd or javacore file that it names in Eclipse MAT to see what fills the heap; if it is needed, raise -Xmx or -XX:MaxRAMPercentage.",
        example='JVMDUMP039I Processing dump event "systhrow", detail "java/lang/OutOfMemoryError" at 2024/05/02 10:11:12 - please wait.',
        near_miss="Picked up JAVA_TOOL_OPTIONS: -Xdump:heap:events=systhrow,filter=java/lang/OutOfMemoryError",
        source="eclipse-openj9/openj9, runtime/nls/dump/j9dmp.nls: J9NLS_DMP_PROCESSING_EVENT_TIME",
    ),
    LogPattern(
        id="openj9-heap-reserve",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="requested",
        regex=re.compile(r"Failed to instantiate (?:heap|compressed references metadata)[;.]? ?\d{1,9}[KMG]? requested"),
        meaning="OpenJ9 could not start: its heap does not fit",
        advice="Lower -Xmx below the container's limit, or use -XX:MaxRAMPercentage=75.",
        example="JVMJ9VM015W Initialization error for library j9gc29(2): Failed to instantiate heap; 4G requested",
        near_miss="JVMJ9VM007E Command-line option unrecognised: -Xfoo",
        source="eclipse-openj9/openj9, runtime/nls/j9gc/j9modron.nls: J9NLS_GC_FAILED_TO_INSTANTIATE_HEAP_SIZE_REQUESTED",
    ),
    LogPattern(
        id="graalvm-native-heap",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="",
        regex=re.compile(r"Garbage-collected heap size exceeded|OutOfMemoryError: Could not allocate an? (?:un)?aligned heap chunk"),
        meaning="the heap of a GraalVM native image is full",
        advice="-XX:+HeapDumpOnOutOfMemoryError writes a dump that shows what fills it; if all of it is needed, raise -Xmx or -XX:MaxRAMPercentage (default 80 %).",
        example="java.lang.OutOfMemoryError: Garbage-collected heap size exceeded. Consider increasing the maximum Java heap size, for example with '-Xmx'.",
        near_miss="INFO native image: maximum heap size 409 MB (80 % of RAM)",
        source="oracle/graal, com.oracle.svm.core.genscavenge: GCImpl, HeapChunkProvider",
    ),
    LogPattern(
        id="paketo-memory-calculator",
        runtime="jvm",
        kind=REFUSED,
        rank=EXACT,
        hint="memory",
        regex=re.compile(
            r"(?:required memory \d{1,12}[KMG]? is|fixed memory regions require \d{1,12}[KMG]? which is) greater than \d{1,12}[KMG]? available for allocation"
            r"|[Mm]emory (?:limit|available for allocation) [\d.]{1,12}[KMGT]?i?B? is less than (?:allocated|required) memory|insufficient memory remaining for heap\b"
        ),
        refuses_to_start=True,
        meaning="the memory calculator did not start the JVM: what it must have at least is above the limit",
        advice="Raise the limit above the number that the line names, or lower BPL_JVM_THREAD_COUNT (250 by default) and the code cache.",
        example="required memory 394176K is greater than 256M available for allocation: -XX:MaxDirectMemorySize=10M, "
        "-XX:MaxMetaspaceSize=86976K, -XX:ReservedCodeCacheSize=240M, -Xss1M x 50 threads",
        near_miss="Calculated JVM Memory Configuration: -XX:MaxDirectMemorySize=10M -Xmx288179K (Total Memory: 1G, Thread Count: 250)",
        source="paketo-buildpacks/libjvm, calc/calculator.go; cloudfoundry/java-buildpack-memory-calculator",
    ),
    LogPattern(
        id="akka-fatal-oom",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="error from thread [",
        regex=re.compile(
            r"Uncaught (?:fatal )?error from thread \[[^\]\n]{1,200}\]:? (?:\(?java\.lang\.OutOfMemoryError|Java heap space|GC overhead|Metaspace|Direct buffer|Cannot reserve)"
        ),
        meaning="an actor system (Akka, Pekko) shut its JVM down: the heap, or another of its pools, is full",
        advice="Look for mailboxes that grow: bounded mailboxes, back-pressure (streams). If the heap is only too small, raise -Xmx or -XX:MaxRAMPercentage.",
        example="Uncaught error from thread [app-akka.actor.default-dispatcher-5]: Java heap space, shutting down JVM since "
        "'akka.jvm-exit-on-fatal-error' is enabled for ActorSystem[app]",
        near_miss="Uncaught error from thread [app-akka.actor.default-dispatcher-5]: null, shutting down JVM since "
        "'akka.jvm-exit-on-fatal-error' is enabled for ActorSystem[app]",
        source="akka/akka, akka-actor: ActorSystemImpl.uncaughtExceptionHandler; Apache Pekko has the same. Before 2.5 without the message",
    ),
    LogPattern(
        id="solr-oom-script",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="oom killer script",
        regex=re.compile(r"Running OOM killer script for(?: Solr)? process \d{1,10}"),
        meaning="Solr's own script ended it: the Java heap was full",
        advice="Raise SOLR_HEAP (SOLR_JAVA_MEM) and keep it below about half of the limit; smaller caches, docValues for sorting and facets.",
        example="Running OOM killer script for process 12 for Solr on port 8983",
        near_miss="SOLR_OOM killer script is /opt/solr/bin/oom_solr.sh",
        source="apache/solr, solr/bin/oom_solr.sh; docker-solr: for Solr process N",
    ),
    LogPattern(
        id="kafka-producer-buffer",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=RUNTIME,
        hint="max blocking time",
        regex=re.compile(r"Failed to allocate (?:memory|\d{1,20} bytes) within the configured max blocking time"),
        meaning="a Kafka producer's buffer (buffer.memory) stayed full",
        advice="The broker takes records more slowly than they come: see why, then a larger buffer.memory. The container's limit plays no part.",
        example="org.apache.kafka.clients.producer.BufferExhaustedException: Failed to allocate 16384 bytes within the configured max "
        "blocking time 60000 ms. Total memory: 33554432 bytes. Available memory: 0 bytes. Poolable size: 16384 bytes",
        near_miss="INFO  o.a.k.c.Config - producer.max.block.ms = 60000",
        source="Apache Kafka, clients: BufferPool.allocate",
    ),
    LogPattern(
        id="spark-own-memory",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="",
        regex=re.compile(
            r"SparkOutOfMemoryError\b|(?:System|Executor) memory \d{1,20} must be at least \d{1,20}|UNABLE_TO_ACQUIRE_MEMORY|Total size of serialized results of \d{1,12} tasks \([^)\n]{1,30}\) is bigger than spark\.driver\.maxResultSize"
        ),
        meaning="Spark's own memory (its share of the heap) is full or too small",
        advice="More partitions, less collect() and broadcast; then spark.executor.memory or spark.driver.memory, with the limit above it.",
        example="org.apache.spark.memory.SparkOutOfMemoryError: Unable to acquire 65536 bytes of memory, got 0",
        near_miss="WARN MemoryStore: Not enough space to cache rdd_1_2 in memory! (computed 384.0 B so far)",
        source="Apache Spark, core: memory/SparkOutOfMemoryError.java, UnifiedMemoryManager.scala",
    ),
    LogPattern(
        id="yarn-container-killed",
        runtime="jvm",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="memory limit",
        regex=re.compile(
            r"Container killed by YARN for exceeding (?:physical |virtual )?memory limits|running [^\n]{0,40}?beyond (?:the )?'?(?:PHYSICAL|VIRTUAL|physical|virtual)'? memory limits?"
        ),
        meaning="YARN killed an executor's container at the memory limit that was asked for it",
        advice="Raise spark.executor.memoryOverhead (or the job's container memory) before the heap; fewer cores an executor.",
        example="ExecutorLostFailure (executor 5 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding "
        "memory limits. 5.6 GB of 5.5 GB physical memory used. Consider boosting spark.executor.memoryOverhead.",
        near_miss="INFO YarnAllocator: Will request 2 executor container(s), each with 1 core(s) and 1408 MB memory",
        source="Apache Spark, YarnAllocator.scala; Hadoop YARN, ContainersMonitorImpl",
        is_of_executor=True,
    ),
    LogPattern(
        id="flink-network-buffers",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="network",
        regex=re.compile(
            r"Insufficient number of network buffers: required \d|Could not allocate enough memory segments for NetworkBufferPool"
        ),
        meaning="Flink's pool of network buffers is too small for the job",
        advice="Raise taskmanager.memory.network.fraction or .max, or lower the parallelism; the process size must grow with it.",
        example="java.io.IOException: Insufficient number of network buffers: required 17, but only 0 available. The total number of network "
        "buffers is currently set to 2048 of 32768 bytes each.",
        near_miss="INFO NetworkBufferPool - Allocated 64 MB for network buffer pool (number of memory segments: 2048, bytes per segment: 32768).",
        source="Apache Flink, NetworkBufferPool.java",
    ),
    LogPattern(
        id="jvm-oom",
        runtime="jvm",
        kind=REFUSED,
        rank=RUNTIME,
        hint="java.lang.outofmemoryerror",
        regex=re.compile(r"java\.lang\.OutOfMemoryError\b(?!\.<init>|\.class|\()"),
        meaning="the JVM ran out of memory (OutOfMemoryError)",
        advice="The words after the colon say which memory. -XX:+HeapDumpOnOutOfMemoryError and "
        "-XX:NativeMemoryTracking=summary tell more.",
        example="java.lang.OutOfMemoryError: Out of swap space?",
        near_miss="Picked up JAVA_TOOL_OPTIONS: -XX:+HeapDumpOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError",
        source="OpenJDK, java.lang.OutOfMemoryError",
    ),
)
