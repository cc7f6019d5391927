"""Tests of tests/unit once more, over databases in place of state files. A file each, with the same name."""
