"""The end of each command's `--help`: what people type, and what the exit code means. A test parses every line of it."""

from __future__ import annotations

from collections.abc import Mapping

EXIT_CODES = (
    "exit codes: 0 done; 1 the answer is a failure: a check failed, nothing was found, a source does not answer; 2 usage or settings"
)

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "serve": ("", "--config /etc/oomtriage/config.yaml"),
    "demo": ("", "--once"),
    "triage": (
        "-n shop                                what died there in the last hour, with a verdict each",
        "-A --since 30m                         in the whole cluster",
        "-n shop orders-api-655779759d-jst99    the whole story of one pod",
        "-n shop deploy/orders-api              of a Deployment's worst pod; also statefulset/, daemonset/, job/, cronjob/",
        "-n shop -l app=orders-api              of the worst pod with these labels",
        "-n shop deploy/orders-api -v           with every number behind the verdict",
        "-n shop deploy/orders-api -o json      for programs",
        "-n shop deploy/orders-api --save case.json",
    ),
    "diagnose": ("case.json", "case.json -v", "case.json -o json"),
    "preview": ("", "--config /etc/oomtriage/config.yaml"),
    "classify": ("memory.csv", "*.csv.gz -o json", "memory.csv --until 3600"),
    "rules": ("check", "check --prometheus http://localhost:9090", "render --format prometheusrule", "backtest --prometheus http://localhost:9090"),
    "rules check": (
        "                                            the shipped rules",
        "my-rules/                                   your own",
        "--prometheus http://localhost:9090          also what that Prometheus lacks for them, and what they cost there",
        "--prometheus http://localhost:9090 --no-cost",
    ),
    "rules render": ("> rules.yaml", "--format prometheusrule --values values.yaml"),
    "rules schema": ("",),
    "rules backtest": ("--prometheus http://localhost:9090 --since 14d", "--prometheus http://localhost:9090 --against old-rules/ my-rules/"),
    "doctor": ("", "-v", "--config config.yaml -o json"),
    "test-alert": ("", "--channel C0123456789", "--url http://oomtriage.oomtriage:8080"),
    "dead": ("list", "replay", "drop 4f1c9e"),
    "backup": ("oomtriage.backup", "- > oomtriage.backup"),
    "restore": ("oomtriage.backup",),
    "migrate-store": ("sqlite:////var/lib/oomtriage/state.db @/etc/oomtriage/secret/store-url",),
    "ack": ("inc_01K8ZZZZZZZZZZZ --by Ines",),
    "fix": ("case.json --repo ~/deploy", "case.json --repo ~/deploy --write", "inc_01K8ZZZZZZZZZZZ --pull-request --by Ines"),
    "fixed": ("inc_01K8ZZZZZZZZZZZ --by Ines",),
    "tick": ("inc_01K8ZZZZZZZZZZZ root_cause --by Ines", "inc_01K8ZZZZZZZZZZZ root_cause --undo"),
    "config": ("", "--config config.yaml", "--config config.yaml --route namespace=shop,severity=critical --at 2026-11-23T03:14:00Z"),
    "completion": ("bash > ~/.local/share/bash-completion/completions/oomtriage", "zsh > ~/.zfunc/_oomtriage", "fish > ~/.config/fish/completions/oomtriage.fish"),
}  # fmt: skip


def epilog(command: str, prog: str) -> str:
    """Examples, as `prog` is called, and the exit codes. `command`: of EXAMPLES; what is none there has the codes alone."""
    lines = [f"  {prog} {words}".rstrip() for words in EXAMPLES.get(command, ())]
    return "\n".join([*(["examples:"] if lines else []), *lines, *([""] if lines else []), EXIT_CODES])
