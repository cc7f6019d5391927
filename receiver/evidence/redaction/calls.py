"""Secrets in the arguments of calls, as stack traces and errors print them: `PDO->__construct('dsn', 'root', 'x')`, `login("bob", "x")`, `Secret(x)`.

To add a function: its name and which argument is the secret, in FUNCTIONS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import PASSWORD
from receiver.evidence.redaction.names import HINTS, kind_of_name
from receiver.evidence.redaction.spans import BLANK, Span
from receiver.evidence.redaction.values import is_no_secret, is_password_like

# Lower-case names without `_`: which argument (from 0) is the secret. A name with a secret's word in it (`setPassword`) is found by `pairs`.
FUNCTIONS: dict[int, str] = {
    0: "validatecredentials hashpassword bcrypt pbkdf2 sensitive sensitivestring masked maskedstring guardedstring protectedstring securestring concealed",
    1: "login authenticate attempt signin logon auth authuser authorize checklogin checkuser usernamepasswordcredentials basicauth httpbasicauth passwordcredentials"
    " usernamepasswordauthenticationtoken createuser adduser credentials basiccredentials pgp_sym_encrypt pgp_sym_decrypt aes_encrypt aes_decrypt ldap_simple_bind ldap_simple_bind_s simple_bind simple_bind_s bind check passwordverify userpass plainauth setbasicauth withbasicauth",
    2: "__construct pdo mysqli mysqli_connect mysql_connect mysqli_real_connect real_connect connect oci_connect pg_connect ldap_bind ftp_login ibase_connect odbc_connect db2_connect dbi_connect get_connection getConnection",
}
_INDEX = {name.lower().replace("_", ""): i for i, names in FUNCTIONS.items() for name in names.split()}
_HINTS = tuple(sorted({name.lower().strip("_")[:4] for names in FUNCTIONS.values() for name in names.split()}))
_NONE, _ANY = -1, -2  # a function that takes no secret; one with a secret's name, of which any argument may be it
_OPENS = re.compile(r"[(\[](?<=\w.)(?=[^\s)\]])")
_NAME = re.compile(r"[A-Za-z_]\w{2,60}\Z")
_MAX_NAME = 60
_ARGUMENT = re.compile(
    rf"[ \t]{{0,8}}(?:(?P<named>\w{{1,40}}[ \t]{{0,2}}(?:=|: )[ \t]{{0,2}}))?(?:\"(?P<double>[^\"\n{BLANK}]{{0,400}})\"|'(?P<single>[^'\n{BLANK}]{{0,400}})'"
    rf"|(?P<bare>[^\s,:()\[\]\"'{BLANK}]{{0,400}}))[ \t]{{0,8}}(?P<end>[,:)\]]|)"
)


def find_calls(hay: Haystack) -> Iterator[Span]:
    """Arguments of functions that take a password by position."""
    text = hay.text
    if not hay.has_any(_HINTS) and not hay.has_any(HINTS):
        return
    for bracket in _OPENS.finditer(text):
        name = _NAME.search(text, max(0, bracket.start() - _MAX_NAME), bracket.start())
        index = _INDEX.get(name[0].lower().replace("_", ""), _NONE) if name else _NONE
        if index == _NONE and name and kind_of_name(name[0]):
            index = _ANY
        if index == _NONE:
            continue
        for i, argument in enumerate(_ARGUMENT.finditer(text, bracket.end(), bracket.end() + 2000)):
            group = _group(argument)
            if group and index in {i, _ANY}:
                value = argument[group]
                if is_password_like(value) or (group != "bare" and index == i and not is_no_secret("", value)):
                    yield Span(*argument.span(group), PASSWORD)
            if argument["end"] not in {",", ":"} or i > 12:
                break


def _group(argument: re.Match[str]) -> str:
    return next((g for g in ("double", "single", "bare") if argument[g]), "")
