"""The template language of messages: Jinja2 in a sandbox, and the keyed lines that a template must print.

A template looks like the message it makes, one `key: text` a line; a line that begins with a blank continues the one
above. Empty lines and keys without text vanish. `header:` and `text:` may come several times: the first that fits is used.
There is no HTML escaping (Slack would show `&#39;` literally): every printed value is cleaned by `inline.finalize`, and the
one field that Slack parses is escaped as a whole after it was cut, so a template can neither ping nor break a block.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from receiver.render import inline
from receiver.render.text import clean_line, ended, sentence

Fragments = Mapping[str, tuple[str, ...]]

_KEY = re.compile(r"([a-z_]+):(.*)")


class BrokenTemplate(Exception):
    """A template could not be used. `name` and `why` are for a person; `why` is one cleaned line."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"template {name}: {why}")
        self.name = name
        self.why = why


class SlackEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 whose macros and blocks yield `Inline`, so that styles made inside them survive being printed."""

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join what a template, macro or block printed."""
        return inline.Inline("".join(parts))


def slack_environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    """The environment that `Renderer` expects. Pure: the loader does the reading. See docs/templates.md."""
    environment = SlackEnvironment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        finalize=inline.finalize,
        autoescape=False,
    )
    environment.filters.update(
        code=inline.code, bold=inline.bold, italic=inline.italic, link=_link, ended=_ended, sentence=_sentence, sentences=_sentences
    )
    return environment


def broken_templates(environment: jinja2.Environment) -> dict[str, str]:
    """Templates that cannot even be compiled, and why: for a check before anything depends on them."""
    found = {}
    for name in environment.list_templates(extensions=("j2",)):
        try:
            environment.get_template(name)
        except jinja2.TemplateError as exc:
            found[name] = clean_line(f"line {getattr(exc, 'lineno', '?')}: {exc}", 200)
    return found


def fragments(environment: jinja2.Environment, name: str, variables: Mapping[str, Any], keys: Collection[str]) -> Fragments:
    """What a template prints, by key. BrokenTemplate for a template that is missing, fails, or prints an unknown key."""
    try:
        printed = environment.get_template(name).render(variables)
    except jinja2.TemplateError as exc:
        line = getattr(exc, "lineno", None)
        why = f"{type(exc).__name__}: {exc}" if not line else f"line {line}: {exc}"
        raise BrokenTemplate(name, clean_line(why, 200)) from exc
    except Exception as exc:  # a user's template may do anything: whatever it raises, the alert goes out
        raise BrokenTemplate(name, clean_line(f"{type(exc).__name__}: {exc}", 200)) from exc
    return _keyed(name, printed, keys)


def _keyed(name: str, printed: str, keys: Collection[str]) -> Fragments:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(printed.split("\n"), start=1):
        if not line.strip():
            continue
        match = _KEY.match(line)
        if match and match[1] in keys:
            current = found.setdefault(match[1], [])
            current.append(match[2].strip())
        elif line[0] in " \t" and current is not None:
            current[-1] = f"{current[-1]} {line.strip()}".strip()
        else:
            raise BrokenTemplate(name, clean_line(f"printed line {number} begins with none of {', '.join(keys)}: {line}", 200))
    cleaned = {key: tuple(_tidy(text) for text in texts if _tidy(text)) for key, texts in found.items()}
    return {key: texts for key, texts in cleaned.items() if texts}


def _tidy(text: str) -> str:
    return re.sub(" {2,}", " ", text.replace(inline.VALUE, "")).strip()


def _link(url: str, text: str) -> inline.Inline:
    return inline.link(url, text)


@jinja2.pass_context
def _sentence(context: jinja2.runtime.Context, text: str) -> str:
    """A phrase as a sentence. One that begins with a name of the incident keeps the name as it is spelt."""
    cleaned = clean_line(text)
    first = cleaned.partition(" ")[0].rstrip(",:;")
    is_name = any(first and context.get(name) == first for name in ("workload", "container", "pod", "node", "subject"))
    return ended(cleaned) if is_name else sentence(cleaned)


def _ended(text: str) -> str:
    return ended(clean_line(text))


@jinja2.pass_context
def _sentences(context: jinja2.runtime.Context, texts: Iterable[str], most: int = 3) -> str:
    """The first few phrases as sentences in a row."""
    return " ".join(_sentence(context, t) for t in tuple(texts)[:most])
