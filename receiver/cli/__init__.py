"""The commands. stdout carries only the answer; logs and progress go to stderr.

Exit codes: 0 done; 1 the answer is a failure (a check failed, nothing found); 2 usage or configuration, one clear line.
"""

from receiver.cli.main import kubectl_main, main

__all__ = ["kubectl_main", "main"]
