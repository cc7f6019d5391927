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

AZURE_KEY = "Azure key"
GOOGLE_KEY = "Google key"
GITHUB_TOKEN = "GitHub token"  # noqa: S105
GITLAB_TOKEN = "GitLab token"  # noqa: S105
SLACK_TOKEN = "Slack token"  # noqa: S105
STRIPE_KEY = "Stripe key"
NPM_TOKEN = "npm token"  # noqa: S105
PYPI_TOKEN = "PyPI token"  # noqa: S105
AI_KEY = "AI key"
JWT = "JWT"
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

_EDGE = r"(?<![A-Za-z0-9_])"
_END = r"(?![A-Za-z0-9_])"
_QUOTE = r"(?:\\{0,3}[\"'])?"  # also escaped, as JSON in JSON has it
_IS = rf"{_QUOTE}\]?[ \t]{{0,4}}(?:=>|[:=])[ \t]{{0,4}}{_QUOTE}"


def _prefix(words: str, rest: str) -> re.Pattern[str]:
    return re.compile(rf"{_EDGE}(?:{words}){rest}")


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
    # Tokens with a prefix
    Rule(
        kind=JWT, hints=("eyj",),
        regex=re.compile(r"(?<![A-Za-z0-9_-])eyJ(?:[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]{2,}+){1,4}+\.?|(?:hbGciOi|0eXAiOi|raWQiOi)[A-Za-z0-9_-]*+)"),
    ),
    Rule(kind=AWS_KEY, hints=("akia", "asia", "abia", "acca"), regex=_prefix("AKIA|ASIA|ABIA|ACCA", r"[A-Z0-9]{16}" + _END)),
    Rule(kind=GOOGLE_KEY, hints=("aiza", "ya29.", "gocspx-"), regex=_prefix(r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{24,40}+|ya29\.[A-Za-z0-9_.-]{20,}+", "")),
    Rule(kind=AZURE_KEY, hints=("q~",), regex=re.compile(r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~-])")),
    Rule(kind=AZURE_KEY, hints=("sig=",), regex=re.compile(r"(?<=[?&;])sig=(?P<secret>[A-Za-z0-9%+/_-]{16,}+=*+)")),
    Rule(kind=AZURE_KEY, hints=("key=",), regex=re.compile(r"(?i:\b(?:Account|SharedAccess)Key=)(?P<secret>[A-Za-z0-9+/_-]{16,}+=*+)")),
    Rule(kind=AWS_KEY, hints=("signature=",), regex=re.compile(r"(?<=[?&])X-(?:Amz|Goog)-Signature=(?P<secret>[0-9a-fA-F]{32,}+)")),
    Rule(kind=GITHUB_TOKEN, hints=("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), regex=_prefix("gh[pousr]_|github_pat_", r"[A-Za-z0-9_]{20,}+")),
    Rule(kind=GITLAB_TOKEN, hints=("gl", "gr1348941"), regex=_prefix("gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct)-|GR1348941", r"[A-Za-z0-9_.-]{18,}+")),
    Rule(kind=SLACK_TOKEN, hints=("xox", "xapp-"), regex=_prefix("xox[abceoprs]-|xoxe\\.xox[bp]-|xapp-", r"[A-Za-z0-9-]{10,}+")),
    Rule(kind=SLACK_TOKEN, hints=("hooks.slack",), regex=re.compile(r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,}+)")),
    Rule(kind=STRIPE_KEY, hints=("_live_", "_test_", "whsec_"), regex=_prefix("[sr]k_(?:live|test)_|whsec_", r"[A-Za-z0-9]{16,}+")),
    Rule(kind=NPM_TOKEN, hints=("npm_",), regex=_prefix("npm_", r"[A-Za-z0-9]{36}" + _END)),
    Rule(kind=PYPI_TOKEN, hints=("pypi-",), regex=_prefix("pypi-AgE", r"[A-Za-z0-9_-]{16,}+")),
    Rule(kind=AI_KEY, hints=("sk-", "hf_", "gsk_", "r8_"), regex=_prefix(r"sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin|sid)\d\d-|or-v1-|lf-)[A-Za-z0-9_-]{16,}+|sk-[A-Za-z0-9]{32,}+|hf_[A-Za-z0-9]{30,}+|gsk_[A-Za-z0-9]{40,}+|r8_[A-Za-z0-9]{37}", r"")),
    Rule(kind=API_KEY, hints=("sg.",), regex=_prefix(r"SG\.", r"[A-Za-z0-9_-]{16,40}+\.[A-Za-z0-9_-]{16,60}+")),
    Rule(kind=API_KEY, hints=("sk",), regex=_prefix("SK", r"[0-9a-f]{32}" + _END)),
    Rule(kind=API_KEY, hints=("dapi", "nrak-", "nrra-", "lin_api_", "shp", "sq0", "phc_", "phx_", "atatt3", "pmak-", "hrku-", "-us", ":apa91b"), regex=_prefix(r"dapi[0-9a-f]{32}|NR(?:AK|RA)-[A-Z0-9]{24,}+|lin_api_[A-Za-z0-9]{32,}+|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}+|ph[cx]_[A-Za-z0-9]{32,}+|ATATT3[A-Za-z0-9_=-]{50,}+|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|HRKU-[A-Za-z0-9_-]{36,}+|[0-9a-f]{32}-us\d{1,2}(?!\d)|AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{100,}+", "")),
    Rule(kind=TOKEN, hints=("hvs.", "hvb.", "hvr.", "dop_v1_", "doo_v1_", "dor_v1_", "dckr_", "glsa_", "glc_", "sntrys_", "sntryu_", "atlasv1", "ntn_", "dp.", "sl."),
         regex=_prefix(r"hv[sbr]\.[A-Za-z0-9_-]{20,}+|do[opr]_v1_[0-9a-f]{32,}+|dckr_[a-z]{2,6}_[A-Za-z0-9_-]{20,}+|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}+|sntry[su]_[A-Za-z0-9_+/=.-]{32,}+|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}+|ntn_[A-Za-z0-9]{40,}+|dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9_.-]{30,}+|sl\.[A-Za-z0-9_-]{100,}+", "")),
    Rule(kind=TOKEN, hints=(":aa",), regex=re.compile(r"(?<![\w:])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])")),
    Rule(kind=TOKEN, hints=(".",), regex=re.compile(r"(?<![\w-])[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![\w-])")),  # Discord bots
    Rule(kind=TOKEN, hints=("/api/webhooks/", "webhook.office.com"), regex=re.compile(r"(?:discord(?:app)?\.com/api/webhooks/\d{5,25}/|webhook\.office\.com/webhookb2/)(?P<secret>[A-Za-z0-9/@_-]{20,}+)")),
    Rule(kind=PRIVATE_KEY, hints=("age-secret-key-1",), regex=_prefix("AGE-SECRET-KEY-1", r"[0-9A-Z]{40,}+")),
    Rule(  # "-----BEGIN ... PRIVATE" in base64, as Secrets and kubeconfigs hold it
        kind=PRIVATE_KEY, hints=("ls0tls1crudjti",),
        regex=re.compile(r"LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFUR|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BFTkNSWVBURUQgUFJJVkFUR|BEU0EgUFJJVkFUR)[A-Za-z0-9+/]*+={0,2}"),
    ),
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
