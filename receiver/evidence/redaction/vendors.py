"""Keys and tokens that their issuers gave a shape of their own: mostly a prefix. One line a shape.

A shape may start only where its run of letters starts, or after an escape (of a newline, of `=` in a URL), so each run is tried once. To add an
issuer: a row in _SHAPES, a form in tests/checks/secret_forms. Most that are not here are found as random strings.
"""

from __future__ import annotations

import re

from receiver.evidence.redaction.kinds import (
    AI_KEY,
    API_KEY,
    AWS_KEY,
    AZURE_KEY,
    GITHUB_TOKEN,
    GITLAB_TOKEN,
    GOOGLE_KEY,
    JWT,
    NPM_TOKEN,
    PRIVATE_KEY,
    PYPI_TOKEN,
    SLACK_TOKEN,
    STRIPE_KEY,
    TOKEN,
    URL_PASSWORD,
)  # fmt: skip
from receiver.evidence.redaction.rule import Rule, rule

_START = r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_END = r"(?![A-Za-z0-9_])"
_URL = r"[A-Za-z0-9_-]"

# Kind, lower-case pieces of which the text must have one, the shape. A group `secret` is what is replaced, else all of it.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    (JWT, "eyj", rf"{_START}eyJ(?:{_URL}{{5,}}+(?:\.{_URL}{{2,}}+){{1,4}}+\.?|(?:hbGciOi|0eXAiOi|raWQiOi){_URL}*+)"),
    (AWS_KEY, "akia asia abia acca", rf"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}{_END}"),
    (GOOGLE_KEY, "aiza", rf"AIza{_URL}{{35}}"),
    (GOOGLE_KEY, "gocspx-", rf"GOCSPX-{_URL}{{24,40}}+"),
    (GOOGLE_KEY, "ya29.", r"ya29\.[A-Za-z0-9_.-]{20,}+"),
    (AZURE_KEY, "q~", r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~-])"),
    (GITHUB_TOKEN, "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{20,}+"),
    (GITHUB_TOKEN, "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}+"),
    (
        GITLAB_TOKEN,
        "glpat- gloas- gldt- glrt- glcbt- glptt- glagent- glsoat- glft- glimt- glffct-",
        r"gl(?:pat|oas|dt|rt|cbt|ptt|agent|soat|ft|imt|ffct)-[A-Za-z0-9_.-]{18,}+",
    ),
    (GITLAB_TOKEN, "gr1348941", rf"GR1348941{_URL}{{18,}}+"),
    (SLACK_TOKEN, "xox", r"xox(?:[abceoprs]|e\.xox[bp])-[A-Za-z0-9+/-]{10,}+=*+"),
    (SLACK_TOKEN, "xapp-", r"xapp-[A-Za-z0-9-]{10,}+"),
    (SLACK_TOKEN, "hooks.slack", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_-]{20,}+)"),
    (STRIPE_KEY, "k_live_ k_test_", r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,}+"),
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
    (API_KEY, "-us", r"(?<![\w-])[0-9a-f]{32}-us\d{1,2}(?!\d)"),  # Mailchimp
    (API_KEY, "dapi", r"dapi[0-9a-f]{32}"),  # Databricks
    (API_KEY, "nrak- nrra-", r"NR(?:AK|RA)-[A-Z0-9]{24,}+"),  # New Relic
    (API_KEY, "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}+"),  # Linear
    (API_KEY, "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),  # Shopify
    (API_KEY, "sq0", rf"sq0(?:atp|csp|idp)-{_URL}{{22,}}+"),  # Square
    (API_KEY, "phc_ phx_", r"ph[cx]_[A-Za-z0-9]{32,}+"),  # PostHog
    (API_KEY, "atatt3 atctt3", r"AT[AC]TT3[A-Za-z0-9_=-]{50,}+"),  # Atlassian
    (API_KEY, "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),  # Postman
    (API_KEY, "hrku-", rf"HRKU-{_URL}{{36,}}+"),  # Heroku
    (API_KEY, ":apa91b", rf"AAAA{_URL}{{7}}:APA91b{_URL}{{100,}}+"),  # Firebase
    (TOKEN, "hvs. hvb. hvr.", rf"hv[sbr]\.{_URL}{{20,}}+"),  # Vault
    (TOKEN, "_v1_", r"do[opr]_v1_[0-9a-f]{32,}+"),  # DigitalOcean
    (TOKEN, "dckr_", rf"dckr_[a-z]{{2,6}}_{_URL}{{20,}}+"),  # Docker Hub
    (TOKEN, "glsa_", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"),  # Grafana
    (TOKEN, "glc_", r"glc_[A-Za-z0-9+/=]{32,}+"),
    (TOKEN, "sntry", r"sntry[su]_[A-Za-z0-9_+/=.-]{32,}+"),  # Sentry
    (TOKEN, "atlasv1", rf"(?<![\w-])[A-Za-z0-9]{{14}}\.atlasv1\.{_URL}{{40,}}+"),  # Terraform Cloud
    (TOKEN, "ntn_ secret_", r"(?:ntn|secret)_[A-Za-z0-9]{40,}+"),  # Notion
    (TOKEN, "dp.", r"dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9_.-]{30,}+"),  # Doppler
    (TOKEN, "sl.", rf"sl\.{_URL}{{100,}}+"),  # Dropbox
    (TOKEN, ":aa", rf"(?<![\w-])\d{{8,10}}:AA{_URL}{{33}}(?![\w-])"),  # Telegram bots
    (TOKEN, ".", rf"[MNO](?<![\w-].){_URL}{{23,25}}\.{_URL}{{6}}\.{_URL}{{27,40}}(?![\w-])"),  # Discord bots
    (TOKEN, "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{5,25}/(?P<secret>[A-Za-z0-9_-]{20,}+)"),
    (TOKEN, "webhook.office", r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9/@_-]{20,}+)"),
    # More issuers, by what their tokens are for
    (AWS_KEY, "absk bedrock-api-key-", r"(?:ABSK[A-Za-z0-9+/]{100,}+=*+|bedrock-api-key-[A-Za-z0-9+/=]{20,}+)"),
    (GOOGLE_KEY, "1//0", rf"1//0{_URL}{{30,}}+"),  # refresh tokens
    (AI_KEY, "xai-", r"xai-[A-Za-z0-9]{40,}+"),
    (AI_KEY, "pplx-", r"pplx-[A-Za-z0-9]{32,}+"),
    (AI_KEY, "tvly-", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{20,}+"),
    (AI_KEY, "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),  # LangSmith
    (AI_KEY, "nvapi-", rf"nvapi-{_URL}{{40,}}+"),
    (API_KEY, "sdk- mob-", r"(?:sdk|mob)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),  # LaunchDarkly
    (API_KEY, "nrjs- nrii-", rf"NR(?:JS|II)-{_URL}{{19,}}+"),  # New Relic
    (API_KEY, "re_", rf"re_[A-Za-z0-9]{{6,12}}_[A-Za-z0-9]{{20,}}+{_END}"),  # Resend
    (API_KEY, "key-", r"(?<![\w ] )key-[0-9a-f]{32}(?![0-9a-f])"),  # Mailgun
    (API_KEY, "xkeysib-", r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),  # Brevo
    (API_KEY, "ltai", r"LTAI[A-Za-z0-9]{12,24}+"),  # Alibaba Cloud
    (API_KEY, "akid", r"AKID[A-Za-z0-9]{32}"),  # Tencent Cloud
    (API_KEY, "aqvn y0_ y3_ t1.", rf"(?:AQVN{_URL}{{35,40}}|y[03]_{_URL}{{50,}}+|t1\.{_URL}{{40,}}+\.{_URL}{{40,}}+)"),  # Yandex Cloud
    (API_KEY, "eaa", r"EAA[A-Za-z0-9]{40,}+"),  # Facebook, Square
    (API_KEY, "figd_ figo_ figdr_", rf"fig(?:d|o|dr|u|oh|or)_{_URL}{{36,}}+"),  # Figma
    (API_KEY, "pat", rf"pat[A-Za-z0-9]{{13,14}}\.[0-9a-f]{{60,}}{_END}"),  # Airtable
    (API_KEY, "pul-", r"pul-[0-9a-f]{40}"),  # Pulumi
    (API_KEY, "bkua_ bkaj_ bkpt_", r"bk(?:ua|aj|pt)_[0-9a-f]{40}"),  # Buildkite
    (API_KEY, "phs_ phr_", r"ph[rs]_[A-Za-z0-9]{32,}+"),
    (API_KEY, "cfpat-", rf"CFPAT-{_URL}{{40,}}+"),  # Contentful
    (API_KEY, "sbp_ sb_secret_", rf"(?:sbp_[0-9a-f]{{40}}|sb_secret_{_URL}{{20,}}+)"),  # Supabase
    (API_KEY, "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,}+"),  # PlanetScale
    (API_KEY, "tfp_", rf"tfp_{_URL}{{40,}}+"),  # Typeform
    (API_KEY, "dt0c01. dt0s", r"dt0[cs]\d\d\.[A-Z0-9]{8,24}\.[A-Z0-9a-z]{60,64}"),  # Dynatrace
    (API_KEY, "rubygems_", r"rubygems_[0-9a-f]{48}"),
    (API_KEY, "cio", r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])"),  # crates.io
    (API_KEY, "akcp cmvmd", r"(?:AKCp|cmVmd)[A-Za-z0-9]{59,69}+"),  # Artifactory
    (API_KEY, "sqp_ sqa_ squ_", r"sq[pau]_[0-9a-f]{40}"),  # SonarQube
    (API_KEY, "ddp_ ddog", r"dd(?:p|og)_[A-Za-z0-9]{30,}+"),
    (API_KEY, "u+", r"u\+[A-Za-z0-9_-]{18}(?![\w-])"),  # PagerDuty
    (API_KEY, "shippo_ duffel_ rdme_ pnu_ postman ", r"(?:shippo_(?:live|test)|duffel_(?:live|test)|rdme|pnu)_[A-Za-z0-9_=-]{30,}+"),
    (
        API_KEY,
        "flwseck fio-u- ezak eztk",
        r"(?:FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}+(?:-X)?|fio-u-[A-Za-z0-9_=-]{64}|EZ[AT]K[A-Za-z0-9]{54})",
    ),
    (API_KEY, "clojars_", r"CLOJARS_[a-z0-9]{60}"),
    (API_KEY, "v1.0-", r"v1\.0-[0-9A-Za-z]{24}-[0-9A-Za-z]{140,}+"),  # Cloudflare origin CA
    (TOKEN, "cfut_ cfat_ cfk_", rf"cf(?:ut|at|k)_{_URL}{{36,}}+"),  # Cloudflare
    (TOKEN, "dckr_", rf"dckr_[a-z]{{2,6}}_{_URL}{{20,}}+"),
    (TOKEN, "s.", r"(?<![\w.])s\.(?=[A-Za-z]{0,23}\d)[A-Za-z0-9]{24}(?![\w.])"),  # Vault before 1.10
    (TOKEN, "sm_", r"sm_[asp]at_[A-Za-z0-9]{16,}+"),  # Sumo Logic, Sourcegraph and others of this form
    (TOKEN, "sgp_ slk_", r"(?:sgp|slk)_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}"),  # Sourcegraph
    (TOKEN, "tskey-", r"tskey-[a-z]{2,10}-[A-Za-z0-9]{8,}+(?:-[A-Za-z0-9]{16,}+)?"),  # Tailscale
    (TOKEN, "ops_eyj", r"ops_eyJ[A-Za-z0-9+/_-]{60,}+=*+"),  # 1Password
    (TOKEN, "fo1_ fm2_ fm1", r"(?:fo1_[\w-]{40,}+|fm[12][ar]?_[A-Za-z0-9+/]{60,}+=*+)"),  # Fly.io
    (TOKEN, "sha256~", r"sha256~[\w-]{43}(?![\w-])"),  # OpenShift
    (TOKEN, "00d", r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,}+"),  # Salesforce
    (TOKEN, "00", r"00(?<![\w/.-]..)[A-Za-z](?=\w{0,30}[A-Z])(?=\w{0,30}[a-z])[A-Za-z0-9_-]{37,39}(?![\w-])"),  # Okta
    (TOKEN, "sntry", r"sntrys_eyJ[A-Za-z0-9+/=_-]{20,}+"),
    (URL_PASSWORD, "sentry", r"https?://(?P<secret>[0-9A-Za-z]{32}(?::[0-9A-Za-z]{32})?)@[\w.-]{0,80}sentry"),  # Sentry's DSN
    (PRIVATE_KEY, "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}+"),
    # "-----BEGIN ... PRIVATE" in base64, as Secrets and kubeconfigs hold it
    (
        PRIVATE_KEY,
        "ls0tls1crudjti",
        r"LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFUR|BQUklWQVRF|BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVE|BFTkNSWVBURUQgUFJJVkFUR|BEU0EgUFJJVkFUR)"
        r"[A-Za-z0-9+/]*+={0,2}",
    ),
)


def _starts(match: re.Match[str]) -> bool:
    """Whether no letter stands before, or one of an escape."""
    before = match.string[max(0, match.start() - 3) : match.start()]
    return not _INSIDE.search(before) or _ESCAPED.search(before) is not None


_INSIDE = re.compile(r"[\w-]\Z")
_ESCAPED = re.compile(r"(?:\\[nrt]|%[0-9A-Fa-f]{2})\Z")

VENDOR_RULES: tuple[Rule, ...] = tuple(rule(kind, hints.strip().replace(" ", "|"), shape, _starts) for kind, hints, shape in _SHAPES)
