"""Checks that run on everything of a kind: every message, wherever a test makes one."""
