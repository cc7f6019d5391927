"""Which ceilings a program has: read off its command, its variables, and what its log says at start-up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from receiver.diagnosis.log.ceilings.model import COMMAND, LOG, Count, Row, Setting
from receiver.diagnosis.log.ceilings.table import ROWS, WORKERS
from receiver.diagnosis.log.runtimes import RUNTIMES
from receiver.domain.facts import ContainerFacts, LogFacts

FIRST_LINES = 80  # a program says how it was started when it starts
MAX_LINE = 1000
MAX_CHARS = 4096

# Variables that programs read as options, the strongest first: `_JAVA_OPTIONS` beats the command line, which beats all others; a start
# script's own go onto the command line, and the JVM takes JDK_JAVA_OPTIONS and JAVA_TOOL_OPTIONS before it.
_FIRST = ("_JAVA_OPTIONS",)
_THEN = ("JAVA_OPTS_APPEND", "SBT_OPTS", "GRADLE_OPTS", "MAVEN_OPTS", "LS_JAVA_OPTS", "OPENSEARCH_JAVA_OPTS", "ES_JAVA_OPTS", "KAFKA_HEAP_OPTS", "CATALINA_OPTS",
         "JAVA_OPTIONS", "JVM_OPTS", "JAVA_OPTS")  # fmt: skip
_LAST = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS")
_READ_BY_JAVA = (*_FIRST, COMMAND, *_LAST, LOG)
_HOLDS_OPTIONS = re.compile(
    r"(?:\w*_)?(?:OPTS|OPTIONS|FLAGS|ARGS|PARAMS|JVMFLAGS|JAVAOPTS)(?:_\w+)?|\w*(?:JAVA|JVM)\w*|\w+_HEAP_OPTS|SOLR_JAVA_MEM"
)
_OF_OTHERS = re.compile(r"EXECUTOR|AGENT|DRIVER_|CHILD_")  # options that it hands to what it starts elsewhere
# In which lines a program repeats the options that it was started with.
_REPEATS = re.compile(
    r"\bPicked up (?:_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS)\b|\b[Cc]ommand[ -]line argument:|\bJVM [Aa]rguments?\b|\bJVM Memory Configuration\b"
    r"|^\++ (?:exec )?\S{0,100}\bjava\b|^> .{0,120}\bnode\b"
)
_REFERENCE = re.compile(r"\$(?:\(([A-Za-z_]\w{0,100})\)|\{([A-Za-z_]\w{0,100})\}|([A-Za-z_]\w{0,100}))")
# `GOMEMLIMIT=1GiB ./app` and `export JAVA_OPTS="-Xmx2g"` in a shell string, `env NAME=value`
_ASSIGNED = re.compile(r"""(?:^|(?<=[\s;&|(]))([A-Z_][A-Z0-9_]{1,100})=("[^"]{0,1000}"|'[^']{0,1000}'|[^\s;&|]{0,1000})""")
_QUOTES = str.maketrans("", "", "\"'")  # the shell takes them away
_BUN = re.compile(r"(?:^|[/\s])bunx?(?=\s|$)")


@dataclass(frozen=True, slots=True)
class _Text:
    """Options, and where they stand."""

    source: str
    text: str


def settings_of(container: ContainerFacts | None, log: LogFacts | None, runtime: str) -> tuple[Setting, ...]:
    """The ceilings in force, one a part of the program's memory, those of its main memory first. `runtime`: what runs there, "" for unknown.

    Files in the image (jvm.options, php.ini, redis.conf) are not seen, but what the log tells of them is. What another runtime would read
    is left out. An absolute size beats a share, whatever stands further on.
    """
    command, env = _command_and_variables(container) if container is not None else ("", {})
    lines = tuple(line[:MAX_LINE] for line in (log.lines if log is not None else ())[:FIRST_LINES])
    texts = (*_option_texts(command, env), *(_Text(LOG, line) for line in lines if _REPEATS.search(line)))
    like = next((r.like for r in RUNTIMES if r.name == runtime), "") or runtime
    is_plain_java = command.partition(" ")[0].rsplit("/", 1)[-1] == "java"
    found: dict[tuple[str, str], Setting] = {}
    for row in _rows_for(command):
        setting = _written(row, texts, is_plain_java=is_plain_java) or _in_variable(row, env) or _told(row, lines)
        if setting is not None and (read := _as_read_by(like, setting)) is not None:
            found.setdefault((row.runtime, row.part), _counted(read, texts, env))
    first = next(iter(found), ("", ""))[0]
    own = [s for s in found.values() if s.row.runtime == first]
    return tuple(sorted(own, key=lambda s: (s.row.is_beside, s.row.is_soft)))


def _rows_for(command: str) -> Iterable[Row]:
    """Bun takes Node's options and does nothing with them."""
    return [r for r in ROWS if r.runtime != "node" or r.variable is not None] if _BUN.search(command) else ROWS


def _as_read_by(runtime: str, setting: Setting) -> Setting | None:
    """The setting as this runtime has it; None for one that only another runtime reads. `runtime`: "" for unknown."""
    row = setting.row
    if row.runtime == runtime:
        return setting
    if runtime and setting.source != COMMAND and _is_known(row.runtime):
        return None
    return replace(setting, is_option_known=False) if setting.is_told and row.is_said_by_others else setting


def workers_of(container: ContainerFacts) -> tuple[Count, int, str, str] | None:
    """How many processes of one kind it starts: the manager, how many, and what says so and where; None where it does not say."""
    command, env = _command_and_variables(container)
    texts = _option_texts(command, env)
    for count in WORKERS:
        found = _number_of(count, texts, env)
        if found is not None and found[0] > 1:
            return count, *found
    return None


def _command_and_variables(container: ContainerFacts) -> tuple[str, Mapping[str, str]]:
    """The command as one text, and the variables: those that the command itself sets come after the container's."""
    command = " ".join(container.command)
    assigned = {m[1]: m[2].translate(_QUOTES) for m in _ASSIGNED.finditer(command[:MAX_CHARS])}
    return command.translate(_QUOTES), {**container.env, **assigned}


def _is_known(runtime: str) -> bool:
    """Whether containers of this runtime are recognised: only then is another one known not to be it."""
    return any(r.name == runtime and r.is_detected for r in RUNTIMES)


def _option_texts(command: str, env: Mapping[str, str]) -> tuple[_Text, ...]:
    referred = [name for m in _REFERENCE.finditer(command) if (name := m[1] or m[2] or m[3]) in env]
    named = (
        *_FIRST,
        COMMAND,
        *referred,
        *_THEN,
        *sorted(n for n in env if n not in (*_FIRST, *_THEN, *_LAST) and _holds_options(n)),
        *_LAST,
    )
    texts = [_Text(name, command if name == COMMAND else _of_variable(name, env)) for name in dict.fromkeys(named)]
    return tuple(t for t in (*texts, _Text(COMMAND, _expanded(command, env))) if t.text)


def _of_variable(name: str, env: Mapping[str, str]) -> str:
    """Its options as they would stand in a command."""
    text = _expanded(env.get(name, ""), env).translate(_QUOTES)
    return f"gunicorn {text}" if name == "GUNICORN_CMD_ARGS" and text else text


def _holds_options(name: str) -> bool:
    return _HOLDS_OPTIONS.fullmatch(name) is not None and _OF_OTHERS.search(name) is None


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """With the variables that the text refers to: Kubernetes fills in `$(NAME)`, a shell `$NAME` and `${NAME}`."""
    return _REFERENCE.sub(lambda m: env.get(m[1] or m[2] or m[3], m[0]), text)[:MAX_CHARS]


def _written(row: Row, texts: Iterable[_Text], *, is_plain_java: bool) -> Setting | None:
    """As an option. Of several in one place the last counts. `is_plain_java`: the command is `java`, without a script that reads variables."""
    if row.option is None:
        return None
    for text in texts:
        found = list(row.option.finditer(text.text))
        if found and (setting := _setting(row, found[-1], source=text.source)) is not None:
            setting = replace(setting, needs_script=row.runtime == "jvm" and is_plain_java and text.source not in _READ_BY_JAVA)
            followers = list(row.follower.finditer(text.text)) if row.follower is not None else []
            return replace(setting, follower=followers[-1][0]) if followers else setting
    return None


def _in_variable(row: Row, env: Mapping[str, str]) -> Setting | None:
    """As the whole value of a variable of its own."""
    if row.variable is None or row.value is None:
        return None
    for name, value in env.items():
        match = row.value.fullmatch(value[:100]) if row.variable.fullmatch(name) else None
        if match is not None and (setting := _setting(row, match, source=name)) is not None:
            return setting
    return None


def _told(row: Row, lines: Iterable[str]) -> Setting | None:
    """As the log says at start-up."""
    if row.echo is None:
        return None
    for line in lines:
        match = row.echo.search(line)
        if match is not None and (setting := _setting(row, match, source=LOG)) is not None:
            return replace(setting, is_told=True)
    return None


def _setting(row: Row, match: re.Match[str], *, source: str) -> Setting | None:
    groups = match.groupdict()
    number = next((v for k, v in groups.items() if k.startswith("n") and v), "")
    unit = next((v for k, v in groups.items() if k.startswith("u") and v), "")
    amount = row.read(number, unit)
    if amount is None:
        return None
    is_variable = source not in (COMMAND, LOG) and row.variable is not None and row.variable.fullmatch(source) is not None
    flag = f"{source}={match[0].strip()}" if is_variable else last_option(" ".join(match[0].split()))
    return Setting(row=row, flag=flag, source=source, max_bytes=amount[0], max_ratio=amount[1])


def last_option(written: str) -> str:
    """`-w 8` of `gunicorn app:app -w 8`: what is searched for may begin further ahead, at the program's name."""
    words = written.split()
    at = max((i for i, w in enumerate(words) if w.startswith("-")), default=0)
    return " ".join(words[at:])


def _counted(setting: Setting, texts: tuple[_Text, ...], env: Mapping[str, str]) -> Setting:
    """With the processes or threads that it counts for; as it is where they are not said."""
    found = _number_of(setting.row.per, texts, env) if setting.row.per is not None else None
    if found is None:
        return setting
    return replace(setting, times=max(found[0], 1), times_flag=found[1], times_source=found[2])


def _number_of(count: Count, texts: Iterable[_Text], env: Mapping[str, str]) -> tuple[int, str, str] | None:
    for text in texts:
        found = list(count.option.finditer(text.text))
        if found:
            return int(found[-1]["n"]), last_option(found[-1][0]), text.source
    for name, value in env.items():
        if count.variable is not None and count.variable.fullmatch(name) and re.fullmatch(r"\s*\d{1,6}\s*", value):
            return int(value), f"{name}={value.strip()}", name
    return None
