"""Simulated worlds with a known truth: programs and their memory, clusters, histories, broken rules.

Tests and benchmarks both read them. `bench` imports from here; nothing under `tests` imports `bench`
(tests/unit/tools/test_repository.py).
"""
