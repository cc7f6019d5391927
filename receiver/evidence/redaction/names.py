"""Which names hold secrets, and which values of such names are none.

`token`, `DB_PASSWORD`, `clientSecret` and `x-api-key` hold secrets; `token_count`, `secretName` and
`password_reset_sent` only speak of them. A name is cut into words; the last word of secrecy decides, unless a word
after it says that the value is about the secret.
"""

from __future__ import annotations

import re

# Kinds, as they stand in `[redacted KIND]` and in the counts. Each takes a plural s.
PASSWORD = "password"  # noqa: S105
TOKEN = "token"  # noqa: S105
SECRET = "secret"  # noqa: S105
API_KEY = "API key"
AWS_KEY = "AWS key"
PRIVATE_KEY = "private key"
COOKIE = "cookie"

_WORD_KIND = {
    "password": PASSWORD, "passwords": PASSWORD, "passwd": PASSWORD, "passphrase": PASSWORD, "passcode": PASSWORD, "pwd": PASSWORD, "pass": PASSWORD,
    "pswd": PASSWORD, "passwort": PASSWORD, "kennwort": PASSWORD, "senha": PASSWORD, "contrasena": PASSWORD, "pw": PASSWORD, "mysqlpwd": PASSWORD, "pgpassword": PASSWORD, "dbpassword": PASSWORD, "userpassword": PASSWORD,
    "secret": SECRET, "secrets": SECRET, "secretkey": SECRET, "clientsecret": SECRET, "credential": SECRET, "credentials": SECRET, "creds": SECRET,
    "token": TOKEN, "tokens": TOKEN, "accesstoken": TOKEN, "authtoken": TOKEN, "refreshtoken": TOKEN, "idtoken": TOKEN, "bearer": TOKEN, "jwt": TOKEN,
    "otp": TOKEN, "totp": TOKEN, "csrf": TOKEN, "xsrf": TOKEN,
    "apikey": API_KEY, "apikeys": API_KEY, "appkey": API_KEY, "authkey": API_KEY, "accesskey": API_KEY, "accountkey": API_KEY, "sharedaccesskey": API_KEY,
    "privatekey": PRIVATE_KEY,
    "jsessionid": COOKIE, "phpsessid": COOKIE, "sessionid": COOKIE, "sessid": COOKIE, "cookie": COOKIE, "cookies": COOKIE,
}  # fmt: skip
# Before `key`, these make it a secret: api_key, signing-key. A plain key, cache_key or primary_key is none.
_KEY_KIND = {
    "api": API_KEY, "app": API_KEY, "auth": API_KEY, "access": API_KEY, "account": API_KEY, "subscription": API_KEY, "functions": API_KEY,
    "secret": SECRET, "shared": SECRET, "signing": SECRET, "signature": SECRET, "encryption": SECRET, "encrypt": SECRET, "decryption": SECRET, "master": SECRET,
    "license": SECRET, "licence": SECRET, "hmac": SECRET, "aes": SECRET, "jwt": SECRET, "cookie": SECRET, "session": SECRET, "storage": SECRET, "webhook": SECRET,
    "integration": API_KEY, "instrumentation": API_KEY, "fernet": SECRET, "cipher": SECRET, "crypto": SECRET, "deploy": SECRET, "hash": SECRET, "salt": SECRET,
    "private": PRIVATE_KEY, "ssh": PRIVATE_KEY, "rsa": PRIVATE_KEY, "tls": PRIVATE_KEY, "ssl": PRIVATE_KEY,
}  # fmt: skip
_AUTH_OF = frozenset(("rediscli", "redis", "basic", "docker", "registry"))  # REDISCLI_AUTH; `auth` alone says how, not with what
# A word before that makes it something else: nextPageToken is a cursor, pad_token a model's, proxy_pass a directive.
_ELSE = {
    "token": frozenset(
        (
            "next",
            "page",
            "continue",
            "continuation",
            "pagination",
            "sync",
            "cancellation",
            "pad",
            "eos",
            "bos",
            "unk",
            "mask",
            "sep",
            "cls",
            "stop",
        )
    ),
    "pass": frozenset(
        ("proxy", "fastcgi", "uwsgi", "grpc", "scgi", "multi", "single", "first", "second", "low", "high", "band", "boarding")
    ),
    "secrets": frozenset(("pull",)),  # imagePullSecrets: names of Secrets
}
_ENDINGS = (
    ("password", PASSWORD),
    ("passwd", PASSWORD),
    ("passphrase", PASSWORD),
    ("secret", SECRET),
    ("token", TOKEN),
    ("apikey", API_KEY),
)  # csrftoken
# After the word of secrecy, these say that the value is about a secret, and no secret.
_ABOUT_WORDS = """
    count counts length len size sizes limit limits max min total sum avg mean type types kind name names ref refs reference file files filename path paths dir
    directory folder mount volume expiry expire expires expired expiration exp ttl age lifetime valid validity version versions policy policies url uri endpoint host issuer
    audience scope scopes format field fields header headers column label sent required enabled disabled invalid status state source sources provider providers manager
    store class module algorithm alg encoding strength attempts attempt retries rate usage used remaining id ids index position bucket buckets hint changed updated
    rotated rotation created deleted missing present set at in ms seconds secs sec minutes hours days time timestamp date interval period window latency duration
    refreshes validation validator verified verification authentication filter service server client user username login form page prompt mode strategy reset cache hits
    misses errors error failures failed ok samesite secure httponly domain
"""
_ABOUT = frozenset(_ABOUT_WORDS.split())
_COUNTED = frozenset(("tokens", "pass", "secrets", "credentials", "cookies", "passwords", "jwt"))  # words that also stand for an amount
_AMOUNT = re.compile(r"[\d.,]{1,15}(?:%|ms|s|/s|k|[kKMG]i?B?)?")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def kind_of_name(name: str) -> str:
    """The kind of secret that a variable, key, header or flag of this name holds, or "" for none."""
    words = [w.lower() for w in _CAMEL.split(name[:200]) if w]
    for i in range(len(words) - 1, -1, -1):
        kind = _kind_of_word(words, i)
        if not kind:
            continue
        after = words[i + 1 :]
        if words[i] == "secret" and after == ["id"]:  # Vault's AppRole: this id is the secret
            return kind
        if any(w in _ABOUT for w in after):
            return ""
        return AWS_KEY if words[i - 2 : i + 1] == ["secret", "access", "key"] else kind
    return ""


def _kind_of_word(words: list[str], i: int) -> str:
    word = words[i].strip("0123456789") or words[i]  # password2, %22password
    before = words[i - 1].strip("0123456789") if i > 0 else ""
    if word in {"key", "keys"}:
        return _KEY_KIND.get(before, "")
    if word == "auth":
        return PASSWORD if before in _AUTH_OF else ""
    if before in _ELSE.get(word, ()):
        return ""
    return _WORD_KIND.get(word) or next((kind for ending, kind in _ENDINGS if word.endswith(ending)), "")


# Values that say a state or a type: no secret, wherever they stand.
_STATE_WORDS = """
    true false yes no on off none null nil undefined empty unset set missing required optional invalid expired incorrect wrong mismatch rejected denied accepted
    changed updated ok failed error unknown hidden masked redacted removed omitted filtered sensitive string str int integer number bool boolean bytes any object n/a
    enabled disabled active inactive present absent valid available unavailable found rotated refreshed stored encrypted
"""
_STATES = frozenset(_STATE_WORDS.split())
# After a colon or a flag within a sentence these go on with the sentence; after `=` or in quotes they may be somebody's password.
_SENTENCE_WORDS = """
    not is was has must should cannot could for and or the a an in of to from with without by flag option argument parameter field header file key value name names
    text secret password token
"""
_SENTENCE = frozenset(_SENTENCE_WORDS.split())
_PLACEHOLDER = re.compile(
    r"\$\d{1,3}|<set to the key .{0,200}|\$\{[^}]{0,200}\}?|\$\([^)]{0,200}\)?|\$[A-Z_][A-Z0-9_]*|\{\{.{0,200}|%\(?\w{0,60}\)?[sdvq]|[*xX•.#-]{2,200}|<[\w /-]{0,80}>?|\[redacted.{0,60}|\[(?:FILTERED|REDACTED|MASKED|hidden)\]?"
    r"|(?:self|this|cls|settings|config|os\.environ|process\.env|System\.getenv)[.\[(].{0,200}|(?:Optional|str|String|Option|SecretStr)\b[\[|<(]?.{0,60}"
    r"|/(?:run|var/run|etc|mnt|vault)/\S{1,200}|\(\w{0,40}\)?|[\[{(]"
)  # fmt: skip


def is_no_secret(name: str, value: str, *, is_sentence: bool = False) -> bool:
    """Whether this value of a secret's name gives nothing away: empty, a word of state, a placeholder, an amount, a word of the sentence."""
    bare = value.strip().strip("\"'`,;:)]}")
    word = bare.lower().rstrip(".!")
    if len(bare) < 2 or word in _STATES or (is_sentence and word in _SENTENCE) or _PLACEHOLDER.fullmatch(bare):
        return True
    words = [w.lower() for w in _CAMEL.split(name[:200]) if w]
    if words in (["pwd"], ["oldpwd"]) and bare[0] in "/~":  # the shell's working directory
        return True
    return bool(_COUNTED.intersection(words[-1:])) and _AMOUNT.fullmatch(bare) is not None
