"""The command line as data, read off the argparse parsers: what completion needs to know of each command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from receiver.render.text import clean_line

# What stands where such a word is expected. Kinds of NAMES are asked of the cluster (`cli/names.py`); FILES is the shell's own affair.
FILES = "files"
NAMES = ("targets", "namespaces", "contexts")
BY_METAVAR: Mapping[str, str] = {
    "POD": "targets", "NS": "namespaces", "CONTEXT": "contexts", "FILE": FILES, "CASE": FILES, "CASE.json": FILES, "PATH": FILES,
    "DIR|FILE": FILES, "SERIES.csv[.gz]": FILES,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What may stand at a place: words with their help, or what a kind names; neither: nothing that anybody could know."""

    words: tuple[tuple[str, str], ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option by all its names. `values` None: it takes none."""

    names: tuple[str, ...]
    help: str = ""
    values: Values | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A command. `path`: `oomtriage rules check`; `values`: of its arguments, or its sub-commands."""

    path: str
    help: str = ""
    options: tuple[Option, ...] = ()
    values: Values = field(default_factory=Values)
    children: Mapping[str, Node] = field(default_factory=dict)

    def all(self) -> Iterator[Node]:
        """Itself and everything below it."""
        yield self
        for child in self.children.values():
            yield from child.all()

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if name in option.names), None)


def node_of(parser: argparse.ArgumentParser, path: str, summary: str = "") -> Node:
    """The whole tree under a parser. Commands without a help text are not for people, and are left out."""
    options, children, values = [], {}, Values()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            known = {choice.dest: choice.help or "" for choice in action._choices_actions}
            children = {name: node_of(action.choices[name], f"{path} {name}", said) for name, said in known.items()}
            values = Values(words=tuple((name, _short(said)) for name, said in known.items()))
        elif not action.option_strings:
            values = values if values.words or values.kind else _values(action)  # of several arguments the first that can be told
        elif action.help != argparse.SUPPRESS:
            takes = None if action.nargs == 0 else _values(action)
            options.append(Option(names=tuple(action.option_strings), help=_short(_said(action)), values=takes))
    return Node(path=path, help=_short(summary), options=tuple(options), values=values, children=children)


def _said(action: argparse.Action) -> str:
    """Its help; `%(default)s` is argparse's own."""
    return (action.help or "").replace("%(default)s", str(action.default))


def _short(text: str) -> str:
    """One line beside a word: up to the first bracket or semicolon."""
    return clean_line(text.partition(" (")[0].partition(";")[0], 70)


def _values(action: argparse.Action) -> Values:
    if action.choices is not None:
        return Values(words=tuple((str(choice), "") for choice in action.choices))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Values(kind=BY_METAVAR.get(metavar, ""))


def expected(root: Node, words: Sequence[str]) -> Values:
    """What may stand in the place of the last word, which is being written."""
    node, waits_for = root, None
    for word in words[:-1]:
        if waits_for is not None:
            waits_for = None
        elif word.startswith("-"):
            option = node.option(word)
            waits_for = option.values if option is not None else None
        else:
            node = node.children.get(word, node)
    if waits_for is not None:
        return waits_for
    if words[-1].startswith("-"):
        return Values(words=tuple((name, option.help) for option in node.options for name in option.names))
    return node.values
