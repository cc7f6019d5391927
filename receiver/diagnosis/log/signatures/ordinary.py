"""Lines that hold the words of a memory error and are none, or none of this container.

Start-up echoes of flags, help texts, counters that stand at zero, what might happen; and what a controller, an operator or a
runner logs about the pods that it looks after. `OOMKilled` is Kubernetes' word for a container's state: no program says it of itself.
"""

from __future__ import annotations

import re

# Of any entry: options as a program prints them when it starts, and warnings that memory could not be locked.
_ECHO = re.compile(
    r"Picked up (?:_?JAVA_\w{1,30}|JDK_JAVA_OPTIONS)|^\s{0,12}-{1,2}[A-Za-z][\w.-]{0,60}+[ =,]|\bFLAG: -{1,2}\w|(?:Command line argument|VM [Aa]rguments|jvm_args|JVM (?:flags|arguments|options)|java_command): ?"
    r"|^# -XX:On(?:OutOfMemory)?Error=|\bUnable to lock JVM Memory|(?:^|\s)-Xdump:|^\s{0,4}[Uu]sage: |^\s{0,12}(?:export |ENV )?[A-Z][A-Z0-9_]{2,60}=[\"']?-"
)

# Of entries that know no program: counts of none, and what may come. Adjacent words only: "could not map: out of memory" is an error.
_WORDS = r"(?:out of memory|not enough memory|[Oo]ut-of-memory)"
_SUPPOSED = re.compile(
    rf"\b{_WORDS}(?:[ _-]\w{{1,16}}){{0,3}}\"?\s?[:=]\s?\"?(?:0\b|false|no\b|none\b|never|disabled|enabled|true\b|\[\])"
    rf"|\b(?:0|no|zero|without|(?:not|never|n't) run(?:ning)?) {_WORDS}|\b(?:may|might|could|can|would|will|should|must) (?!not\b)(?:\w{{2,10}} ){{0,3}}{_WORDS}"
    rf"|\b(?:if|when|upon|on|case of|until|before) (?:(?:you|we|it|they|the|a|an|system|process|node|host|device|run|runs|running|go|goes|going|is|are|gets?) ){{0,4}}{_WORDS}"
    rf"|\b(?:avoid|avoids|avoiding|prevent|prevents|preventing|against|handles?|handling|simulat(?:e|ing)|detect(?:s|ing)?|risk of|instead of|recover(?:s|ed|ing)? from|survives?"
    rf"|protects? from) (?:\w{{1,10}} ){{0,3}}{_WORDS}",
    re.IGNORECASE,
)
_QUERY = re.compile(
    rf"\b(?:query|search|filter|expr|pattern|rule|title|subject|question)s?\\?\"?[=:] ?\\?[\"'][^\"'\n]{{0,200}}?{_WORDS}|\|[=~] ?\\?[\"`]",
    re.IGNORECASE,
)

# Of the same entries: the line names a pod, a container or a step, and so speaks of that one.
_KEY = r"(?:pod|podName|pod_name|podname|k8s[._]pod[._]name|container|containerName|container_name|container_id|containerID|containerId|taskRun|TaskRun|pipelineRun|PipelineRun|workflow|nodeID|HelmRelease|helmrelease|Kustomization|job_name|jobName)"
_OTHER = re.compile(
    rf"OOM ?Kill(?:ed|ing)\b|TaskOOM\b|\b(?:new|old)\.phase=|(?:^|[\s{{,(]){_KEY}=\\?[\"']?[\w\[]|\\?[\"']{_KEY}\\?[\"']: ?\\?[\"'{{]"
    r"|\b(?:[Pp]od|[Cc]ontainer|[Ss]idecar|[Ss]tep|[Tt]ask[Rr]un|[Pp]ipeline[Rr]un|[Ww]orkflow|[Rr]unner|[Ee]xecutor|[Jj]ob|[Dd]eployment|[Ss]tateful[Ss]et|[Dd]aemon[Ss]et|[Rr]eplica[Ss]et|[Nn]amespace|[Hh]ost|[Nn]ode(?! \S{1,80}\.[cm]?js\b)) (?:name )?(?:\\?[\"'`\[(][\w./:-]{2,200}+[\"'`\\\])]|[a-z0-9]{1,60}+(?:[./-][a-z0-9]{1,60}+){1,20}\b)"
    r"|\\?[\"'][\w./:-]{2,200}+\\?[\"'] (?:has )?(?:exited|terminated|failed) with|\b(?:[Cc]ontainer|[Pp]od|[Ss]idecar|[Ss]tep)s? (?:was |has |have |had |were |is )?(?:exited|terminated|killed|died|stopped|failed|evicted)\b"
    r"|\bexit(?:_c|C| c)ode\\?\"?[:=] ?137\b[^\n]{0,200}?\breason|\breason\\?\"?[:=][^\n]{0,60}?\bexit(?:_c|C| c)ode"
)


def is_echo(line: str) -> bool:
    """Whether a line only repeats a setting."""
    return _ECHO.search(line) is not None


def is_supposed(line: str) -> bool:
    """Whether a line speaks of what may happen, counts none, or quotes what somebody looks for."""
    return _SUPPOSED.search(line) is not None or _QUERY.search(line) is not None


def is_about_another(line: str, pod: str) -> bool:
    """Whether a line names a pod, container or step, and not `pod`, whose log it is (empty: not known)."""
    return _OTHER.search(line) is not None and not (pod and pod in line)


_POD_FIELD = re.compile(
    r"(?:^|[\s{,(]|\\?[\"'])(?:pod|pod_?[nN]ame|k8s[._]pod[._]name)(?:=\\?[\"']?|\\?[\"'] ?: ?\\?[\"'])([a-z0-9]{1,60}(?:-[a-z0-9]{1,60})+)\b"
)


def is_of_other_pod(line: str, pod: str) -> bool:
    """Whether a field of the line names a pod, and not `pod`, whose log it is (empty: not known): a shipper passes on what others wrote."""
    found = _POD_FIELD.search(line)
    return found is not None and bool(pod) and pod not in line
