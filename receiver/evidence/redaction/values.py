"""Which values of a secret's name give nothing away, and what those must look like whose name alone does not say enough."""

from __future__ import annotations

import re

from receiver.evidence.redaction.names import words_of
from receiver.evidence.redaction.spans import BLANK
from receiver.evidence.redaction.words import COUNTED, Shape

# Values that say a state or a type: no secret, wherever they stand.
_STATE_WORDS = """
    true false yes no on off none null nil undefined empty unset set missing required optional invalid expired incorrect wrong mismatch rejected denied accepted
    changed updated ok failed error unknown hidden masked redacted removed omitted filtered sensitive string str int integer number bool boolean bytes any object n/a
    enabled disabled active inactive present absent valid available unavailable found rotated refreshed stored encrypted okay success succeeded failure default auto
    text password token secret basic bearer oidc oauth2 jwt ldap saml opaque revoked pending ready
"""
_COUNTED = frozenset(COUNTED.split())
_STATES = frozenset(_STATE_WORDS.split())
# After a colon or a flag within a sentence these go on with the sentence; after `=` or in quotes they may be somebody's password.
_SENTENCE_WORDS = """
    not is was has must should cannot could for and or the a an in of to from with without by flag option argument parameter field header file key value name names
    text secret password token failed at on you your this that it be been will can may if when while all no
"""
_SENTENCE = frozenset(_SENTENCE_WORDS.split())
_AMOUNT = re.compile(r"[\d.,]{1,15}(?: ?/ ?[\d.,]{1,15})?(?:%|ms|s|/s|k|[kKMG]i?B?)?(?=[\s,;)]|$)")
_PLACEHOLDER = re.compile(
    r"\$\d{1,3}|<set to the key .{0,200}|\$\{[^}:]{0,200}\}?|\$\{[^}:]{0,100}:[-?]?\}?|\$\([^)]{0,200}\)?|\$[A-Z_][A-Z0-9_]*|\{\{.{0,200}|%\(?\w{0,60}\)?[sdvq]|[*xX•.#?_-]{2,200}"
    r"|<[\w /-]{0,80}>?|\[(?:FILTERED|REDACTED|MASKED|hidden)\]?"
    r"|(?:self|this|cls|settings|config|os\.environ|process\.env|System\.getenv)[.\[(].{0,200}|(?:Optional|str|String|Option|SecretStr)\b[\[|<(]?.{0,60}"
    r"|/(?:run|var/run|etc|mnt|vault|var/lib|app|opt|home|tmp|usr)/\S{1,200}|\(\w{0,40}\)?|[\[{(]|:\w{1,40}|@\w{1,40}\w|0x[0-9a-f]{6,16}"
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN_WORD = re.compile(r"[A-Za-z]?[a-z]{0,40}|[A-Z]{1,40}")
_KUBE_NAME = re.compile(r"(?:[a-z0-9-]{1,63}/)?[a-z][a-z0-9]{0,20}(?:[-.][a-z0-9]{1,40}){1,12}")
_WRAPPING = "\"'`,;:)]}"


def is_no_secret(name: str, value: str, *, is_sentence: bool = False) -> bool:
    """Whether this value of a secret's name gives nothing away: empty, a word of state, a placeholder, an amount, a word of the sentence."""
    bare = value.strip().strip(_WRAPPING)
    word = bare.lower().rstrip(".!")
    first, _, rest = word.partition(" ")
    if rest and (first in _STATES or first in _SENTENCE):  # not found; is required
        return True
    if len(bare) < 2 or bare[0] == BLANK or word in _STATES or (is_sentence and word in _SENTENCE) or _PLACEHOLDER.fullmatch(bare):
        return True
    if bare[0] in "/~" and name.lower() in {"pwd", "oldpwd"}:  # the shell's working directory
        return True
    return bare[0] in "0123456789.," and _AMOUNT.match(bare) is not None and bool(_COUNTED.intersection(words_of(name)[-1:]))


def fits(shape: Shape, value: str) -> bool:
    """Whether a value has the shape that its name asks for."""
    bare = value.strip().strip(_WRAPPING)
    match shape:
        case Shape.CODE:
            return bool(re.fullmatch(r"\d{4,10}(?: \d{4,10}){0,20}|\d{3} \d{3}", bare)) or is_mixed(bare)
        case Shape.MIXED:
            return is_mixed(bare)
        case Shape.LONG:
            return len(bare) >= 16 and is_mixed(bare) and not _UUID.fullmatch(bare)
        case Shape.PHRASE:
            return len(bare.split()) >= 6 or (len(bare) >= 16 and is_mixed(bare))
        case Shape.ANY:
            return True


def is_mixed(value: str) -> bool:
    """Whether it is no word and no name: letters with digits, or with signs that words have not."""
    bare = value.strip().strip(_WRAPPING)
    if len(bare) < 6 or " " in bare or "\n" in bare or _PLAIN_WORD.fullmatch(bare) or _KUBE_NAME.fullmatch(bare):
        return False
    has_letter = any(c.isalpha() for c in bare)
    return has_letter and (any(c.isdigit() for c in bare) or any(c in "!@#$%^&*+=~?" for c in bare)) and not _PLACEHOLDER.fullmatch(bare)


def is_password_like(value: str) -> bool:
    """Whether it is mixed, or several words in one: correct-horse-battery."""
    bare = value.strip().strip(_WRAPPING)
    return is_mixed(bare) or (len(bare) <= _MAX_PASSPHRASE and _PASSPHRASE.fullmatch(bare) is not None)


_MAX_PASSPHRASE = 80
_PASSPHRASE = re.compile(r"[A-Za-z]{3,20}(?:[-+][A-Za-z0-9]{2,20}){2,8}")
