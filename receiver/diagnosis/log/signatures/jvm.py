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
        advice="Raise -Xmx or -XX:MaxRAMPercentage: with -Xmx set, a higher container limit alone changes nothing. Take a heap "
        "dump to see what fills it.",
        example="Terminating due to java.lang.OutOfMemoryError: Java heap space",
        near_miss="INFO Java heap space: 46 MiB used of 256 MiB",
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
    ),
    LogPattern(
        id="jvm-array-size",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="array size exceeds",
        regex=re.compile(r"OutOfMemoryError: Requested array size exceeds VM limit"),
        meaning="the program asked for one array of over 2 billion elements",
        advice="No limit helps: a buffer or collection grows without bound in the method that the first frame names.",
        example="java.lang.OutOfMemoryError: Requested array size exceeds VM limit",
        near_miss="WARN requested page size exceeds the limit of 500",
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
    ),
    LogPattern(
        id="spark-executor-oom",
        runtime="jvm",
        kind=CHILD_KILLED,
        rank=EXACT,
        hint="exit code 137",
        regex=re.compile(r"exit code 137\s?\(SIGKILL, possible container OOM\)"),
        meaning="Spark: an executor was killed, possibly for memory",
        advice="Raise spark.executor.memoryOverheadFactor before spark.executor.memory: the kill is most often about what is "
        "outside the heap.",
        example="The executor with id 5 exited with exit code 137(SIGKILL, possible container OOM).",
        near_miss="The executor with id 5 exited with exit code 143(SIGTERM).",
    ),
    LogPattern(
        id="gradle-daemon-heap",
        runtime="jvm",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="daemon",
        regex=re.compile(r"Expiring Daemon because JVM heap space is exhausted|after running out of JVM (?:Metaspace|heap space|memory)"),
        meaning="the Gradle daemon reached its own heap or metaspace limit",
        advice="Set org.gradle.jvmargs=-Xmx... in gradle.properties; lower org.gradle.workers.max.",
        example="Expiring Daemon because JVM heap space is exhausted",
        near_miss="Starting a Gradle Daemon (subsequent builds will be faster)",
    ),
    LogPattern(
        id="jvm-oom",
        runtime="jvm",
        kind=REFUSED,
        rank=RUNTIME,
        hint="java.lang.outofmemoryerror",
        regex=re.compile(r"java\.lang\.OutOfMemoryError\b"),
        meaning="the JVM ran out of memory (OutOfMemoryError)",
        advice="The words after the colon say which memory. -XX:+HeapDumpOnOutOfMemoryError and "
        "-XX:NativeMemoryTracking=summary tell more.",
        example="java.lang.OutOfMemoryError: Out of swap space?",
        near_miss="Picked up JAVA_TOOL_OPTIONS: -XX:+HeapDumpOnOutOfMemoryError -XX:+ExitOnOutOfMemoryError",
    ),
)
