"""Keys and tokens that their issuers gave a shape of their own: mostly a prefix. One line a shape.

A shape may start only where its run of letters starts, or after an escape (of a newline, of `=` in a URL), so each run is tried once.
"""

from __future__ import annotations

import re

from receiver.evidence.redaction.names import API_KEY, AWS_KEY, PRIVATE_KEY, TOKEN

AI_KEY = "AI key"
AZURE_KEY = "Azure key"
GITHUB_TOKEN = "GitHub token"  # noqa: S105
GITLAB_TOKEN = "GitLab token"  # noqa: S105
GOOGLE_KEY = "Google key"
JWT = "JWT"
NPM_TOKEN = "npm token"  # noqa: S105
PYPI_TOKEN = "PyPI token"  # noqa: S105
SLACK_TOKEN = "Slack token"  # noqa: S105
STRIPE_KEY = "Stripe key"

_START = r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm))"
_END = r"(?![A-Za-z0-9_])"
_URL = r"[A-Za-z0-9_-]"

# Kind, lower-case pieces of which the text must have one, the shape. A group `secret` is what is replaced, else all of it.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    (JWT, "eyj", rf"eyJ(?:{_URL}{{5,}}+(?:\.{_URL}{{2,}}+){{1,4}}+\.?|(?:hbGciOi|0eXAiOi|raWQiOi){_URL}*+)"),
    (AWS_KEY, "akia asia abia acca", rf"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}{_END}"),
    (GOOGLE_KEY, "aiza", rf"AIza{_URL}{{35}}"),
    (GOOGLE_KEY, "gocspx-", rf"GOCSPX-{_URL}{{24,40}}+"),
    (GOOGLE_KEY, "ya29.", r"ya29\.[A-Za-z0-9_.-]{20,}+"),
    (AZURE_KEY, "q~", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~-])"),
    (GITHUB_TOKEN, "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{20,}+"),
    (GITHUB_TOKEN, "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}+"),
    (
        GITLAB_TOKEN,
        "glpat- gloas- gldt- glrt- glcbt- glptt- glagent- glsoat-",
        r"gl(?:pat|oas|dt|rt|cbt|ptt|agent|soat)-[A-Za-z0-9_.-]{18,}+",
    ),
    (GITLAB_TOKEN, "gr1348941", rf"GR1348941{_URL}{{18,}}+"),
    (SLACK_TOKEN, "xox", r"xox(?:[abceoprs]|e\.xox[bp])-[A-Za-z0-9-]{10,}+"),
    (SLACK_TOKEN, "xapp-", r"xapp-[A-Za-z0-9-]{10,}+"),
    (SLACK_TOKEN, "hooks.slack", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,}+)"),
    (STRIPE_KEY, "k_live_ k_test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+"),
    (STRIPE_KEY, "whsec_", r"whsec_[A-Za-z0-9+/=]{16,}+"),
    (NPM_TOKEN, "npm_", rf"npm_[A-Za-z0-9]{{36}}{_END}"),
    (PYPI_TOKEN, "pypi-", rf"pypi-AgE{_URL}{{16,}}+"),
    (AI_KEY, "sk-", rf"sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin|sid)\d\d-|or-v1-|lf-){_URL}{{16,}}+"),
    (AI_KEY, "sk-", r"sk-[A-Za-z0-9]{32,}+"),
    (AI_KEY, "hf_", r"hf_[A-Za-z0-9]{30,}+"),
    (AI_KEY, "gsk_", r"gsk_[A-Za-z0-9]{40,}+"),
    (AI_KEY, "r8_", r"r8_[A-Za-z0-9]{37}"),
    (API_KEY, "sg.", rf"SG\.{_URL}{{16,40}}+\.{_URL}{{16,60}}+"),  # SendGrid
    (API_KEY, "sk", rf"SK[0-9a-f]{{32}}{_END}"),  # Twilio
    (API_KEY, "-us", r"[0-9a-f]{32}-us\d{1,2}(?!\d)"),  # Mailchimp
    (API_KEY, "dapi", r"dapi[0-9a-f]{32}"),  # Databricks
    (API_KEY, "nrak- nrra-", r"NR(?:AK|RA)-[A-Z0-9]{24,}+"),  # New Relic
    (API_KEY, "lin_api_", r"lin_api_[A-Za-z0-9]{32,}+"),  # Linear
    (API_KEY, "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),  # Shopify
    (API_KEY, "sq0", rf"sq0(?:atp|csp|idp)-{_URL}{{22,}}+"),  # Square
    (API_KEY, "phc_ phx_", r"ph[cx]_[A-Za-z0-9]{32,}+"),  # PostHog
    (API_KEY, "atatt3", r"ATATT3[A-Za-z0-9_=-]{50,}+"),  # Atlassian
    (API_KEY, "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),  # Postman
    (API_KEY, "hrku-", rf"HRKU-{_URL}{{36,}}+"),  # Heroku
    (API_KEY, ":apa91b", rf"AAAA{_URL}{{7}}:APA91b{_URL}{{100,}}+"),  # Firebase
    (TOKEN, "hvs. hvb. hvr.", rf"hv[sbr]\.{_URL}{{20,}}+"),  # Vault
    (TOKEN, "_v1_", r"do[opr]_v1_[0-9a-f]{32,}+"),  # DigitalOcean
    (TOKEN, "dckr_", rf"dckr_[a-z]{{2,6}}_{_URL}{{20,}}+"),  # Docker Hub
    (TOKEN, "glsa_", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),  # Grafana
    (TOKEN, "glc_", r"glc_[A-Za-z0-9+/=]{32,}+"),
    (TOKEN, "sntry", r"sntry[su]_[A-Za-z0-9_+/=.-]{32,}+"),  # Sentry
    (TOKEN, "atlasv1", rf"[A-Za-z0-9]{{14}}\.atlasv1\.{_URL}{{40,}}+"),  # Terraform Cloud
    (TOKEN, "ntn_", r"ntn_[A-Za-z0-9]{40,}+"),  # Notion
    (TOKEN, "dp.", r"dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9_.-]{30,}+"),  # Doppler
    (TOKEN, "sl.", rf"sl\.{_URL}{{100,}}+"),  # Dropbox
    (TOKEN, ":aa", rf"\d{{8,10}}:AA{_URL}{{33}}(?![\w-])"),  # Telegram bots
    (TOKEN, ".", rf"[MNO]{_URL}{{23,25}}\.{_URL}{{6}}\.{_URL}{{27,40}}(?![\w-])"),  # Discord bots
    (TOKEN, "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{5,25}/(?P<secret>[A-Za-z0-9_-]{20,}+)"),
    (TOKEN, "webhook.office", r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9/@_-]{20,}+)"),
    (PRIVATE_KEY, "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}+"),
    # "-----BEGIN ... PRIVATE" in base64, as Secrets and kubeconfigs hold it
    (
        PRIVATE_KEY,
        "ls0tls1crudjti",
        r"LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFUR|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BFTkNSWVBURUQgUFJJVkFUR|BEU0EgUFJJVkFUR)"
        r"[A-Za-z0-9+/]*+={0,2}",
    ),
)

VENDOR_SHAPES: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (kind, tuple(hints.split()), re.compile(_START + shape)) for kind, hints, shape in _SHAPES
)
