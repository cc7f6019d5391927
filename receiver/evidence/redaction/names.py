"""Which names hold secrets: `token`, `DB_PASSWORD`, `clientSecret`, `x-api-key`, `mot_de_passe`.

`token_count`, `secretName` and `password_reset_sent` only speak of them. A name is cut into words; the last word of secrecy decides, unless a
word after it says that the value is about the secret. The words themselves: `words`, `languages`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from receiver.evidence.redaction.kinds import AWS_KEY, PASSWORD, TOKEN
from receiver.evidence.redaction.languages import LATIN, LATIN_MIXED, LATIN_PHRASES, STEMS
from receiver.evidence.redaction.words import ABOUT, BEFORE_AUTH, BEFORE_CODE, BEFORE_KEY, ELSE, ENDINGS, PHRASES, SHAPED, WORDS, Shape

MAX_NAME = 200  # characters of a name that are looked at


class Name(NamedTuple):
    """What a name says of its value. `kind` is empty for a name that holds no secret."""

    kind: str
    shape: Shape = Shape.ANY


_NONE = Name("")


def kind_of_name(name: str) -> str:
    """The kind of secret that a variable, key, header or flag of this name may hold, or "" for none."""
    return judged(name).kind


def judged(name: str) -> Name:
    """What this name says of its value."""
    words = words_of(name)
    for i in range(len(words) - 1, -1, -1):
        found = _of_word(words, i)
        if not found.kind:
            continue
        after = words[i + 1 :]
        if words[i] == "secret" and after == ["id"]:  # Vault's AppRole: this id is the secret
            return found
        if any(w in _ABOUT for w in after) or (found.shape is Shape.LONG and any(w.isalpha() for w in after)):
            return _NONE
        return Name(AWS_KEY) if words[i - 2 : i + 1] == ["secret", "access", "key"] else found
    return _of_phrase("".join(words)) if len(words) > 1 else _NONE


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: `dbPassword2` is `db` and `password2`."""
    return [w.lower() for w in _CAMEL.split(name[:MAX_NAME]) if w]


def _of_word(words: list[str], i: int) -> Name:
    word = words[i].strip("0123456789") or words[i]  # password2, %22password
    before = words[i - 1].strip("0123456789") or words[i - 1] if i > 0 else ""
    if before in _ELSE.get(word, ()):
        return _NONE
    if word in {"key", "keys"}:
        return Name(_BEFORE_KEY.get(before, ""))
    if word in {"code", "codes"}:
        return Name(TOKEN, Shape.CODE) if before in _BEFORE_CODE else _NONE
    if word == "id":
        return Name(SHAPED["sid"][0], Shape.LONG) if before in {"session", "sess"} else _NONE
    if word == "auth" and before in _BEFORE_AUTH:
        return Name(PASSWORD)
    if kind := _WORDS.get(word):
        return Name(kind)
    if shaped := SHAPED.get(word):
        return Name(*shaped)
    if kind := _MIXED.get(word):
        return Name(kind, Shape.MIXED)
    kind = next((kind for ending, kind in _ENDINGS if word.endswith(ending)), "") or next(
        (kind for stem, kind in _STEMS if word.startswith(stem)), ""
    )
    return Name(kind)


def _of_phrase(compact: str) -> Name:
    return next((name for phrase, name in _COMPACT if compact.endswith(phrase)), _NONE)


def _table(kinds: dict[str, str]) -> dict[str, str]:
    return {word: kind for kind, words in kinds.items() for word in words.split()}


_WORDS = _table(WORDS) | _table(LATIN)
_MIXED = _table(LATIN_MIXED)
_BEFORE_KEY = _table(BEFORE_KEY)
_BEFORE_CODE = frozenset(BEFORE_CODE.split())
_BEFORE_AUTH = frozenset(BEFORE_AUTH.split())
_ENDINGS = tuple(_table(ENDINGS).items())
_STEMS = tuple(_table(STEMS).items())
_ELSE = {word: frozenset(before.split()) for word, before in ELSE.items()}
_ABOUT = frozenset(ABOUT.split())
PHRASE_NAMES: tuple[tuple[str, Name], ...] = (
    *((phrase, Name(kind, shape)) for phrase, kind, shape in PHRASES),
    *((phrase, Name(kind)) for phrase, kind in LATIN_PHRASES),
)
_COMPACT = tuple((re.sub(r"[^a-z]", "", phrase), name) for phrase, name in PHRASE_NAMES if " " in phrase)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")

# Lower-case pieces of which every name that is known has one; a piece may stand in other words, then the name is judged and let go.
HINTS: tuple[str, ...] = (
    "pass", "pwd", "secret", "token", "key", "cred", "auth", "cookie", "sess", "jwt", "csrf", "xsrf", "bearer", "mnemonic", "psk", "pswd", "psw", "pword", "kennwort", "losung",
    "zugang", "contras", "palabra", "clave", "senha", "palavra", "chave", "haslo", "heslo", "lozinka", "geslo", "zaporka", "wachtwoord", "losen", "adgangskode", "kodeord",
    "salasana", "lykilord", "parol", "parool", "slaptaz", "sifre", "jelsz", "sandi", "matkhau", "geheim", "schlue", "schlu", "segreto", "chiave", "klucz", "avain", "sleutel",
    "anahtar", "jeton", "mdp", "fjalekalim", "signature", "verifier", "assertion", "presharedkey", "rootpw", "bindpw", "codesecret", "dockerc", "cledacces", "clesecrete", "fichade",
)  # fmt: skip
# Short ones count only where no letter stands on either side, or where they end a word that a change of case begins.
SHORT_HINTS: tuple[str, ...] = (
    "pw",
    "otp",
    "pin",
    "2fa",
    "mfa",
    "sid",
    "sig",
    "sas",
    "salt",
    "hmac",
    "pat",
    "code",
    "codes",
    "seed",
    "pincode",
    "appid",
    "cle",
    "pepper",
)
