"""Secrets that a header, a URL or a connection string holds, whatever their names. One row a shape."""

from __future__ import annotations

import base64
import binascii
import re

from receiver.evidence.redaction.kinds import AWS_KEY, AZURE_KEY, CARD, COOKIE, CREDENTIAL, EMAIL, PASSWORD, SECRET, TOKEN, URL_PASSWORD
from receiver.evidence.redaction.rule import Rule, rule
from receiver.evidence.redaction.values import is_no_secret, is_password_like


def decoded(word: str) -> bytes:
    """What a base64 or base64url word stands for; nothing when it is none."""
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_user_and_password(match: re.Match[str]) -> bool:
    """Whether the word is base64 of `user:password`, and not the word "authentication"."""
    return b":" in decoded(match["secret"])


def is_no_word(match: re.Match[str]) -> bool:
    """Whether it is no word of a sentence."""
    word = match["secret"]
    return (any(c.isdigit() for c in word) or len(word) >= 32) and not is_no_secret("", word, is_sentence=True)


def _is_credential(match: re.Match[str]) -> bool:
    """Whether what follows a scheme (`Authorization: Basic ...`) is a credential, and no word of a sentence."""
    word = match["secret"]
    return (len(word) >= 20 or any(c.isdigit() or c.isupper() or c in "=+/_" for c in word)) and not is_no_secret(
        "", word, is_sentence=True
    )


def is_value(match: re.Match[str]) -> bool:
    """Whether it gives something away."""
    return not is_no_secret("", match["secret"])


def is_mixed_value(match: re.Match[str]) -> bool:
    """Whether it is no word and no name, but may be several words in one."""
    return is_password_like(match["secret"])


def _is_url_password(match: re.Match[str]) -> bool:
    """Not a port with an `@` somewhere behind it (`http://host:8080/@scope`), not `***`."""
    return not _PORT.match(match["secret"]) and not is_no_secret("", match["secret"])


_PORT = re.compile(r"\d{1,5}(?:[/?#]|$)")


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
_IS = rf"{_QUOTE}\]?[ \t]{{0,4}}(?:=>|[:=,])[ \t]{{0,4}}\[?{_QUOTE}"
_SCHEME = rf"(?i:authorization{_IS}|authorization{_QUOTE},{_QUOTE}value{_IS})"

HEADERS: tuple[Rule, ...] = (
    rule(CREDENTIAL, "authorization", rf"{_SCHEME}(?i:Digest|Hawk|OAuth|Signature|AWS4-HMAC-SHA256)[ \t]{{1,4}}(?P<secret>[^\r\n]{{4,}}+)"),
    rule(CREDENTIAL, "authorization", rf"{_SCHEME}[A-Za-z][A-Za-z0-9-]{{1,30}}+[ \t]{{1,4}}(?P<secret>[^\s\"'\\,;)\]]{{2,}}+)", _is_credential),
    rule(CREDENTIAL, "authorization", rf"{_SCHEME}(?P<secret>[A-Za-z0-9._~+/=:-]{{8,}}+)", is_no_word),
    rule(
        COOKIE, "cookie",
        rf"(?i:cookie2?{_IS})(?P<secret>[^\s;,\"'=\[\]]{{1,128}}=[^\s;\"']*+(?:;[ \t]{{0,4}}[^\s;\"'=]{{1,128}}+(?:=[^;\"'\r\n]*+)?)*+)",
    ),
    rule(CREDENTIAL, "geniekey", r"(?i:\bGenieKey[ ]{1,4})(?P<secret>[0-9a-f-]{32,40})"),
    rule(CREDENTIAL, "bearer ", r"(?i:\bBearer[ ]{1,4})(?P<secret>[A-Za-z0-9._~+/-]{12,}+=*+)", is_no_word),
    rule(CREDENTIAL, "basic ", r"(?i:\bBasic[ ]{1,4})(?P<secret>[A-Za-z0-9+/]{6,}+={0,2})", _is_user_and_password),
    rule(PASSWORD, "auth", rf"(?i:(?<![a-z])auth){_IS}(?P<secret>[A-Za-z0-9+/]{{8,}}+={{0,2}})", _is_user_and_password),
)  # fmt: skip
URLS: tuple[Rule, ...] = (
    # Signatures and keys in URLs and connection strings
    rule(AZURE_KEY, "sig=", r"(?<=[?&;])sig=(?P<secret>[A-Za-z0-9%+/_-]{16,}+=*+)"),
    rule(AZURE_KEY, "key=", r"(?i:\b(?:Account|SharedAccess)Key=)(?P<secret>[A-Za-z0-9+/_-]{16,}+=*+)"),
    rule(AZURE_KEY, "secret=", r";Secret=(?P<secret>[A-Za-z0-9+/_-]{16,}+=*+)"),
    rule(AWS_KEY, "signature=", r"(?<=[?&])(?:X-(?:Amz|Goog)-)?Signature=(?P<secret>[0-9a-zA-Z%+/_-]{20,}+=*+)"),
    rule(TOKEN, "code=", r"(?<=[?&])code=(?P<secret>[A-Za-z0-9%._~/-]{16,}+)"),  # OAuth's authorization code
    rule(SECRET, "otpauth:", r"otpauth://[^\s\"']{1,128}[?&]secret=(?P<secret>[A-Z2-7a-z]{8,}+=*+)"),
    # URLs and addresses with a password
    rule(
        URL_PASSWORD, "@",
        r"//[^\s/?#:\"'<>\\]{0,128}+:(?P<secret>[^\s/\"'<>]{1,256}(?=@[\w\[*{$])|[^\s\"'<>@]{1,256}+(?=@[\w\[*{$]))@", _is_url_password,
    ),
    rule(URL_PASSWORD, "@", r"//(?P<secret>[A-Za-z0-9_-]{20,256}+)@", is_no_word),
    rule(URL_PASSWORD, "@tcp(|@unix(", r"(?<![\w.-])[\w.-]{1,64}+:(?P<secret>[^\s@\"']{1,128}+)@(?:tcp|unix)\(", is_value),
    rule(URL_PASSWORD, "@", r"(?<![\w.:/-])[A-Za-z][\w.-]{0,63}+:(?P<secret>[^\s@\"'/:]{6,128}+)@[\w.-]{1,128}+:\d{2,5}\b", is_mixed_value),
    rule(URL_PASSWORD, "@//", r"(?<![\w.-])[A-Za-z]\w{0,63}+/(?P<secret>[^\s@/\"']{4,128}+)@//", is_mixed_value),  # Oracle's easy connect
    rule(PASSWORD, "p=", r"[?&](?:u|user|login|username)=[^&\s\"']{0,128}&p=(?P<secret>[^&\s\"'#]{4,256}+)", is_value),
    rule(URL_PASSWORD, "jdbc:oracle:", r"jdbc:oracle:\w{1,10}:[^\s/@\"']{1,64}+/(?P<secret>[^\s@\"']{1,128}+)@", is_value),
)  # fmt: skip
OPTIONAL: dict[str, Rule] = {
    EMAIL: rule(EMAIL, "@", r"(?<![\w.+%-])[\w.+%-]{1,64}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-]|\.\w)"),
    CARD: Rule(kind=CARD, hints=(), regex=re.compile(r"(?<![\w.])(?<!\d[ -])\d(?:[ -]?\d){12,18}(?![\w]|[ -]\d)"), accepts=_passes_luhn),
}
