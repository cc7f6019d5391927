"""Finds code that decides by the wording of our own sentences: reasons are data, their sentences are for people.

What counts, in Python and in templates: `in`, `==`, startswith, removeprefix, regular expressions and the like

- on the text of an error, `str(exc)`;
- on what holds our own sentences (a field or variable of OWN_PROSE, or one that was filled from such a field);
- with a text of several words, on anything but what FOREIGN names: messages of events, lines of logs, PromQL, commands.

One word (`OOMKilled`, `Pod`) compared with anything else is a name of Kubernetes or a code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes

OWN_PROSE = frozenset(
    {"because", "against", "why", "none", "settle_by", "hint", "verdict", "trigger", "words_of", "sentence", "sentences", "headline"}
)
FOREIGN = frozenset({"message", "said", "line", "lines", "command", "prog", "expression", "alternative", "query"})
# Files that read every text as somebody else's: secrets in anything, and what older versions of this program stored.
FOREIGN_FILES = ("receiver/evidence/redaction/", "receiver/domain/memory_v0.py")

_WORD_AND_MORE = re.compile(r"[^\W\d_]\S* ")
_LOOKS = frozenset(
    {"startswith", "endswith", "removeprefix", "removesuffix", "find", "rfind", "index", "count", "partition", "rpartition", "split",
     "replace"}
)  # fmt: skip
_ERRORS = frozenset({"exc", "error", "e", "err", "exception"})
_PATTERNS = frozenset({"search", "match", "fullmatch", "sub", "findall", "finditer", "split"})
_KEEP_THE_WORDS = frozenset({"lower", "upper", "casefold", "strip", "rstrip", "lstrip", "capitalize"})


@dataclass(frozen=True, slots=True)
class Found:
    """One place. `code` is the comparison as written."""

    path: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code}"


def prose_as_data(root: Path) -> Iterator[Found]:
    """Every place below `root`/receiver and `root`/templates."""
    for path in sorted((root / "receiver").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        yield from in_python(path.read_text(encoding="utf-8"), name)
    for path in sorted((root / "templates").rglob("*.j2")):
        yield from in_template(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())


def in_python(source: str, path: str = "x.py") -> Iterator[Found]:
    """The places of one module, each function with the variables that it fills from our sentences."""
    if path.startswith(FOREIGN_FILES):
        return
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    names_at: dict[ast.AST, _Names] = {}
    for function in functions:  # an inner function comes after its outer one and knows more
        names = _Names.of(function)
        names_at |= dict.fromkeys(ast.walk(function), names)
    places: dict[tuple[int, int], ast.AST] = {}
    for node in ast.walk(tree):
        if _is_by_wording(node, names_at.get(node, _Names())):
            places.setdefault((node.lineno, node.col_offset), node)  # type: ignore[attr-defined]
    for (line, _), node in sorted(places.items()):
        yield Found(path, line, " ".join(ast.unparse(node).split())[:160])


def in_template(source: str, path: str = "x.j2") -> Iterator[Found]:
    """The places of one template."""
    tree = Environment().parse(source)
    places = {c.lineno for c in tree.find_all(nodes.Compare) if _is_compared(c)} | {
        c.lineno for c in tree.find_all(nodes.Call) if _is_looked_at(c)
    }
    for line in sorted(places):
        yield Found(path, line, source.splitlines()[line - 1].strip())


def _is_compared(compare: nodes.Compare) -> bool:
    sides = [compare.expr, *(operand.expr for operand in compare.ops)]
    return any(_is_prose_pair(_t_text(one), _t_name(other), _Names()) for one in sides for other in sides if one is not other)


def _is_looked_at(call: nodes.Call) -> bool:
    method = call.node
    if not isinstance(method, nodes.Getattr) or method.attr not in _LOOKS:
        return False
    return any(_is_prose_pair(_t_text(a), _t_name(method.node), _Names()) for a in call.args)


@dataclass(frozen=True, slots=True)
class _Names:
    """What names hold our sentences, and what names somebody else's text."""

    own: frozenset[str] = OWN_PROSE
    foreign: frozenset[str] = FOREIGN

    @staticmethod
    def of(function: ast.AST) -> _Names:
        """With the variables that the function fills, or runs over, from one or the other."""
        own, foreign = set[str](), set[str]()
        for target, value in _filled(function):
            if any(isinstance(n, ast.Attribute) and n.attr in OWN_PROSE for n in ast.walk(value)):
                own.add(target)
            elif _name(value) in FOREIGN:
                foreign.add(target)
        return _Names(frozenset(OWN_PROSE - foreign | own), frozenset(FOREIGN - own | foreign))


def _filled(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.For(target=ast.Name(id=name), iter=value) | ast.comprehension(target=ast.Name(id=name), iter=value):
                yield name, value


def _is_by_wording(node: ast.AST, names: _Names) -> bool:
    match node:
        case ast.Compare(left=left, ops=operators, comparators=comparators):
            sides = [left, *comparators]
            return any(_is_decided(one, operator, other, names) for one, operator, other in zip(sides, operators, sides[1:], strict=False))
        case ast.Call(func=ast.Attribute(attr=method, value=haystack), args=arguments):
            if method in _LOOKS and any(_is_prose_pair(_text(a), _name(haystack), names) for a in arguments):
                return True
            return method in _PATTERNS and any(_name(a) in names.own for a in arguments)
        case ast.MatchValue(value=value):
            return _is_sentence(_text(value))
    return False


def _is_decided(one: ast.expr, operator: ast.cmpop, other: ast.expr, names: _Names) -> bool:
    match operator:
        case ast.In() | ast.NotIn():
            if isinstance(other, ast.Tuple | ast.List | ast.Set):  # x in ("a b", "c d")
                return any(_is_prose_pair(_text(e), _name(one), names) for e in other.elts)
            is_variable = _text(one) is None and not isinstance(one, ast.Constant)
            return _is_prose_pair(_text(one), _name(other), names) or (
                is_variable and _name(other) in names.own and isinstance(one, ast.Name)
            )
        case ast.Eq() | ast.NotEq():
            return _is_prose_pair(_text(one), _name(other), names) or _is_prose_pair(_text(other), _name(one), names)
    return False


def _is_prose_pair(text: str | None, name: str, names: _Names) -> bool:
    """Whether looking for this text there is looking at our wording."""
    if text is None or not any(c.isalpha() for c in text):
        return False
    return name in names.own or name == "str()" or (_is_sentence(text) and name not in names.foreign)


def _is_sentence(text: str | None) -> bool:
    """Several words, or the first of them."""
    return text is not None and _WORD_AND_MORE.search(text) is not None


def _text(node: ast.expr) -> str | None:
    """A literal, with its holes left out; of several (a tuple), all of them."""
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else "x" for p in parts)
        case ast.Tuple(elts=parts):
            texts = [t for t in map(_text, parts) if t is not None]
            return "".join(texts) if texts else None
    return None


def _name(node: ast.expr) -> str:
    """What the expression reads: the last attribute or variable, seen through calls that keep the words."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]) if name in _ERRORS:
            return "str()"
        case ast.Call(func=ast.Attribute(attr=method, value=value)) if method in _KEEP_THE_WORDS | _LOOKS:
            return _name(value)
        case ast.Call(args=[first, *_]):
            return _name(first)
    return ""


def _t_text(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _t_name(node: nodes.Node | None) -> str:
    match node:
        case nodes.Getattr():
            return node.attr
        case nodes.Name():
            return node.name
        case nodes.Filter() | nodes.Getitem() | nodes.Call():
            return _t_name(node.node)
    return ""
