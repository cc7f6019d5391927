"""`oomtriage completion bash|zsh|fish`: a script with every command, option and choice in it; names in the cluster are asked for at each TAB.

Why it is a generator of our own: docs/decisions/0011.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from receiver.cli.tree import FILES, Node, Option, Values

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from receiver.cli.main import whole_tree

    print(script(whole_tree(), arguments.shell), end="")
    return 0


def script(root: Node, shell: str) -> str:
    """The script for one of SHELLS."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](root)


# What bash and zsh have in common: the tables, and the walk along the words so far.
_WALK = """\
__oomtriage_candidates() { # the words behind the program's name, the last one being completed
    local at=oomtriage waits= word=
    while [ $# -gt 1 ]; do
        word=$1
        shift
        if [ -n "$waits" ]; then
            waits=
            continue
        fi
        case "$word" in
        -*) if __oomtriage_takes "$at $word"; then waits=$word; fi ;;
        *) if __oomtriage_is_command "$at $word"; then at="$at $word"; fi ;;
        esac
    done
    if [ -n "$waits" ]; then
        __oomtriage_values "$at $waits"
        return
    fi
    case "$1" in
    -*) __oomtriage_options "$at" ;;
    *) __oomtriage_values "$at" ;;
    esac
}
"""

_BASH = """\
_oomtriage() {
    local cur=${COMP_WORDS[COMP_CWORD]} line word name
    local -a words=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [ "$word" != "=" ]; then words+=("$word"); fi
    done
    if [ "$cur" = "=" ]; then
        cur=
        words+=("")
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        case "$line" in
        :files)
            compopt -o filenames 2>/dev/null
            while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur")
            ;;
        :*)
            while IFS= read -r name; do COMPREPLY+=("$name"); done < <("${COMP_WORDS[0]}" names "${line#:}" -- "${words[@]}" 2>/dev/null)
            ;;
        *)
            word=${line%%$'\\t'*}
            case "$word" in "$cur"*) COMPREPLY+=("$word") ;; esac
            ;;
        esac
    done < <(__oomtriage_candidates "${words[@]}")
    case "${COMPREPLY[0]-}" in */) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _oomtriage oomtriage
"""

_ZSH = """\
_oomtriage() {
    local line word
    local -a described plain
    for line in "${(@f)$(__oomtriage_candidates "${(@)words[2,CURRENT]}")}"; do
        case "$line" in
        '') ;;
        :files) _files ;;
        :*) plain+=("${(@f)$("${words[1]}" names "${line#:}" -- "${(@)words[2,CURRENT]}" 2>/dev/null)}") ;;
        *)
            word=${line%%$'\\t'*}
            if [[ "$line" == *$'\\t'* ]]; then described+=("${word//:/\\\\:}:${line#*$'\\t'}"); else described+=("${word//:/\\\\:}"); fi
            ;;
        esac
    done
    plain=("${(@)plain:#}")
    if (( $#described )); then _describe -t oomtriage oomtriage described; fi
    if (( $#plain )); then compadd -- "${(@)plain}"; fi
}
if [ "${funcstack[1]}" = "_oomtriage" ]; then
    _oomtriage "$@"
else
    compdef _oomtriage oomtriage
fi
"""


def _bash(root: Node) -> str:
    return "\n".join(["# bash completion for oomtriage", *_tables(root), _WALK, _BASH])


def _zsh(root: Node) -> str:
    return "\n".join(["#compdef oomtriage", *_tables(root), _WALK, _ZSH])


def _tables(root: Node) -> Iterator[str]:
    yield from _case("__oomtriage_is_command", ((node.path, "return 0") for node in root.all() if node is not root), otherwise="return 1")
    takes = ((f"{node.path} {name}", "return 0") for node, option in _valued(root) for name in option.names)
    yield from _case("__oomtriage_takes", takes, otherwise="return 1")
    yield from _case("__oomtriage_options", ((node.path, _lines(_options(node))) for node in root.all()))
    values = [(node.path, _lines(node.values)) for node in root.all()]
    values += [(f"{node.path} {name}", _lines(option.values or Values())) for node, option in _valued(root) for name in option.names]
    yield from _case("__oomtriage_values", ((key, lines) for key, lines in values if lines))


def _valued(root: Node) -> Iterator[tuple[Node, Option]]:
    return ((node, option) for node in root.all() for option in node.options if option.values is not None)


def _options(node: Node) -> Values:
    return Values(words=tuple((name, option.help) for option in node.options for name in option.names))


def _case(name: str, branches: Iterator[tuple[str, str]], *, otherwise: str = "") -> Iterator[str]:
    """A function that does what stands beside its first argument; what is the same stands once."""
    keys: dict[str, list[str]] = {}
    for key, does in branches:
        keys.setdefault(does, []).append(shlex.quote(key))
    yield f"{name}() {{"
    yield '    case "$1" in'
    yield from (f"    {'|'.join(of)}) {does} ;;" for does, of in keys.items())
    if otherwise:
        yield f"    *) {otherwise} ;;"
    yield "    esac"
    yield "}"


def _lines(values: Values) -> str:
    """Prints a line each: WORD, or WORD, tab, help; `:KIND` for what the shell or the cluster knows."""
    said = [f":{values.kind}"] if values.kind else [f"{word}\t{said}" if said else word for word, said in values.words]
    return "printf '%s\\n' " + " ".join(_quoted(line) for line in said) if said else ""


def _quoted(line: str) -> str:
    """For bash and zsh; a tab as one can see it."""
    word, tab, said = line.partition("\t")
    return shlex.quote(word) + (f"$'\\t'{shlex.quote(said)}" if tab else "")


_FISH = """\
function __oomtriage_at
    set -l at oomtriage
    set -l waits 0
    for word in (commandline -opc)[2..-1]
        if test $waits = 1
            set waits 0
            continue
        end
        switch $word
            case '-*'
                contains -- "$at $word" $__oomtriage_takes; and set waits 1
            case '*'
                contains -- "$at $word" $__oomtriage_commands; and set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

function __oomtriage_names
    set -l before (commandline -opc)
    $before[1] names $argv[1] -- $before[2..-1] (commandline -ct) 2>/dev/null
end

complete -c oomtriage -f
"""


def _fish(root: Node) -> str:
    commands = [node.path for node in root.all() if node is not root]
    takes = [f"{node.path} {name}" for node, option in _valued(root) for name in option.names]
    return "\n".join(
        [
            "# fish completion for oomtriage",
            f"set -g __oomtriage_commands {' '.join(map(_fish_quoted, commands))}",
            f"set -g __oomtriage_takes {' '.join(map(_fish_quoted, takes))}",
            _FISH,
            *(line for node in root.all() for line in _fish_lines(node)),
            "",
        ]
    )


def _fish_lines(node: Node) -> Iterator[str]:
    start = f"complete -c oomtriage -n {_fish_quoted(f'__oomtriage_at {node.path}')}"
    if node.values.words:
        yield from (f"{start} -a {_fish_quoted(word)}{_described(said)}" for word, said in node.values.words)
    elif node.values.kind:
        yield f"{start} {_fish_values(node.values)}"
    for option in node.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        takes = "" if option.values is None else f" -r {_fish_values(option.values)}".rstrip()
        yield f"{start} {names}{takes}{_described(option.help)}"


def _fish_values(values: Values) -> str:
    if values.kind == FILES:
        return "-F"
    if values.kind:
        return f"-x -a {_fish_quoted(f'(__oomtriage_names {values.kind})')}"
    return f"-x -a {_fish_quoted(' '.join(word for word, _ in values.words))}" if values.words else "-x"


def _described(said: str) -> str:
    return f" -d {_fish_quoted(said)}" if said else ""


def _fish_quoted(text: str) -> str:
    """In fish's single quotes only the quote and the backslash are escaped."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
