"""Where Git repositories are served and changes are proposed: GitHub and GitLab, each over its REST interface.

What is the same everywhere is `base.py`; nothing here decides what to propose, and nothing merges.
"""

from receiver.forge.base import Access, Branch, Edit, Forge, ForgeConfig, Request, State
from receiver.forge.make import KINDS, make_forge

__all__ = ["KINDS", "Access", "Branch", "Edit", "Forge", "ForgeConfig", "Request", "State", "make_forge"]
