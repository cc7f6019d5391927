"""Templates are the users' to override: typed context, honest failure, no way to ping or to break a message."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import jinja2
import pytest

from receiver.render import Renderer, broken_templates, slack_environment
from receiver.render.context.model import Context
from receiver.render.digest import StormWords
from receiver.render.environment import BrokenTemplate, fragments
from receiver.render.thread import EvidenceWords
from tests.checks.slack_limits import problems
from tests.unit.render import cases
from tests.unit.render.test_renderer import TEMPLATES, assert_good

DOCS = TEMPLATES.parents[1] / "docs" / "templates.md"


def builtin() -> jinja2.Environment:
    return slack_environment(jinja2.FileSystemLoader(TEMPLATES))


def overridden(name: str, source: str) -> Renderer:
    loader = jinja2.ChoiceLoader([jinja2.DictLoader({name: source}), jinja2.FileSystemLoader(TEMPLATES)])
    return Renderer(slack_environment(loader), builtin())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("header: {{ subjekt }}\ntext: x", "'subjekt' is undefined"),
        ("header: {% if %}", "line 1"),
        ("header: {{ growth.began }}\ntext: x", "None"),
        ("headline: {{ subject }}", "begins with none of"),
        ("header: {{ 1 // 0 }}", "ZeroDivisionError"),
        ("header: {{ subject.__class__.__mro__ }}", "SecurityError"),
    ],
)
def test_a_broken_user_template_falls_back_and_says_so(source: str, why: str) -> None:
    """The built-in message goes out, and its grey line names the template and what is wrong with it."""
    view, report = cases.leak()
    messages = overridden("root/leak.j2", source).incident(view, report)

    assert_good(messages)
    assert "OOMKilled 4 times in 8 h. Likely a memory leak" in messages[0].full_text
    assert "Template root/leak.j2 is broken" in messages[0].full_text
    assert why in messages[0].full_text


def test_a_user_template_changes_the_words_only() -> None:
    """An override of one template leaves all the others as they are."""
    view, report = cases.leak()
    source = "header: 🔴 {{ subject }} died\ndo: Call the team of {{ namespace | code }}.\ntext: 🔴 {{ subject }} died"
    root, *replies = overridden("root/leak.j2", source).incident(view, report)
    _, *usual = Renderer(builtin()).incident(view, report)

    assert root.full_text.splitlines()[0] == "🔴 orders-api died"
    assert "Do     Call the team of shop." in root.full_text
    assert replies == usual


def test_when_not_even_the_built_in_templates_work_the_alert_is_passed_on() -> None:
    """Name, severity and labels go out without any template."""
    view, report = cases.leak()
    for make in (Renderer.single, Renderer.later):
        message = make(Renderer(slack_environment(jinja2.DictLoader({}))), view, report)
        assert problems(message.body()) == []
        assert "OOMKilled is firing" in message.full_text
    (message,) = Renderer(slack_environment(jinja2.DictLoader({}))).incident(view, report)
    assert "pod: orders-api-7d9c5b8f6d-x2x9k" in message.full_text


def test_a_report_that_cannot_be_shown_does_not_withhold_the_alert() -> None:
    """Whatever is wrong with a report, the alert goes out and says that something is wrong."""
    view, report = cases.leak()
    impossible = replace(report, kill=None)  # type: ignore[arg-type]
    root = Renderer(builtin()).incident(view, impossible)[0]

    assert "could not be shown (AttributeError" in root.full_text
    assert "OOMKilled (critical) is firing" in root.full_text


def test_a_value_cannot_forge_a_line_of_the_message() -> None:
    """A value at the beginning of a template's line is text, whatever it looks like."""
    environment = slack_environment(jinja2.DictLoader({"t": "header: x\n {{ evil }}\n"}))

    assert fragments(environment, "t", {"evil": "do: rm -rf"}, ("header", "do")) == {"header": ("x do: rm -rf",)}
    with pytest.raises(BrokenTemplate):
        fragments(slack_environment(jinja2.DictLoader({"t": "{{ evil }}"})), "t", {"evil": "do: rm -rf"}, ("header", "do"))


def test_a_template_cannot_ping_either() -> None:
    """Even a template's own text is escaped: only a route's mention pings."""
    view, report = cases.leak()
    source = "header: <!channel> wake up\ndo: <@U123> & {{ '<!here>' }}\ntext: <!channel> wake up & {{ subject }}"
    messages = overridden("root/leak.j2", source).incident(view, report)

    assert_good(messages)
    assert messages[0].text == "&lt;!channel&gt; wake up &amp; orders-api"


def test_styles_made_in_macros_survive_and_cannot_be_forged() -> None:
    """`code` inside a macro stays code; the control characters that carry styles are stripped from values."""
    source = "{% macro m(x) %}{{ x | code }}{% endmacro %}header: h\ndo: {{ m('a') }} and {{ evil }}"
    environment = slack_environment(jinja2.DictLoader({"t": source}))
    printed = fragments(environment, "t", {"evil": "\x02c\x1fx\x03"}, ("header", "do"))

    assert printed["do"] == ("\x02c\x1fa\x03 and cx",)


def test_templates_that_do_not_compile_are_found_beforehand() -> None:
    """A check before the first incident names the template and the line."""
    environment = slack_environment(jinja2.DictLoader({"root/leak.j2": "header: x\n{% if %}", "root/node.j2": "header: x"}))

    assert list(broken_templates(environment)) == ["root/leak.j2"]
    assert broken_templates(environment)["root/leak.j2"].startswith("line 2:")
    assert broken_templates(builtin()) == {}


def test_a_sentence_keeps_the_spelling_of_names() -> None:
    """A Kubernetes name at the beginning of a sentence is no word to capitalise."""
    environment = slack_environment(jinja2.DictLoader({"t": "why: {{ reasons | sentences(2) }}"}))
    printed = fragments(environment, "t", {"reasons": ("hungry has no limit", "it took 2 GiB"), "workload": "hungry"}, ("why",))

    assert printed["why"] == ("hungry has no limit. It took 2 GiB.",)


def _described(cls: type) -> list[tuple[str, str]]:
    rows = []
    for name, hint in get_type_hints(cls, include_extras=True).items():
        assert get_origin(hint) is Annotated, f"{cls.__name__}.{name} has no help text"
        rows.append((name, get_args(hint)[1]))
    return rows


def _parts(cls: type) -> list[tuple[str, type]]:
    """The dataclasses of a context's fields, by the field's name."""
    found = []
    for name, hint in get_type_hints(cls).items():
        for candidate in (hint, *get_args(hint)):
            if is_dataclass(candidate) and isinstance(candidate, type) and candidate.__name__.endswith("Words"):
                found.append((name, candidate))
    return found


def context_table() -> str:
    """The field tables of docs/templates.md."""
    lines = ["| name | what it is |", "|---|---|"]
    lines += [f"| `{name}` | {help_} |" for name, help_ in _described(Context)]
    for prefix, cls in [*_parts(Context), ("evidence", EvidenceWords), ("storm", StormWords)]:
        lines += ["", f"### `{prefix}`", "", "| name | what it is |", "|---|---|"]
        lines += [f"| `{prefix}.{name}` | {help_} |" for name, help_ in _described(cls)]
    return "\n".join(lines)


def test_the_documented_context_is_the_real_one(request: pytest.FixtureRequest) -> None:
    """docs/templates.md lists every field a template sees, with its help text."""
    begin, end = "<!-- fields: generated -->\n", "\n<!-- fields: end -->"
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    table, _, after = rest.partition(end)
    if request.config.getoption("--update-golden"):
        DOCS.write_text(before + begin + context_table() + end + after, encoding="utf-8")
        return

    assert table == context_table(), "run pytest --update-golden"


def test_every_template_is_named_in_the_docs() -> None:
    """A user who overrides templates finds each of them in docs/templates.md."""
    text = DOCS.read_text(encoding="utf-8")
    names = sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.j2"))

    assert [n for n in names if f"`{n}`" not in text] == []


def test_json_of_every_message_is_plain_data() -> None:
    """Bodies are stored as JSON, so they hold nothing else."""
    for case in cases.CASES.values():
        for message in Renderer(builtin()).incident(*case()):
            body: dict[str, Any] = message.body()
            assert json.loads(json.dumps(body)) == body
    assert next(f.name for f in fields(Context)) == "subject"
