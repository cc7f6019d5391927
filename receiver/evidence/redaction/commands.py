"""Secrets on command lines: the flags and arguments that hold one, tool by tool.

Flags that say it themselves (`--password x`, `--token=x`) are found by their names; here is what only the tool's name makes a secret: `-p`, `-u user:x`,
a third argument. To add a tool: a row in TOOLS, a form in tests/checks/secret_forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import PASSWORD
from receiver.evidence.redaction.spans import BLANK, Span
from receiver.evidence.redaction.values import is_mixed, is_no_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """`names`: of the program, one of which stands on the line. What is a secret on its command line:

    `flags`: the argument of these flags, attached or next. `after`: of the argument of these flags, what follows this sign (`-u user:x`).
    `nth`: after this word of the command (empty: the program itself), the n-th argument that is no flag, from 0.
    `prefixes`: what follows these in any argument (`pass:x`). `pairs`: each argument `name=x` after this word or flag is a secret.
    """

    names: str
    flags: str = ""
    after: tuple[str, str] = ("", "")
    nth: tuple[tuple[str, int], ...] = ()
    prefixes: str = ""
    pairs: str = ""


TOOLS: tuple[Tool, ...] = (
    # databases and queues
    Tool(
        names="mysql mysqldump mysqlimport mysqlcheck mysqlshow mysqlslap mysqlbinlog mysqlpump mysqlsh mariadb mariadb-dump xtrabackup mydumper",
        flags="-p",
    ),
    Tool(names="mysqladmin mariadb-admin", flags="-p", nth=(("password", 0),)),
    Tool(names="mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop", flags="-p"),
    Tool(names="redis-cli valkey-cli redis-benchmark keydb-cli", flags="-a --pass"),
    Tool(names="sqlcmd bcp isql tsql osql", flags="-P"),
    Tool(names="sqlplus expdp impdp exp imp rman sqlldr tnsping", after=("", "/")),
    Tool(names="cqlsh nodetool dsetool", flags="-p -pw"),
    Tool(names="influx clickhouse-client clickhouse", flags="-password -token -t"),
    Tool(names="rabbitmqctl", nth=(("add_user", 1), ("change_password", 1), ("authenticate_user", 1))),
    Tool(names="rabbitmqadmin", flags="-p"),
    Tool(names="ctr", after=("--user -u", ":")),
    Tool(names="snowsql plink pscp psftp", flags="-p -pw"),
    Tool(names="etcdctl", after=("--user -u", ":")),
    Tool(names="mosquitto_pub mosquitto_sub mosquitto_rr", flags="-P --pw"),
    Tool(names="mosquitto_passwd", nth=(("", 2),)),
    Tool(names="kcat kafkacat", prefixes="sasl.password= digest:"),
    # web
    Tool(names="curl", flags="--oauth2-bearer --pass --proxy-pass --tlspassword -b --cookie", after=("-u --user -U --proxy-user", ":")),
    Tool(names="wget", flags="--password --http-password --ftp-password --proxy-password"),
    Tool(names="http https xh", flags="-A", after=("-a --auth", ":")),
    Tool(names="ab siege hey wrk", after=("-A -P -a", ":")),
    Tool(names="htpasswd", nth=(("", -1),)),
    # files and remote shells
    Tool(names="sshpass", flags="-p"),
    Tool(names="ssh-keygen", flags="-N -P"),
    Tool(names="smbclient smbget rpcclient winexe smbmap net-ads", after=("-U --user", "%")),
    Tool(names="crackmapexec netexec nxc evil-winrm psexec psexec64", flags="-p"),
    Tool(names="lftp", after=("-u", ",")),
    Tool(names="ncftpput ncftpget ncftpls", flags="-p"),
    Tool(names="xfreerdp wfreerdp", prefixes="/p:"),
    Tool(names="rdesktop", flags="-p"),
    Tool(names="unzip zip zipcloak", flags="-P"),
    Tool(names="7z 7za 7zr rar unrar", flags="-p -hp"),
    Tool(names="mount mount.cifs mount.davfs s3fs", prefixes="password= pass="),
    # keys
    Tool(names="openssl", flags="-k -K -passwd -password", prefixes="pass:", nth=(("passwd", 0),)),
    Tool(names="gpg gpg2", flags="--passphrase"),
    Tool(names="keytool jarsigner", flags="-storepass -keypass -srcstorepass -deststorepass -srckeypass -destkeypass -new"),
    Tool(names="cryptsetup luksmeta mkpasswd", flags="-k"),
    # directories and hosts
    Tool(names="ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare ldapmodrdn dsconf dsidm", flags="-w"),
    Tool(names="ldappasswd", flags="-w -s -a"),
    Tool(names="snmpwalk snmpget snmpset snmpbulkwalk snmptrap snmpstatus snmptable", flags="-c -A -X"),
    Tool(names="ipmitool ipmipower", flags="-P -K"),
    Tool(names="net", nth=(("use", 2), ("user", 1))),
    Tool(names="samba-tool", flags="--newpassword --adminpass"),
    Tool(names="useradd usermod", flags="-p"),
    # registries, packages
    Tool(names="docker podman nerdctl buildah oras crane regctl helm", flags="-p --docker-password", after=("--creds", ":")),
    Tool(names="skopeo", flags="-p", after=("--creds --src-creds --dest-creds", ":")),
    Tool(names="twine poetry flit", flags="-p"),
    Tool(names="pip pip3 npm yarn pnpm", prefixes="_authToken= _auth= _password="),
    Tool(names="svn hg cvs", flags="--password"),
    # platforms
    Tool(names="vault bao", nth=(("login", 0), ("unwrap", 0), ("unseal", 0)), pairs="kv write", prefixes="-id="),
    Tool(names="kubectl oc", pairs="--from-literal", flags="-p"),
    Tool(names="az", flags="-p --account-key --sas-token --connection-string"),
    Tool(names="aws", nth=(("aws_secret_access_key", 0), ("aws_session_token", 0))),
    Tool(names="mc", nth=(("set", 3), ("add", 3))),
    Tool(names="cf", flags="-p", nth=(("auth", 1),)),
    Tool(names="heroku flyctl fly", flags="-t", pairs="config:set secrets"),
    Tool(names="gh glab", flags="-b --body --token -t"),
    Tool(names="doctl vercel netlify wrangler snyk linode-cli hcloud", flags="-t --access-token --auth-token", nth=(("auth", 0),)),
    Tool(names="argocd tctl tsh consul nomad", flags="-token"),
    Tool(names="sonar-scanner mvn gradle java", prefixes="-Dsonar.login= -Dsonar.token="),
    Tool(names="jenkins-cli.jar", after=("-auth", ":")),
)

_DOCKER = frozenset(
    [
        "docker",
        "podman",
        "nerdctl",
        "buildah",
        "oras",
        "crane",
        "regctl",
        "helm",
        "kubectl",
        "oc",
        "skopeo",
        "twine",
        "poetry",
    ]
)  # -p is a port or a path unless one logs in
_BY_NAME: dict[str, Tool] = {name: tool for tool in TOOLS for name in tool.names.split()}
_WORDS = re.compile(r"[\w.-]+")
_IS_INSIDE = re.compile(r"[\w.-]")
_WORD = re.compile(
    rf"[ \t,\[\]]{{0,16}}(?:\\?\"(?P<double>[^\"\r\n{BLANK}]{{0,1000}})\"|\\?'(?P<single>[^'\r\n{BLANK}]{{0,1000}})'"
    rf"|(?P<bare>(?:[^\s\"'|;&<>,\[\]{BLANK}]|[,\[\]<>&](?=[^\s\"'|;&])|[\"'](?=[^\s\"'|;&]))+)['\"]?)"
)
_PIPED = re.compile(
    r"\b(?:echo|printf|yes)[ \t]{1,4}(?:-[ne]{1,2} |[\"']%s(?:\\n)?[\"'] )?[\"']?(?P<secret>[^\s\"'|]{3,256}+)[\"']?[ \t]{0,4}\|[ \t]{0,4}(?=[^\n|]{0,200}(?:--password-stdin|--with-token|chpasswd|sudo -S|passwd|kinit|base64))"
)
_HERE = re.compile(
    r"(?:--password-stdin|--with-token|\b(?:sudo -S|kinit|chpasswd|passwd)\b[^\n<]{0,100})[ \t]{0,4}<<<[ \t]{0,4}[\"']?(?P<secret>[^\s\"']{3,256})"
)
_MAX_WORDS = 80


def find_commands(hay: Haystack) -> Iterator[Span]:
    """Secret arguments of the known tools."""
    yield from _piped(hay.text)
    text = hay.text
    present = sorted(_BY_NAME.keys() & set(_WORDS.findall(hay.words)))  # a name's case is not looked at here
    if not present:
        return
    tool = re.compile(rf"(?:{'|'.join(map(re.escape, present))})(?=,?[ \t]|\\?[\"'],?[ \t\"'])")
    position = 0
    while found := tool.search(text, position):
        if _IS_INSIDE.search(text, max(0, found.start() - 1), found.start()):
            position = found.end()
            continue
        words, position = _words(text, found.end())
        yield from _of_tool(found[0], words)


def _piped(text: str) -> Iterator[Span]:
    for regex, hints in ((_PIPED, ("echo", "printf", "yes ")), (_HERE, ("<<<",))):
        if any(hint in text for hint in hints):
            for match in regex.finditer(text):
                start, end = match.span("secret")
                user, colon, _ = match["secret"].partition(":")  # chpasswd takes user:password
                start += len(user) + 1 if colon and "chpasswd" in text[match.start() : end + 220] else 0
                value = text[start:end]
                if is_mixed(value) or ("base64" not in text[end : end + 20] and not is_no_secret("", value)):
                    yield Span(start, end, PASSWORD)


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    text: str


def _words(text: str, start: int) -> tuple[list[_Word], int]:
    """The words of a command from here to its end (a line's end, a pipe, a semicolon), and where that is."""
    words: list[_Word] = []
    if text[start : start + 1] in {'"', "'"}:
        start += 1
    while len(words) < _MAX_WORDS and (match := _WORD.match(text, start)):
        group = match.lastgroup or "bare"
        words.append(_Word(match.start(group), match[group]))
        start = match.end()
        while (
            text[start : start + 1] == "\\" and text[start + 1 : start + 3].strip() == "" and start + 1 < len(text)
        ):  # a line that goes on
            start = min(len(text), start + 2)
    return words, start


def _of_tool(name: str, words: list[_Word]) -> Iterator[Span]:
    tool = _BY_NAME[name]
    is_login = name not in _DOCKER or any(w.text in {"login", "upload", "publish"} for w in words[:4])
    bare: list[_Word] = []  # words that are no flags, and no flag's argument
    marks = {"": 0}
    is_paired = False
    i = 0
    while i < len(words):
        word = words[i]
        following = words[i + 1] if i + 1 < len(words) else None
        other = _BY_NAME.get(word.text)
        if other is not None and word.text != "net" and i > 0 and following is not None:  # `kubectl exec db -- mysql -px`
            yield from _of_tool(word.text, words[i + 1 :])
            return
        is_flag = word.text.startswith("-") and len(word.text) > 1
        is_paired = is_paired or (bool(tool.pairs) and word.text.partition("=")[0] in tool.pairs.split())
        secret, used = _argument(tool, word, following, is_login=is_login)
        if secret is not None:
            yield from _span(secret)
        if prefix := next((p for p in tool.prefixes.split() if word.text.startswith(p)), ""):
            yield from _span(_Word(word.start + len(prefix), word.text[len(prefix) :]))
        elif (is_paired and not is_flag) or word.text.startswith("--from-literal="):
            yield from _paired(word, tool)
        if not is_flag:
            bare.append(word)
            marks.setdefault(word.text, len(bare))
        i += 1 + used
    for mark, n in tool.nth:
        if mark in marks and not (mark == "" and n == -1 and not any("b" in w.text for w in words if w.text.startswith("-"))):
            arguments = bare[marks[mark] :]
            if -len(arguments) <= n < len(arguments):
                yield from _span(arguments[n])


def _argument(tool: Tool, word: _Word, following: _Word | None, *, is_login: bool) -> tuple[_Word | None, int]:
    """The secret that a flag brings, and how many further words belong to it."""
    text = word.text
    flags, sign = tool.after
    if not flags and sign and "/" in text and not text.startswith(("/", "-", "@")):  # sqlplus user/x@db
        user, _, rest = text.partition("/")
        return _Word(word.start + len(user) + 1, rest.partition("@")[0]), 0
    for flag in tool.flags.split():
        if not is_login and flag in {"-p", "-P"}:
            continue
        if text == flag and following is not None and not following.text.startswith("-"):
            return following, 1
        is_short = len(flag) == 2 or flag == "-hp"
        rest = text[len(flag) :] if text.startswith(flag) else ""
        if rest and (rest[0] == "=" or is_short):
            cut = 1 if rest[0] == "=" else 0
            return _Word(word.start + len(flag) + cut, rest[cut:]), 0
    for flag in flags.split():
        cluster = len(flag) == 2 and text.startswith("-") and not text.startswith("--") and text.endswith(flag[1]) and text[1:].isalpha()
        if (text == flag or cluster) and following is not None:
            user, found, rest = following.text.partition(sign)
            return (_Word(following.start + len(user) + 1, rest), 1) if found and not rest.startswith("//") else (None, 1)
        if text.startswith(flag if len(flag) == 2 else f"{flag}=") and sign in text:
            user, _, rest = text.partition(sign)
            return _Word(word.start + len(user) + 1, rest), 0
    return None, 0


def _paired(word: _Word, tool: Tool) -> Iterator[Span]:
    text = word.text.removeprefix("--from-literal=")
    _, is_pair, value = text.partition("=")
    if is_pair and value and not value.startswith("@"):
        yield from _span(_Word(word.start + len(word.text) - len(value), value))


def _span(word: _Word) -> Iterator[Span]:
    text = word.text.strip("\"'")
    start = word.start + (len(word.text) - len(word.text.lstrip("\"'")))
    if text and not is_no_secret("", text):
        yield Span(start, start + len(text), PASSWORD)
