"""Secrets to plant, and texts that only look like them: for every test that asks whether something leaks.

All of them are made up, and put together at run time from pieces, so that no file of this repository holds one.
`PLANTED` are lines of logs, events and documents; `PLANTED_ENV` variables; `PLANTED_ARGS` command lines;
`BENIGN` lines that must stay as they are. `leaks(text)` says which planted secrets a text still shows.
"""

from __future__ import annotations

import base64
import hashlib
import string
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URL_SAFE = ALNUM + "-_"


def made_up(seed: str, length: int, alphabet: str = ALNUM) -> str:
    """Letters that look random and are the same in every run; always with a digit, a small and a capital letter where the alphabet has them."""
    stream = b"".join(hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in range(length // 32 + 1))
    text = "".join(alphabet[b % len(alphabet)] for b in stream[:length])
    start = "".join(c for c in "q7K" if c in alphabet)[: min(3, length)]
    return start + text[len(start) :]


def made_up_base64(seed: str, n_bytes: int) -> str:
    """Base64 of made-up bytes, with its padding."""
    stream = b"".join(hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in range(n_bytes // 32 + 1))
    return base64.b64encode(stream[:n_bytes]).decode()


def made_up_jwt(seed: str) -> str:
    """Header, claims and signature, each base64url without padding."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    claims = base64.urlsafe_b64encode(f'{{"sub":"{seed}","iat":1700000000}}'.encode()).decode().rstrip("=")
    return f"{header}.{claims}.{made_up(seed, 43, URL_SAFE)}"


def made_up_key_lines(seed: str, n: int = 6) -> list[str]:
    """The lines between BEGIN and END of a private key."""
    body = made_up_base64(seed, 48 * n - 10)
    return [body[i : i + 64] for i in range(0, len(body), 64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """`secrets` must not be in any output; `kind` is the sort of secret, in words of this file, not of the redactor."""

    id: str
    kind: str
    secrets: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedEnv:
    """A variable with a secret in it."""

    kind: str
    name: str
    value: str
    secret: str


def _planted() -> tuple[Planted, ...]:
    out: list[Planted] = []

    def plant(kind: str, template: str, secret: str) -> None:
        out.append(Planted(id=f"{kind}-{len(out)}", kind=kind, secrets=(secret,), text=template.replace("@@", secret)))

    def seed(kind: str) -> str:
        return f"{kind}{len(out)}"

    # Tokens with a prefix, each in the shapes of a log
    prefixed: dict[str, list[str]] = {
        "aws access key": ["AK" + "IA" + made_up(f"aws{i}", 16, UPPER) for i in range(3)] + ["AS" + "IA" + made_up("sts", 16, UPPER)],
        "google api key": ["AI" + "za" + made_up(f"goog{i}", 35, URL_SAFE) for i in range(3)],
        "google oauth": ["ya" + "29." + made_up("oauth", 60, URL_SAFE), "GOC" + "SPX-" + made_up("gocspx", 28, URL_SAFE)],
        "azure client secret": [made_up("az", 3) + "8" + "Q~" + made_up("azure", 34, URL_SAFE)],
        "github token": ["gh" + f"{c}_" + made_up(f"gh{c}", 36) for c in "posr"]
        + ["github" + "_pat_" + made_up("pat", 22) + "_" + made_up("pat2", 59)],
        "gitlab token": ["gl" + "pat-" + made_up("gl", 20, URL_SAFE), "gl" + "rt-" + made_up("glrt", 20, URL_SAFE)],
        "slack token": [
            "xo" + "xb-" + made_up("s1", 12, string.digits) + "-" + made_up("s2", 24),
            "xo" + "xp-" + made_up("s3", 12, string.digits) + "-" + made_up("s4", 32, HEX),
            "xa" + "pp-1-" + made_up("s5", 11, UPPER) + "-" + made_up("s6", 64, HEX),
        ],
        "stripe key": [
            "sk" + "_live_" + made_up("stripe", 24),
            "rk" + "_live_" + made_up("stripe2", 24),
            "wh" + "sec_" + made_up("stripe3", 32),
        ],
        "npm token": ["np" + "m_" + made_up("npm", 36)],
        "pypi token": ["py" + "pi-AgEIcHlwaS5vcmc" + made_up("pypi", 60, URL_SAFE)],
        "ai key": [
            "sk" + "-" + made_up("oai", 48),
            "sk" + "-proj-" + made_up("oai2", 60, URL_SAFE),
            "sk" + "-ant-api03-" + made_up("ant", 60, URL_SAFE),
            "hf" + "_" + made_up("hf", 34),
        ],
        "sendgrid key": ["SG" + "." + made_up("sg", 22, URL_SAFE) + "." + made_up("sg2", 43, URL_SAFE)],
        "twilio key": ["SK" + made_up("tw", 32, HEX)],
        "vault token": ["hv" + "s." + made_up("vault", 24)],
        "cloud token": [
            "do" + "p_v1_" + made_up("do", 64, HEX),
            "da" + "pi" + made_up("dbx", 32, HEX),
            "dc" + "kr_pat_" + made_up("dckr", 27, URL_SAFE),
        ],
        "telegram token": ["7123456789" + ":AA" + made_up("tg", 33, URL_SAFE)],
        "jwt": [made_up_jwt(f"jwt{i}") for i in range(3)],
        "age key": ["AGE-SEC" + "RET-KEY-1" + made_up("age", 58, UPPER)],
    }
    shapes = (
        "2026-11-23T01:03:02.224460743Z INFO client started with @@ for region eu-1",
        '{"level":"error","msg":"request refused","credential_used":"@@","status":401}',
        "ERROR upstream said: key @@, is not valid",
        "Warning  Failed  kubelet  Error: unable to start with argument @@: exit status 1",
    )
    for kind, values in prefixed.items():
        for value in values:
            plant(kind, shapes[len(out) % len(shapes)], value)

    # Named values, in every notation that logs, manifests and traces use
    for template in (
        "connecting user=app password=@@ host=db",
        "connecting user=app password='@@' host=db",
        'time=1 level=info db_password="@@" pool=5',
        '{"user": "app", "password": "@@", "port": 5432}',
        '{"event":"login","body":"{\\"user\\":\\"bob\\",\\"password\\":\\"@@\\"}"}',
        "{'user': 'app', 'passwd': '@@', 'port': 5432}",
        "Config{user=app, password=@@, port=5432}",
        "DataSource(url=jdbc:x, userPassword=@@)",
        "spring.datasource.password=@@",
        "    password: @@",
        "  - DB_PASSWORD: '@@'",
        "export PGPASSWORD=@@ && psql",
        "Server=db;User Id=sa;Password=@@;Encrypt=true",
        "host=db user=app password=@@ dbname=shop sslmode=require",
        "root pwd := @@",
        "DB_PASS=@@",
        "passphrase => @@",
        "Password: @@",
        "Container started: /bin/app --db-password @@ --port 80",
        "args: [--db-password=@@ --port=80]",
        'Command: ["app","--password","@@","-v"]',
        "sshpass -p @@ ssh app@host",
        "$ mysql -uroot -p@@ shop",
        "redis-cli -h cache -a @@ ping",
        "curl -sS -u admin:@@ https://example.com/api",
        "# requirepass @@",
        "CREATE USER app IDENTIFIED BY '@@';",
        "ALTER ROLE app WITH PASSWORD '@@';",
        "machine example.com login bob password @@",
    ):
        plant("password", template, made_up(seed("pw"), 14))
    for template in (
        "POST /login?user=bob&body=%7B%22password%22%3A%22@@%22%7D 401",
        "form user%3Dbob%26password%3D@@",
        "invalid password '@@' for user bob",
        "generated root password is @@",
        "kubectl create secret generic db --from-literal=password=@@",
        '{"log":"connecting\\nDB_PASS=@@\\nPORT=80"}',
        "\x1b[36mpassword\x1b[0m=\x1b[35m@@\x1b[0m \x1b[36muser\x1b[0m=bob",
        "<datasource><password>@@</password></datasource>",
        '<add key="DbPassword" value="@@" />',
        "[password] => @@",
        'declare -x DB_PASSWORD="@@"',
        "helm upgrade shop . --set auth.password=@@,replicas=2",
        "Passwort: @@",
        "docker login -u bob -p @@ registry.example.com",
    ):
        plant("password", template, made_up(seed("pw"), 14))
    plant("password", "password=@@ next=1", "p7!" + made_up("odd", 6) + "$%^*" + made_up("odd2", 4))
    plant("password", "password=@@", "a,b;" + made_up("sep", 8) + "&x")
    plant("password", 'password="@@"', "two words " + made_up("blank", 8))
    plant("password", "  password: @@", "two words " + made_up("blank2", 8))
    for template in (
        "GET /v1/orders?access_token=@@&page=2 200",
        "https://example.com/cb?state=x&refresh_token=@@",
        '"auth_token" : "@@"',
        "X-Vault-Token: @@",
        "x-auth-token: @@",
        "//registry.example.com/:_authToken=@@",
        "vault login token=@@",
        "csrftoken=@@;",
        "KUBE_TOKEN=@@",
        "Join token: @@",
        "slackToken: '@@',",
    ):
        plant("token", template, made_up(seed("tok"), 24))
    for template in (
        "client_secret=@@&grant_type=client_credentials",
        '"clientSecret":"@@"',
        "SECRET_KEY_BASE=@@",
        "jwt.secret = @@",
        "webhook secret: @@",
        "VAULT_SECRET_ID=@@",
        "--oidc-client-secret @@",
        '{:secret=>"@@", :id=>1}',
    ):
        plant("secret", template, made_up(seed("sec"), 32))
    for template in (
        "api_key=@@",
        "X-Api-Key: @@",
        '{"apiKey":"@@"}',
        "DD_API_KEY=@@",
        "API key: @@",
        "--api-key=@@",
        "?apikey=@@&q=1",
        "Ocp-Apim-Subscription-Key: @@",
    ):
        plant("api key", template, made_up(seed("key"), 32, HEX + "KQ"))
    for template in (
        "aws_secret_access_key = @@",
        "AWS_SECRET_ACCESS_KEY=@@",
        '"SecretAccessKey": "@@",',
        "secretAccessKey: @@",
    ):
        plant("aws secret key", template, made_up_base64(seed("awssecret"), 30))
    plant("aws session token", 'AWS_SESSION_TOKEN="@@"', made_up_base64("session", 120))
    plant(
        "azure storage key",
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=@@;EndpointSuffix=core.windows.net",
        made_up_base64("acct", 64),
    )
    plant(
        "azure storage key",
        "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey=@@",
        made_up_base64("sb", 32),
    )
    plant("azure sas", "https://shop.blob.core.windows.net/c/f?sv=2022-11-02&sp=r&se=2026-01-01&sig=@@", made_up("sas", 42) + "%3D")
    plant("presigned url", "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=@@", made_up("sign", 64, HEX))
    plant(
        "webhook url",
        "posting to https://hooks." + "slack.com/services/@@",
        "T0" + made_up("t", 8, UPPER) + "/B0" + made_up("b", 8, UPPER) + "/" + made_up("w", 24),
    )
    plant("webhook url", "posting to https://discord.com/api/webhooks/123456789012345678/@@", made_up("disc", 68, URL_SAFE))

    # Addresses
    for template in (
        "postgres://app:@@@db.shop.svc:5432/shop?sslmode=disable",
        "could not connect to redis://:@@@cache:6379/0",
        'url="amqp://guest:@@@mq:5672/%2f" retry=3',
        "mongodb+srv://app:@@@c0.example.net/shop?retryWrites=true",
        "cloning https://oauth2:@@@git.example.com/a/b.git",
        "https_proxy=http://proxyuser:@@@proxy:3128",
        "dsn: app:@@@tcp(db:3306)/shop?parseTime=true",
        "jdbc:oracle:thin:app/@@@//db:1521/shop",
    ):
        plant("url password", template, made_up(seed("url"), 16))
    plant("url password", "mysql://app:@@@db:3306/shop", "p@" + made_up("at", 8) + "#" + made_up("at2", 4))

    plant(
        "base64 private key",
        "  tls.key: @@",
        base64.b64encode(("-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5 + "\n" + made_up("b64", 60)).encode()).decode(),
    )
    plant("token", "the join token is @@", made_up("joined", 30))
    plant("token of an unknown issuer", "WARN retrying with @@ after 3 s", made_up("unknown", 44))

    # Headers
    basic = [base64.b64encode(f"bob:{made_up(f'basic{i}', 12)}".encode()).decode() for i in range(3)]
    plant("basic auth", "Authorization: Basic @@", basic[0])
    plant("basic auth", '{"headers":{"Authorization":["Basic @@"],"Accept":["*/*"]}}', basic[1])
    plant("basic auth", '{"auths":{"registry.example.com":{"auth":"@@"}}}', basic[2])
    plant("bearer token", "Authorization: Bearer @@", made_up("bearer1", 40))
    plant("bearer token", "headers={'Authorization': 'Bearer @@', 'Accept': '*/*'}", made_up("bearer2", 40))
    plant("bearer token", 'curl -H "authorization: token @@" https://x', made_up("bearer3", 20))
    plant("aws access key", '{"log":"started\\n@@"}', "AK" + "IA" + made_up("esc", 16, UPPER))
    plant("github token", "form t%3D@@", "gh" + "p_" + made_up("pct", 36))
    plant("api key", '{"log":"started\\napi_key=@@\\n"}', made_up("napi", 24))
    plant("api key", "\x1b[1;36mapi_key\x1b[0m=@@", made_up("colour", 24))
    plant("bearer token", "Authorization: SSWS @@", "00" + made_up("okta", 40))
    plant("url password", "git clone https://@@@git.example.com/a/b", made_up("gituser", 40))
    plant("password hash", "user bob has $2b$12$@@", made_up("bcrypt", 53))
    plant("bot token", "discord login with @@", "M" + made_up("dc1", 23) + "." + made_up("dc2", 6) + "." + made_up("dc3", 38))
    plant("cloud token", "mailchimp @@ ok", made_up("mc", 32, HEX) + "-us" + "21")
    plant("bearer token", "calling with Bearer @@ failed", made_up("bearer4", 32))
    plant("bearer token", 'proxy-authorization: Digest username="bob", response=@@', made_up("digest", 32, HEX))
    plant("cookie", "Cookie: theme=dark; sid=@@; lang=en", made_up("cookie1", 26))
    plant("cookie", "Set-Cookie: session=@@; Path=/; HttpOnly", made_up("cookie2", 40))
    plant("cookie", '"cookie": "JSESSIONID=@@"', made_up("cookie3", 32, UPPER))
    plant("cookie", "GET /;JSESSIONID=@@", made_up("cookie4", 32, UPPER))

    # Environment in manifests and dumps
    plant("password", '{"name":"DB_PASSWORD","value":"@@"},{"name":"PORT","value":"80"}', made_up("env1", 14))
    plant("password", "    - name: DB_PASSWORD\n      value: @@\n    - name: PORT", made_up("env2", 14))
    plant("token", "      API_TOKEN:   @@", made_up("env3", 24))
    plant("password", "stringData:\n  password: |\n    @@\n  user: bob", made_up("env4", 20))

    # Private keys: whole, in one JSON string, between timestamps, cut at either end
    dashes = "-" * 5
    for label in ("RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY"):
        lines = made_up_key_lines(label)
        text = "\n".join([f"{dashes}BEGIN {label}{dashes}", *lines, f"{dashes}END {label}{dashes}"])
        out.append(Planted(id=f"private key-{len(out)}", kind="private key", secrets=tuple(lines), text=f"loaded key\n{text}\nready"))
    lines = made_up_key_lines("sa")
    one_line = "\\n".join([f"{dashes}BEGIN PRIVATE KEY{dashes}", *lines, f"{dashes}END PRIVATE KEY{dashes}"]) + "\\n"
    account = f'{{"type": "service_account", "project_id": "shop", "private_key": "{one_line}", "client_email": "a@shop.iam"}}'
    out.append(Planted(id=f"google service account-{len(out)}", kind="google service account", secrets=tuple(lines), text=account))
    lines = made_up_key_lines("stamped")
    block = [f"{dashes}BEGIN EC PRIVATE KEY{dashes}", *lines, f"{dashes}END EC PRIVATE KEY{dashes}"]
    stamped = "\n".join(f"2026-11-23T01:03:02.22446074{i % 10}Z {line}" for i, line in enumerate(block))
    out.append(Planted(id=f"private key-{len(out)}", kind="private key", secrets=tuple(lines), text=stamped))
    lines = made_up_key_lines("head")
    cut = "\n".join([f"{dashes}BEGIN RSA PRIVATE KEY{dashes}", *lines[:4]])
    out.append(Planted(id=f"private key-{len(out)}", kind="private key", secrets=tuple(lines[:4]), text=cut))
    lines = made_up_key_lines("tail")
    cut = "\n".join([*lines[2:], f"{dashes}END RSA PRIVATE KEY{dashes}", "listening on :8080"])
    out.append(Planted(id=f"private key-{len(out)}", kind="private key", secrets=tuple(lines[2:]), text=cut))
    return tuple(out)


def _planted_env() -> tuple[PlantedEnv, ...]:
    named = [
        ("password", "DB_PASSWORD"), ("password", "POSTGRES_PASSWORD"), ("password", "MYSQL_PWD"), ("password", "SMTP_PASS"), ("password", "REDISCLI_AUTH"),
        ("token", "GITHUB_TOKEN"), ("token", "SLACK_BOT_TOKEN"), ("secret", "DJANGO_SECRET_KEY"), ("secret", "NEXTAUTH_SECRET"), ("secret", "SECRET_KEY_BASE"),
        ("api key", "DD_API_KEY"), ("api key", "OPENAI_API_KEY"), ("aws secret key", "AWS_SECRET_ACCESS_KEY"), ("secret", "FERNET_KEY"),
        ("password", "spring.datasource.password"), ("secret", "OAUTH2_PROXY_COOKIE_SECRET"), ("token", "TOKEN_GITHUB"), ("password", "PASSWORD_MYSQL_ROOT"),
    ]  # fmt: skip
    out = [PlantedEnv(kind=kind, name=name, value=made_up(f"env{name}", 20), secret=made_up(f"env{name}", 20)) for kind, name in named]
    url = made_up("envurl", 16)
    out.append(PlantedEnv(kind="url password", name="DATABASE_URL", value=f"postgres://app:{url}@db:5432/shop", secret=url))
    key = made_up_base64("envaccount", 64)
    out.append(
        PlantedEnv(
            kind="azure storage key", name="AzureWebJobsStorage", value=f"AccountName=shop;AccountKey={key};EndpointSuffix=x", secret=key
        )
    )
    opt = made_up("envopts", 16)
    out.append(PlantedEnv(kind="password", name="JAVA_TOOL_OPTIONS", value=f"-Xmx512m -Djavax.net.ssl.keyStorePassword={opt}", secret=opt))
    return tuple(out)


PLANTED: tuple[Planted, ...] = _planted()
PLANTED_ENV: tuple[PlantedEnv, ...] = _planted_env()
PLANTED_ARGS: tuple[tuple[tuple[str, ...], str], ...] = tuple(
    (tuple(a.replace("@@", made_up(f"args{i}", 18)) for a in args), made_up(f"args{i}", 18))
    for i, args in enumerate(
        (
            ("/bin/app", "--password", "@@", "--port", "80"),
            ("/bin/app", "--db-password=@@"),
            ("sh", "-c", "exec app --token @@ --port 80"),
            ("app", "-password", "@@"),
            ("worker", "--broker", "amqp://guest:@@@mq:5672//"),
            ("psql", "host=db password=@@ user=app"),
        )
    )
)

BENIGN: tuple[str, ...] = (
    # of secrets, without one
    "token_count=5 password_reset_sent=true",
    "total_tokens: 512, prompt_tokens: 400, completion_tokens: 112",
    "max_tokens=4096 temperature=0.2",
    "secretName: shop-tls",
    "secretKeyRef: {name: db, key: password}",
    '"secretKeyRef":{"name":"db","key":"password"}',
    "imagePullSecrets: [regcred]",
    "password: ${DB_PASSWORD}",
    "password=$DB_PASSWORD",
    "password={{ .Values.password }}",
    "DB_PASSWORD=$(DB_PASSWORD)",
    "password=****** user=bob",
    "password: <redacted>",
    "DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
    "password_file=/run/secrets/db",
    "--token-file /var/run/token --port 80",
    "token_type=bearer expires_in=3600",
    "tokenExpirationSeconds: 3607",
    'password authentication failed for user "app"',
    "invalid token: expired",
    "Access denied for user 'root'@'10.0.0.7' (using password: YES)",
    "password is too short, token is expired",
    "object key-9e107d9d372bb6826bd81d3542a419d6 stored",
    "PWD=/app OLDPWD=/root",
    "--- PASS: TestLogin (0.00s)",
    "pad_token=<pad> eos_token=</s> unk_token=[UNK]",
    "nextPageToken=CAUQAA pageToken: CAIQAB",
    "proxy_pass: http://upstream:8080",
    "csrf: disabled, session cookie: enabled",
    "authorization: access denied",
    "price $5$ and $6$ off",
    "main.go.in.2024 a.b.c",
    "git clone https://git@git.example.com/a/b",
    "search?q=password%20manager&page=2",
    "password is required",
    "Unexpected token < in JSON at position 0",
    "SyntaxError: Unexpected token: }",
    "token=null secret=None password=undefined",
    "password_min_length=12",
    'secret "db-credentials" not found',
    'MountVolume.SetUp failed for volume "api-token" : configmap "kube-root-ca.crt" not found',
    'MountVolume.SetUp failed for volume "db-secret" : secret "db" not found',
    "couldn't find key password in Secret shop/db",
    "Access-Control-Allow-Credentials: true",
    "tests: pass=120 fail=3",
    "passed 3 of 5 checks",
    "tokenizer=bpe vocab=50257",
    "keyboard=us monkey=1 primary_key=orders_id",
    "cache_key=orders:v1:2026 partition_key=customer",
    "Cookie policy accepted",
    "def login(user, password: str, token=None):",
    "    password = self.password",
    "WHERE token = $1 AND password = ?",
    "authorization-mode=Node,RBAC",
    "authorization: denied",
    "Basic authentication failed for bob",
    'WWW-Authenticate: Bearer realm="https://auth.example.com"',
    "Bearer token is missing",
    "the --password flag is deprecated",
    "no-password mode",
    "author=Ines session=3 passengers=4",
    # ids and sums that look random
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "request_id=123e4567-e89b-12d3-a456-426614174000 took 12ms",
    "image: registry.lab.local/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "containerd://296cc6d0123c2354307bc1b2b37fe0d7b01d61278aab6132292913bb35668540",
    "pod orders-api-7d8f9c6b5d-x2x9z restarted",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    'etag: "686897696a7c876b7e"',
    "integrity sha512-9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7==",
    "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEi",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 bob@laptop",
    "-----BEGIN CERTIFICATE-----",
    "http://localhost:8080/@scope/pkg",
    "https://example.com:8443/path?user=bob@example.com",
    "registry.example.com:5000/team/app:1.2@sha256:abc",
    "arn:aws:iam::123456789012:role/shop",
    # memory, times, counters
    "Memory cgroup out of memory: Killed process 1234 (python3) total-vm:512340kB, anon-rss:97280kB",
    "cache_entries=85 rss=97280 heap_used=46137344",
    "GET /orders/4111 200 12ms",
    "1795403640000000000 ns since start",
    "java.lang.OutOfMemoryError: Java heap space",
    "-XX:+HeapDumpOnOutOfMemoryError -Xmx512m",
    "kubectl get pods -n shop -o wide",
    "docker run -u 1000:1000 app",
    "mkdir -p /var/lib/mysql",
    "2026-11-23T01:03:02.224460743Z 2026-11-23 01:03:02,223 INFO orders: GET /orders 200 cache_entries=30",
)


def leaks(text: str) -> tuple[str, ...]:
    """The ids (or names) of the planted secrets that `text` still shows."""
    found = [p.id for p in PLANTED if any(secret in text for secret in p.secrets)]
    found += [e.name for e in PLANTED_ENV if e.secret in text]
    found += [" ".join(args[:2]) for args, secret in PLANTED_ARGS if secret in text]
    return tuple(found)


def planted_log() -> str:
    """One log that holds every planted secret, among ordinary lines."""
    lines: list[str] = []
    for i, planted in enumerate(PLANTED):
        lines += (f"2026-11-23 01:03:02,223 INFO orders: GET /orders 200 cache_entries={i}", planted.text)
    return "\n".join(lines)
