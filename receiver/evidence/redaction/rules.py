"""Secrets that have a shape of their own: tokens with a prefix, headers, URLs, arguments of well-known commands.

Linear on any text: every repeat is possessive (`*+`) or bounded, and a token may start only where its run of
characters starts. The order matters: headers come before what may stand in them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from receiver.evidence.redaction.names import API_KEY, AWS_KEY, COOKIE, PASSWORD, PRIVATE_KEY, SECRET, TOKEN, is_no_secret
from receiver.evidence.redaction.vendors import (
    AI_KEY,
    AZURE_KEY,
    GITHUB_TOKEN,
    GITLAB_TOKEN,
    GOOGLE_KEY,
    JWT,
    NPM_TOKEN,
    PYPI_TOKEN,
    SLACK_TOKEN,
    STRIPE_KEY,
    VENDOR_SHAPES,
)

CREDENTIAL = "credential"
URL_PASSWORD = "URL password"  # noqa: S105
EMAIL = "e-mail"
CARD = "card number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One shape. Group `secret` (else the whole match) is replaced. `hints`: lower case; without one of them the text is not searched."""

    kind: str
    hints: tuple[str, ...]
    regex: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool] | None = None


def _is_user_and_password(match: re.Match[str]) -> bool:
    """Whether the word is base64 of `user:password`, and not the word "authentication"."""
    word = match["secret"].rstrip("=")
    try:
        return b":" in base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _is_no_word(match: re.Match[str]) -> bool:
    """Whether it is no word of a sentence."""
    word = match["secret"]
    return (any(c.isdigit() for c in word) or len(word) >= 32) and not is_no_secret("", word, is_sentence=True)


def _is_credential(match: re.Match[str]) -> bool:
    """Whether what follows a scheme (`Authorization: Basic ...`) is a credential, and no word of a sentence."""
    word = match["secret"]
    return (len(word) >= 20 or any(c.isdigit() or c.isupper() or c in "=+/_" for c in word)) and not is_no_secret(
        "", word, is_sentence=True
    )


def _is_value(match: re.Match[str]) -> bool:
    return not is_no_secret("", match["secret"])


_PORT = re.compile(r"\d{1,5}(?:[/?#]|$)")


def _is_url_password(match: re.Match[str]) -> bool:
    """Not a port with an `@` somewhere behind it (`http://host:8080/@scope`), not `***`."""
    return not _PORT.match(match["secret"]) and not is_no_secret("", match["secret"])


def _argument_of(*commands: str) -> Callable[[re.Match[str]], bool]:
    """Whether one of these commands stands shortly before, on the same line."""

    def accepts(match: re.Match[str]) -> bool:
        before = match.string[max(0, match.start() - 300) : match.start()].rpartition("\n")[2]
        return any(command in before for command in commands) and _is_value(match)

    return accepts


def _passes_luhn(match: re.Match[str]) -> bool:
    """Whether the digits are a card number by its check digit, length and issuer."""
    digits = [int(c) for c in match[0] if c.isdigit()]
    if not _ISSUER.fullmatch("".join(map(str, digits))):
        return False
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return total % 10 == 0


_ISSUER = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}"
)

_QUOTE = r"(?:\\{0,3}[\"'])?"  # also escaped, as JSON in JSON has it
_IS = rf"{_QUOTE}\]?[ \t]{{0,4}}(?:=>|[:=])[ \t]{{0,4}}{_QUOTE}"


RULES: tuple[Rule, ...] = (
    # Headers
    Rule(
        kind=CREDENTIAL, hints=("authorization",),
        regex=re.compile(rf"(?i:authorization{_IS}(?:Digest|Hawk|OAuth|Signature|AWS4-HMAC-SHA256)[ \t]{{1,4}})(?P<secret>(?!\[redacted)[^\r\n]{{4,}}+)"),
    ),
    Rule(
        kind=CREDENTIAL, hints=("authorization",),
        regex=re.compile(rf"(?i:authorization{_IS}[A-Za-z][A-Za-z0-9-]{{1,30}}+[ \t]{{1,4}})(?P<secret>(?!\[redacted)[^\s\"'\\]{{2,}}+)"),
        accepts=_is_credential,
    ),
    Rule(
        kind=CREDENTIAL, hints=("authorization",),
        regex=re.compile(rf"(?i:authorization{_IS})(?P<secret>[A-Za-z0-9._~+/=:-]{{8,}}+)"), accepts=_is_no_word,
    ),
    Rule(
        kind=COOKIE, hints=("cookie",),
        regex=re.compile(
            rf"(?i:cookie2?{_IS})(?P<secret>[^\s;,\"'=\[\]]{{1,128}}=[^\s;\"']*+(?:;[ \t]{{0,4}}[^\s;\"'=]{{1,128}}+(?:=[^;\"'\r\n]*+)?)*+)"
        ),
    ),
    Rule(kind=CREDENTIAL, hints=("bearer ",), regex=re.compile(r"(?i:\bBearer[ ]{1,4})(?P<secret>[A-Za-z0-9._~+/-]{12,}+=*+)"), accepts=_is_no_word),
    Rule(kind=CREDENTIAL, hints=("basic ",), regex=re.compile(r"(?i:\bBasic[ ]{1,4})(?P<secret>[A-Za-z0-9+/]{6,}+={0,2})"), accepts=_is_user_and_password),
    Rule(kind=PASSWORD, hints=("auth",), regex=re.compile(rf"\bauth{_IS}(?P<secret>[A-Za-z0-9+/]{{8,}}+={{0,2}})"), accepts=_is_user_and_password),
    *(Rule(kind=kind, hints=hints, regex=regex) for kind, hints, regex in VENDOR_SHAPES),
    # Signatures and keys in URLs and connection strings
    Rule(kind=AZURE_KEY, hints=("sig=",), regex=re.compile(r"(?<=[?&;])sig=(?P<secret>[A-Za-z0-9%+/_-]{16,}+=*+)")),
    Rule(kind=AZURE_KEY, hints=("key=",), regex=re.compile(r"(?i:\b(?:Account|SharedAccess)Key=)(?P<secret>[A-Za-z0-9+/_-]{16,}+=*+)")),
    Rule(kind=AWS_KEY, hints=("signature=",), regex=re.compile(r"(?<=[?&])X-(?:Amz|Goog)-Signature=(?P<secret>[0-9a-fA-F]{32,}+)")),
    # URLs and addresses with a password
    Rule(
        kind=URL_PASSWORD, hints=("@",),
        regex=re.compile(r"://[^\s/?#:@\"'<>\\]{0,128}+:(?P<secret>[^\s/\"'<>]{1,256}(?=@[\w\[*{$])|[^\s\"'<>@]{1,256}+(?=@[\w\[*{$]))@"),
        accepts=_is_url_password,
    ),
    Rule(kind=URL_PASSWORD, hints=("@",), regex=re.compile(r"://(?P<secret>[A-Za-z0-9_-]{20,256}+)@"), accepts=_is_no_word),
    Rule(kind=URL_PASSWORD, hints=("@tcp(", "@unix("), regex=re.compile(r"(?<![\w.-])[\w.-]{1,64}+:(?P<secret>[^\s@\"']{1,128}+)@(?:tcp|unix)\("), accepts=_is_value),
    Rule(kind=URL_PASSWORD, hints=("jdbc:oracle:",), regex=re.compile(r"jdbc:oracle:\w{1,10}:[^\s/@\"']{1,64}+/(?P<secret>[^\s@\"']{1,128}+)@"), accepts=_is_value),
    # Commands and statements
    Rule(
        kind=PASSWORD, hints=("curl", "wget"),
        regex=re.compile(r"(?<=\s)(?:-u|--user|--proxy-user)[= ]{0,2}[\"']?[^\s:\"']{1,64}+:(?P<secret>[^\s\"']{1,256}+)"), accepts=_argument_of("curl", "wget"),
    ),
    Rule(kind=PASSWORD, hints=("mysql", "mariadb"), regex=re.compile(r"(?<=\s)-p(?P<secret>[^\s\"'-][^\s\"']{0,128}+)"), accepts=_argument_of("mysql", "mariadb")),
    Rule(kind=PASSWORD, hints=("redis-cli", "sshpass", "login"), regex=re.compile(r"(?<=\s)-[ap][ \t]{0,4}[\"']?(?P<secret>[^\s\"'-][^\s\"']{0,128}+)"), accepts=_argument_of("redis-cli", "sshpass", "docker login", "podman login", "oras login", "az login")),
    Rule(kind=PASSWORD, hints=("requirepass", "masterauth"), regex=re.compile(r"\b(?:requirepass|masterauth)[ \t]{1,4}[\"']?(?P<secret>[^\s\"']{2,256}+)"), accepts=_is_value),
    Rule(kind=PASSWORD, hints=("identified ",), regex=re.compile(r"(?i:\bIDENTIFIED (?:WITH [\w']{1,40} )?(?:BY|AS)[ \t]{1,4})'(?P<secret>[^'\r\n]{1,256}+)'"), accepts=_is_value),
    Rule(kind=PASSWORD, hints=("$",), regex=re.compile(r"\$(?:2[abxy]|5|6|7|y|apr1|argon2(?:id|i|d))\$[A-Za-z0-9./+=,$]{20,}+")),  # hashes of passwords
    # Sentences: password 'x', password is x1, token is ...
    Rule(kind=PASSWORD, hints=("pass",), regex=re.compile(r"(?i:\bpass(?:word|wd|phrase)[ \t]{1,4}(?:(?:is|was|of|to) )?)[\"'`](?P<secret>[^\s\"'`]{3,256}+)[\"'`]"), accepts=_is_value),
    Rule(kind=PASSWORD, hints=("pass",), regex=re.compile(r"(?i:\bpass(?:word|wd|phrase) (?:is|was|set to):? {1,2})(?P<secret>[^\s\"'`]{4,256}+)"), accepts=_is_no_word),
    Rule(kind=TOKEN, hints=("token ", "secret ", "key "), regex=re.compile(r"(?i:\b(?:token|secret|key) (?:is|was):? {1,2})(?P<secret>[A-Za-z0-9._~+/=-]{12,}+)"), accepts=_is_no_word),
    Rule(kind=PASSWORD, hints=("login ",), regex=re.compile(r"\blogin [^\s]{1,128}+ password (?P<secret>\S{1,256}+)"), accepts=_is_value),
)  # fmt: skip

EMAIL_RULE = Rule(
    kind=EMAIL,
    hints=("@",),
    regex=re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-]|\.\w)"),
)
CARD_RULE = Rule(
    kind=CARD,
    hints=(),
    regex=re.compile(r"(?<![\w.])(?<!\d[ -])\d(?:[ -]?\d){12,18}(?![\w]|[ -]\d)"),
    accepts=_passes_luhn,
)

KINDS: tuple[tuple[str, str], ...] = (
    (PASSWORD, "by the name beside it (`password=`, `\"passwd\":`, `--db-password x`, `DB_PASS`), and as an argument of curl, mysql, redis-cli, sshpass, SQL"),
    (TOKEN, "by the name beside it (`token`, `access_token`, `X-Auth-Token`, `csrftoken`); Vault, Docker Hub, Grafana, DigitalOcean, Telegram and chat webhooks by shape"),
    (SECRET, "by the name beside it: `client_secret`, `SECRET_KEY`, `signing-key`, `credentials`"),
    (API_KEY, "by the name beside it (`api_key`, `X-Api-Key`, `subscription-key`); SendGrid, Twilio, Databricks, New Relic, Shopify, Atlassian and others by shape"),
    (PRIVATE_KEY, "PEM blocks, whole or cut at either end of the log, also in one JSON string; age keys"),
    (CREDENTIAL, "what follows `Authorization:` and `Bearer`, `Basic`"),
    (COOKIE, "`Cookie:` and `Set-Cookie:` headers, session ids by name"),
    (URL_PASSWORD, "`scheme://user:password@host`, Go and Oracle data source names"),
    (JWT, "three or more base64url parts that begin with `eyJ`"),
    (AWS_KEY, "access key ids (`AKIA`, `ASIA`), secret access keys by name, signatures of presigned URLs"),
    (GOOGLE_KEY, "API keys (`AIza`), OAuth client secrets and access tokens"),
    (AZURE_KEY, "storage and service bus keys in connection strings, SAS signatures, client secrets"),
    (GITHUB_TOKEN, "`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`"),
    (GITLAB_TOKEN, "`glpat-` and its relatives"),
    (SLACK_TOKEN, "`xoxb-` and its relatives, `xapp-`, incoming webhook URLs"),
    (STRIPE_KEY, "`sk_live_`, `rk_live_`, `whsec_`, also of the test mode"),
    (NPM_TOKEN, "`npm_`"),
    (PYPI_TOKEN, "`pypi-`"),
    (AI_KEY, "OpenAI, Anthropic, OpenRouter, Hugging Face, Groq, Replicate"),
    (EMAIL, "only when switched on"),
    (CARD, "only when switched on: 14 to 19 digits of a known issuer with a valid check digit"),
)  # fmt: skip
