"""Measurements behind the README: `python -m bench [NAME ...]`. Ratios side by side, never a verdict."""
