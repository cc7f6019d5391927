"""Diagnosis to message: pure text and Block Kit building. Start at `renderer.Renderer`."""

from receiver.render.renderer import Renderer

__all__ = ["Renderer"]
