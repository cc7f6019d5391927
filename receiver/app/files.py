"""Where the files that ship beside the code are: in an installed wheel, an editable install or a clone."""

from __future__ import annotations

from pathlib import Path

import jinja2

import receiver

_PACKAGE = Path(receiver.__file__).parent


def templates_dir() -> Path:
    """The built-in templates: packed into the wheel as `receiver/_templates`, else beside the package in the clone."""
    packed = _PACKAGE / "_templates"
    return packed if packed.is_dir() else _PACKAGE.parent / "templates"


def web_environment() -> jinja2.Environment:
    """Jinja2 for pages: HTML is escaped by itself, a typo in a template is an error."""
    loader = jinja2.FileSystemLoader(templates_dir() / "web")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def slack_loader(user_dir: str = "") -> jinja2.BaseLoader:
    """The message templates: the user's own first, the built-in ones for what they lack."""
    builtin = jinja2.FileSystemLoader(templates_dir() / "slack")
    return jinja2.ChoiceLoader([jinja2.FileSystemLoader(user_dir), builtin]) if user_dir else builtin
