"""How a name and its value are connected, from the strictest to the loosest. A new separator is added here."""

from __future__ import annotations

import re

_CLOSE = r"(?:\\{0,3}[\"'`]|\\?[\])]){0,3}"
_WHOSE = r"(?:[ \t]{1,4}(?:\([^()\n]{1,40}\)|\[[^\[\]\n]{1,20}\]|(?:for|of|from|fur|pour|para|von|zu|per|di|do|dla)(?: key)?(?: (?:[\w.@-]{1,40}|'[^'\n]{1,80}'|\"[^\"\n]{1,80}\")){1,3}?))?"
# An assignment in any language: `=`, `:`, `=>`, `:=`, `->`, a line of dots.
STRONG = re.compile(
    _CLOSE
    + _WHOSE
    + r"(?:[ \t]{0,16}|[ \t]{0,4}\r?\n[ \t]{0,16}(?=[:=]))(?P<is>=>|:=|[?+]=|\\[=:]|<-|←|={1,3}>?|::(?=[ \t]|new\b|from\b)|:(?!:)|[-~]>|[→⇒⇨⟶⟹↦➔➙➛➜➝➞➡]\ufe0f?|\.{3,200}[:=]?)(?P<after>[ \t]{0,16})"
)
# A sentence says it: `is`, `was`, `set to`, `lautet`, `value`.
COPULA = re.compile(
    _CLOSE
    + _WHOSE
    + r"(?:[ \t]{1,8}(?:is(?: now| set to)?|was|will be|are|to|set to|has been set to|changed to|equals|reads|value(?: is)?|has value|lautet|ist|es|est|e|ar|la|jest|-{1,2}):?[ \t]{1,4}"
    r"| [a-z]{2,12}[ \t]{0,2}[:=][ \t]{1,4})"
)
# A blank, a tab, a bar: the value must be no word.
LOOSE = re.compile(_CLOSE + r"(?:[ \t]{0,8}(?:[|\t;~≔]|::)[ \t]{0,8}|[ \t]{1,8})")
LOOSEST = re.compile(
    _CLOSE + r"(?:[ \t]{1,8}(?=#[\w./-]{1,40}[ \t]{1,4}[\"'])|[ \t]{0,8}(?:[|\t;~≔@*#,/^]|>{1,3}|::)[ \t]{0,8}|[ \t]{1,8})"
)  # of passwords: other names stand in paths and lists
# `--password x`, also in a list and on the next line.
FLAG = re.compile(
    r"(?:[ \t]{1,8}|\\{0,3}[\"'][ \t]{0,4},?[ \t\r]{0,4}\n?[ \t]{0,40}(?=\\{0,3}[\"'])|[ \t\r]{0,4}\n[ \t]{0,40}(?:- )?)(?!-)(?=\S)"
)
# `name: PASSWORD` and its `value: x`, with other fields between.
ENTRY = re.compile(
    r"(?:\\{0,3}[\"'])?[\]>]?,?\s{0,60}(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}Z\s{1,60})?"
    r"(?:\\{0,3}[\"']?\w{1,20}\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?[\w-]{1,40}\\{0,3}[\"']?,?\s{1,60}){0,2}"
    r"(?:with )?\\{0,3}[\"']?(?i:value)\\{0,3}[\"']?(?P<sep>[ \t]{0,4}[:=][ \t]{0,4}|[ \t]{1,4}(?=[\"'\[`]))"
)
ENTRY_WORDS = ("name", "key", "property", "parameter", "param", "variable")
BEFORE_ENTRY = " \t\"'[:=\\"
# From a name in a tag to the text of its element or of the next one.
IN_TAG = re.compile(
    r"[\"']?[^<>\n]{0,120}(?<!/)>\s{0,40}(?:<!\[CDATA\[)?(?=[^<>\s])|</(?:\w{1,20}:)?\w{1,20}>\s{0,40}<\w{1,20}[^<>\n]{0,40}>(?=[^<>\s])"
)
CELL = re.compile(r"</(?:dt|th|td|b|strong|label)>")
TO_TAG = re.compile(r"(?:[^<\r\n\]]|\](?!\]>))*+")
TAG_NAME = re.compile(r"<(?:[\w.-]{1,20}:)?$|<(?:key|Key|name|Name|string|dt|th|td|b|strong|label)(?: [^<>\n]{0,20})?>$")
# A value alone on the line below.
NEXT_LINE = re.compile(
    r"\\?[ \t]{0,8}\r?\n(?:[ \t]{0,8}\r?\n)?(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}Z )?(?P<indent>[ \t]{0,40})(?P<dash>- )?(?=[^\s-])"
)
# What a test runner's PASS names.
TEST = re.compile(r"(?i:tests?\b|tests?_|spec)")
# The name is a part of Amazon's name of a resource.
ARN = re.compile(r"\barn:\S{1,90}:\Z")
# The value of a loose connector is no other name with its value.
ASSIGNMENT = re.compile(r"[:@{(\"'\\]{0,4}[\w.-]{1,40}[\"'\\]{0,3}[ \t]?(?:=>?|:)")
# `("password", "x")` and its like.
LISTED = re.compile(_CLOSE + r"[ \t]{0,4}(?:,|\.(?= ))[ \t]{0,4}(?:<<)?(?=\\{0,3}[\"'])")
# `password<x>`
ANGLE = re.compile(r"<(?=[^<>\s]{6,256}>)")
# "use the following password to proceed:", an empty line, the password.
LATER_LINE = re.compile(
    r"(?: [\w'-]{1,20}){1,8}:[ \t]{0,4}\r?\n(?:[ \t]{0,8}\r?\n){0,3}[ \t]{0,8}(?P<value>\S{6,256})[ \t]{0,8}\r?(?:\n|$)"
)
# What JSON says without quotes is no secret.
SWITCH = re.compile(r"(?i:true|false|null|none|nil|undefined)(?=[\\,;})\]\s\"']|$)")
QUOTES = ('"', "'", "\\", "`", "[")
