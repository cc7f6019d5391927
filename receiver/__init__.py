"""oomtriage: a Slack message that has already done the first twenty minutes of an OOMKilled incident.

The package is layered by role; imports go down only (``pyproject.toml``, [tool.importlinter]; docs/architecture.md).
"""
