"""Diagnosis to message: pure text and Block Kit building. Start at `renderer.Renderer`; templates: docs/templates.md."""

from receiver.render.environment import broken_templates, slack_environment
from receiver.render.renderer import Renderer, plain_body, standalone_view

__all__ = ["Renderer", "broken_templates", "plain_body", "slack_environment", "standalone_view"]
