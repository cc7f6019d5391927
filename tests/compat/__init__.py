"""Tests for `make compat` alone: what they start is not fetched by `make test`."""
