"""Secrets in what programs say to servers: protocol commands, SQL, and lines of configuration files that have no `name = value`. One row a form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import CREDENTIAL, PASSWORD, PRIVATE_KEY, SECRET, TOKEN
from receiver.evidence.redaction.names import kind_of_name
from receiver.evidence.redaction.rule import Rule, rule
from receiver.evidence.redaction.shapes import is_mixed_value, is_no_word, is_value
from receiver.evidence.redaction.spans import Span
from receiver.evidence.redaction.values import is_no_secret

# A client's line: at the start of a line, or after what logs put before it (`C:`, `>`, `-->`, `<<<`, `cmd=`).
_SAID = r"(?:(?m:^)|(?<=[>:<\"'`=\]\t])|(?<=[>:<\]] )|(?<=\d )|(?<=->  ))"
_END = r"(?=[ \t]{0,4}(?:\\[rn]|\r|[\"'`)]|$))"


def _is_no_test(match: re.Match[str]) -> bool:
    """FTP's `PASS x`, and no test runner's `PASS src/app.test.js`."""
    word = match["secret"]
    return not is_no_secret("", word, is_sentence=True) and not re.search(
        r"[/\\]|::|\.(?:test|spec|js|ts|py|go|rb)\b|^(?:[Tt]est)|^[A-Z]\w+Test\b", word
    )


def _is_after_host(match: re.Match[str]) -> bool:
    """Whether a name or a star alone stands before."""
    return is_value(match) and re.search(r"(?:^|\s)[\w.*-]{1,128}$", match.string[max(0, match.start() - 129) : match.start()]) is not None


def _is_in_netrc(match: re.Match[str]) -> bool:
    """Whether a machine is named before, or the word is no word."""
    return is_mixed_value(match) or ("machine " in match.string[max(0, match.start() - 200) : match.start()] and is_value(match))


PROTOCOLS: tuple[Rule, ...] = (
    # Redis
    rule(PASSWORD, "auth ", rf"{_SAID}(?i:AUTH)[ \t]{{1,4}}(?!(?i:PLAIN|LOGIN|CRAM|DIGEST|XOAUTH|TLS|SSL|GSSAPI)\b)(?:[\w.@-]{{1,64}}[ \t]{{1,4}})?[\"']?(?P<secret>[^\s\"'\\]{{3,256}}+)[\"']?{_END}(?m:$|(?=[\\\"']))", is_mixed_value),
    rule(PASSWORD, "auth", r"(?i)\"AUTH\"[ ,]{1,3}(?:\"[^\"]{1,64}\"[ ,]{1,3})?\"(?P<secret>[^\"\r\n]{1,256})\"", is_value),
    rule(PASSWORD, "auth", r"(?i)\bHELLO [23] AUTH [^\s]{1,64} (?P<secret>[^\s\"'\\]{1,256}+)", is_value),
    rule(PASSWORD, "auth", r"\$4(?:\\r\\n|\r?\n)(?i:AUTH)(?:\\r\\n|\r?\n)(?:\$\d{1,3}(?:\\r\\n|\r?\n)[^\s\\]{1,64}(?:\\r\\n|\r?\n)(?=\$))?\$\d{1,3}(?:\\r\\n|\r?\n)(?P<secret>[^\s\\]{1,256}+)"),
    rule(PASSWORD, "requirepass|masterauth", r"(?i:\b(?:requirepass|masterauth)[ \t]{1,4})[\"']?(?P<secret>[^\s\"']{2,256}+)", is_value),
    rule(PASSWORD, ">", r"(?i:\b(?:user|setuser) )\S{1,64} (?:on|off|reset)?(?: \S{1,30}){0,3}? ?>(?P<secret>[^\s\"']{2,256}+)", is_value),
    # FTP, POP3, IMAP, SMTP, IRC
    rule(PASSWORD, "pass ", rf"{_SAID}PASS[ \t]{{1,4}}:?(?P<secret>[^\s\"'\\]{{3,256}}+)(?=[ \t]{{0,4}}(?:\\[rn]|\r|[\"'`)]|(?m:$)))", _is_no_test),
    rule(PASSWORD, "login ", rf"(?:{_SAID}|(?<=IMAP )|(?<=\. ))(?:[A-Za-z]{{0,4}}\d{{0,6}} )?LOGIN[ \t]\"?[^\s\"]{{1,128}}\"?[ \t]\"?(?P<secret>[^\s\"\\]{{3,256}}+)\"?[ \t]{{0,4}}(?m:$|(?=\\[rn]))", is_mixed_value),
    rule(PASSWORD, "login ", rf"(?:{_SAID}|(?<=IMAP )|(?<=\. ))(?:[A-Za-z]{{0,4}}\d{{0,6}} )?LOGIN[ \t]\"?[^\s\"]{{1,128}}\"?[ \t]\"(?P<secret>[^\"\\\r\n]{{3,256}}+)\"[ \t]{{0,4}}(?m:$|(?=\\[rn]))", is_value),
    rule(CREDENTIAL, "plain ", r"(?i:\b(?:AUTH|AUTHENTICATE) PLAIN[ \t]{1,4})(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})"),
    rule(CREDENTIAL, "auth", r"(?i:\b(?:AUTH|AUTHENTICATE) (?:LOGIN|XOAUTH2|CRAM-MD5|OAUTHBEARER|NTLM)[ \t]{1,4})(?P<secret>[A-Za-z0-9+/]{4,}+={0,2})"),
    rule(PASSWORD, "334 ", r"334 UGFzc3dvcmQ6?=?\r?\n(?:[CS<>]{1,3}[: ]{1,2})?(?P<secret>[A-Za-z0-9+/]{4,}+={0,2})"),
    rule(CREDENTIAL, "\\0|\0", r"(?:\\0|\0)[\w.@-]{1,64}(?:\\0|\0)(?P<secret>[^\s\\\0\"']{3,256}+)"),
    rule(PASSWORD, "identify ", r"(?i:\bIDENTIFY[ \t]{1,4})(?:[\w-]{1,40} (?=\S))?(?P<secret>[^\s\"'\\]{3,256}+)", is_mixed_value),
    rule(PASSWORD, "authenticate", rf"{_SAID}(?i:AUTHENTICATE)[ \t]{{1,4}}\"?(?P<secret>[^\s\"]{{3,256}}+)\"?(?m:$)", is_mixed_value),
    rule(PASSWORD, "ftp", r"(?i:\bftp> ?user )\S{1,64} (?P<secret>\S{3,256}+)"),
    rule(PASSWORD, "oper ", rf"{_SAID}OPER[ \t]\S{{1,64}}[ \t](?P<secret>\S{{3,256}}+)", is_mixed_value),
    # LDAP, ZooKeeper, SNMP, JMX
    rule(PASSWORD, "bind", r"(?i:\bbind\b[^\n]{0,100}?(?:simple|credentials?|password)[ \t]{0,4}[=: ][ \t]{0,4})[\"']?(?P<secret>[^\s\"',)]{3,256}+)", is_mixed_value),
    rule(PASSWORD, "simple", r"(?i:\b(?:bindrequest|authentication\w{0,10})\b[^\n]{0,100}?\bsimple[ =:()0]{1,8})[\"']?(?P<secret>[^\s\"',)}]{3,256}+)", is_mixed_value),
    rule(PASSWORD, "bindpw|rootpw", r"(?i:\b(?:bindpw|rootpw|olcRootPW:?)[ \t]{1,8})(?P<secret>\S{3,256}+)", is_value),
    rule(PASSWORD, "bind", r"(?i:\bbind(?: as| dn[=:]?)? \"?(?:cn|uid|dc|ou)=)[^\s\"]{1,200}\"? (?:with |using |pw |password )?(?P<secret>[^\s\"',)]{3,256}+)", is_mixed_value),
    rule(PASSWORD, "addauth ", r"(?i:\baddauth digest )[^\s:]{1,64}:(?P<secret>\S{1,256}+)"),
    rule(PASSWORD, "community ", r"(?i:\bsnmp(?:-server)? community )(?P<secret>\S{3,64}+)", is_mixed_value),
    # Database clients
    rule(PASSWORD, "conn", r"(?i:\bCONN(?:ECT)? )[\w.$]{1,64}/(?P<secret>[^\s@/\"']{2,128}+)@", is_value),
    rule(PASSWORD, ".auth(", r"\bdb\.auth\([ \t]{0,4}[\"'][^\"'\n]{1,64}[\"'][ \t]{0,4},[ \t]{0,4}[\"'](?P<secret>[^\"'\n]{1,256})"),
)  # fmt: skip
SQL: tuple[Rule, ...] = (
    rule(PASSWORD, "identified ", r"(?i:\bIDENTIFIED[ \t]{1,4}(?:WITH[ \t]{1,4}[\w'\"]{1,40}[ \t]{1,4})?(?:BY|AS)[ \t]{1,4}(?:PASSWORD[ \t]{1,4})?)(?P<q>[\"'`])(?P<secret>[^\"'`\r\n]{1,256}+)(?P=q)", is_value),
    rule(PASSWORD, "identified ", r"(?i:\bIDENTIFIED[ \t]{1,4}BY[ \t]{1,4}(?:VALUES )?)(?P<secret>[^\s\"'`;,()]{2,256}+)", is_value),
    rule(PASSWORD, "password", r"(?i:\bSET[ \t]{1,4}PASSWORD[ \t]{1,4}FOR[ \t]{1,4})[^\n=]{1,100}=[ \t]{0,4}'(?P<secret>[^'\r\n]{1,256}+)'", is_value),
    rule(PASSWORD, "sp_addlogin|sp_password", r"(?i:\bsp_(?:addlogin|password)[ \t]{1,4})N?'[^'\n]{0,128}'[ \t]{0,4},[ \t]{0,4}N?'(?P<secret>[^'\r\n]{1,256}+)'", is_value),
    rule(PASSWORD, "replace ", r"(?i:\bREPLACE[ \t]{1,4})\"(?P<secret>[^\"\r\n]{1,128}+)\"[ \t]{0,4};?(?m:$)", is_value),
    rule(PASSWORD, "password", r"(?i:\bPASSWORD[ \t]{0,4}[=(]?[ \t]{0,4}\(?[ \t]{0,4}N?)'(?P<secret>[^'\r\n]{1,256}+)'", is_value),
    rule(PASSWORD, "password", r"(?i:\bWITH[ \t]{1,4}(?:LOGIN[ \t]{1,4})?(?:ENCRYPTED[ \t]{1,4})?PASSWORD[ \t]{0,4}=?[ \t]{0,4}N?)[\"'](?P<secret>[^\"'\r\n]{1,256}+)[\"']", is_value),
)  # fmt: skip
FILES: tuple[Rule, ...] = (
    rule(PASSWORD, "login ", r"(?<![\w.-])login\s{1,20}[^\s]{1,128}\s{1,20}(?:account \S{1,64}\s{1,20})?password\s{1,20}(?P<secret>\S{1,256}+)", _is_in_netrc),  # .netrc
    rule(PASSWORD, ":", r":(?:\d{4,5}|\*):[\w.*-]{1,64}:[\w.*@-]{1,64}:(?P<secret>[^\s:]{3,256}+)(?m:$|(?=\s))", _is_after_host),  # .pgpass
    rule(PASSWORD, "{s|{c", r"\{(?:S?SHA(?:256|512)?|SMD5|CRYPT|MD5|CLEAR|PBKDF2[\w-]{0,20})\}(?P<secret>[A-Za-z0-9+/$.]{8,}+={0,2})"),  # LDAP, htpasswd
    rule(PASSWORD, "md5|scram", r"\"[\w.@-]{1,64}\"[ \t]{1,8}\"(?P<secret>(?:md5[0-9A-Za-z]{32}|SCRAM-SHA-256\$[^\"\n]{20,300}))\""),  # pgbouncer's userlist
    rule(PASSWORD, "$", r"\$(?:2[abxy]|1|5|6|7|y|apr1|argon2(?:id|i|d))\$[A-Za-z0-9./+=,$]{20,}+"),  # hashes of passwords
    rule(PASSWORD, "pbkdf2|scrypt|bcrypt", r"\b(?:pbkdf2_sha\d{1,3}|pbkdf2:sha\d{1,3}|scrypt|bcrypt_sha256)[$:]\d{1,9}[$:][A-Za-z0-9./+=,$:-]{16,}+"),
    rule(PASSWORD, "http-basic", r"\"http-basic\"[^\n]{0,200}?\"password\"[ \t]{0,4}:[ \t]{0,4}\"(?P<secret>[^\"\n]{1,256})\""),
    rule(PASSWORD, "http-basic", r"\bhttp-basic[. ]\S{1,128} [^\s\"':]{1,64} (?P<secret>[^\s\"']{3,256}+)", is_value),  # composer and poetry config
    rule(TOKEN, "-oauth|-token", r"\"(?:github-oauth|gitlab-token|gitlab-oauth|bitbucket-oauth|bearer)\"\s{0,20}:\s{0,20}\{\s{0,40}\"[\w.-]{1,128}\"\s{0,20}:\s{0,20}\"(?P<secret>[^\"\n]{8,256})\""),  # Composer
    rule(PRIVATE_KEY, "kty", r"\"(?:d|k|p|q|dp|dq|qi)\"[ \t]{0,4}:[ \t]{0,4}\"(?P<secret>[A-Za-z0-9_-]{20,}+)\""),  # JSON web keys
    rule(PASSWORD, "password", r"(?i:::[ \t]{1,4})(?<=assword:: )(?P<secret>[A-Za-z0-9+/]{4,}+={0,2})"),  # LDIF
    rule(PASSWORD, "securestring", r"(?i:\bSecureString[ \t]{1,4}(?:-String[ \t]{1,4})?)[\"'](?P<secret>[^\"'\r\n]{1,256}+)[\"']", is_value),  # PowerShell
    rule(SECRET, "mnemonic|seed|phrase|wallet", r"(?i:\b(?:mnemonic|seed|phrase|wallet))\b[^\n]{0,30}?[\s=:\"'](?P<secret>(?:[a-z]{3,8} ){11,23}[a-z]{3,8})\b"),
    rule(PASSWORD, "args", r"(?i:\b(?:login|log_in|sign_?in|auth\w{0,12}|connect)\b[^\n]{0,80}?\bargs?[=:] ?[\[(])[^\n\])]{0,100}?, ?[\"']?(?P<secret>[^\s,\"'\])]{4,128})[\"']?[\])]", is_mixed_value),
    # user:password beside a word that says so
    rule(
        PASSWORD, "auth|cred|login|logg|pass|connect|denied",
        r"(?i:\b(?:auth(?:\.user\.info)?|credentials?|creds|login|logg(?:ed|ing) in as|user(?:name)?[:/]pass(?:word)?|npmAuthIdent|invalid credentials \(|connect(?:ed|ing)? with \(|denied(?: for)?)[\"']?[ \t]{0,2}[:= (]?[ \t]{0,2}[\"']?)(?<=[:= (\"'])"
        r"(?:[\w.@-]{1,64} ?[:/] ?|[\w.@-]{1,64}[\"']?[:,] ?[\"'](?=[^\"'\n]{1,128}[\"'])|(?<=with \()[\w.@-]{1,64}, )(?P<secret>[^\s\"'/,;)]{4,256}+)", is_mixed_value,
    ),
    # Sentences: password 'x', password is x1, token is ...
    rule(PASSWORD, "pass", r"(?i:\bpass(?:word|wd|phrase)[ \t]{1,4}(?:(?:is|was|of|to) )?)[\"'`](?P<secret>[^\s\"'`]{3,256}+)[\"'`]", is_value),
    rule(PASSWORD, "pass", r"(?i:\bpass(?:word|wd|phrase) (?:is|was|set to):? {1,2})(?P<secret>[^\s\"'`]{4,256}+)", is_no_word),
    rule(SECRET, "token |secret |key ", r"(?i:\b(?:token|secret|key) (?:is|was):? {1,2})(?P<secret>[A-Za-z0-9._~+/=-]{12,}+)", is_no_word),
)  # fmt: skip


def find_inserts(hay: Haystack) -> Iterator[Span]:
    """`INSERT INTO users (name, password) VALUES ('bob', 'x')`, and the parameters that a driver prints beside it."""
    text = hay.text
    if not hay.has_any(("insert", "replace")):
        return
    for match in _INSERT.finditer(text):
        columns = [c.strip(" \"'`[]\n") for c in match["columns"].split(",")]
        places = {i: kind for i, c in enumerate(columns) if (kind := kind_of_name(c))}
        if not places:
            continue
        position = match.end()
        yield from _tuple(text, position, places)
        around = text[max(0, match.start() - 400) : position + 1000]
        for listed in _PARAMETERS.finditer(around):
            yield from _tuple(text, max(0, match.start() - 400) + listed.end(), places)


def _tuple(text: str, start: int, places: dict[int, str]) -> Iterator[Span]:
    for i, item in enumerate(_ITEM.finditer(text, start, start + 4000)):
        if item["value"] and i in places and not is_no_secret("", item["value"]):
            yield Span(*item.span("value"), places[i])
        if item["end"] in {")", "]", ""} or i > 60:
            return


_INSERT = re.compile(
    r"(?i:\b(?:INSERT|REPLACE)[ \t]{1,4}INTO[ \t]{1,4})[^\s(]{1,128}\s{0,20}\((?P<columns>[^()]{1,1000})\)\s{0,20}(?i:VALUES)\s{0,20}\("
)
_PARAMETERS = re.compile(r"(?i:\bparam(?:eter)?s['\"]?)[:=]? {0,2}[\[(]")
_ITEM = re.compile(r"\s{0,20}[NEbu]?(?:'(?P<value>(?:[^'\n]|'')*)'|\"[^\"\n]*\"|[^,()\]'\"\n]*)\s{0,20}(?P<end>[,)\]]|)")
