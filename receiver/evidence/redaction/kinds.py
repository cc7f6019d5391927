"""The kinds of secrets: what stands in `[redacted KIND]` and in the counts, and how each is recognised (docs/redaction.md). Each takes a plural s."""

from __future__ import annotations

PASSWORD = "password"  # noqa: S105
TOKEN = "token"  # noqa: S105
SECRET = "secret"  # noqa: S105
API_KEY = "API key"
PRIVATE_KEY = "private key"
CREDENTIAL = "credential"
COOKIE = "cookie"
URL_PASSWORD = "URL password"  # noqa: S105
RANDOM = "random string"
JWT = "JWT"
AWS_KEY = "AWS key"
GOOGLE_KEY = "Google key"
AZURE_KEY = "Azure key"
GITHUB_TOKEN = "GitHub token"  # noqa: S105
GITLAB_TOKEN = "GitLab token"  # noqa: S105
SLACK_TOKEN = "Slack token"  # noqa: S105
STRIPE_KEY = "Stripe key"
NPM_TOKEN = "npm token"  # noqa: S105
PYPI_TOKEN = "PyPI token"  # noqa: S105
AI_KEY = "AI key"
EMAIL = "e-mail"
CARD = "card number"

KINDS: tuple[tuple[str, str], ...] = (
    (PASSWORD, "by the name beside it, in 30 languages; as an argument of 60 commands; in SQL, protocol commands, config files and calls in a stack trace; hashes of passwords"),
    (TOKEN, "by the name beside it (`token`, `access_token`, `X-Auth-Token`, `csrftoken`, one-time codes); Vault, Docker Hub, Grafana, DigitalOcean, Telegram and 20 other issuers by shape"),
    (SECRET, "by the name beside it (`client_secret`, `SECRET_KEY`, `signing-key`, `credentials`, a seed phrase); each value of a Kubernetes Secret, in YAML, JSON and Go's notation"),
    (API_KEY, "by the name beside it (`api_key`, `X-Api-Key`, `subscription-key`); SendGrid, Twilio, Databricks, New Relic, Shopify, Atlassian and 30 other issuers by shape"),
    (PRIVATE_KEY, "PEM, PGP, SSH2 and PuTTY blocks, whole or cut at either end of the log, also in one JSON string; age and WireGuard keys"),
    (CREDENTIAL, "what follows `Authorization:` and `Bearer`, `Basic`; SASL PLAIN; a text in base64 or hex with a secret in it"),
    (COOKIE, "`Cookie:` and `Set-Cookie:` headers, session ids by name"),
    (URL_PASSWORD, "`scheme://user:password@host`, data source names of Go and Oracle"),
    (RANDOM, "20 or more letters and digits that no word, hash, UUID, id, path, class or object name has: the tokens of issuers that no list knows"),
    (JWT, "three or more base64url parts that begin with `eyJ`"),
    (AWS_KEY, "access key ids (`AKIA`, `ASIA`), secret access keys by name, signatures of presigned URLs"),
    (GOOGLE_KEY, "API keys (`AIza`), OAuth client secrets, access and refresh tokens"),
    (AZURE_KEY, "storage and service bus keys in connection strings, SAS signatures, client secrets"),
    (GITHUB_TOKEN, "`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`"),
    (GITLAB_TOKEN, "`glpat-` and its relatives"),
    (SLACK_TOKEN, "`xoxb-` and its relatives, `xapp-`, incoming webhook URLs"),
    (STRIPE_KEY, "`sk_live_`, `rk_live_`, `whsec_`, also of the test mode"),
    (NPM_TOKEN, "`npm_`"),
    (PYPI_TOKEN, "`pypi-`"),
    (AI_KEY, "OpenAI, Anthropic, OpenRouter, Hugging Face, Groq, Replicate, xAI, Perplexity"),
    (EMAIL, "only when switched on"),
    (CARD, "only when switched on: 14 to 19 digits of a known issuer with a valid check digit"),
)  # fmt: skip
