"""What redaction leaves readable, its options, and what it costs on text that is made to slow it down."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import ConfigError
from receiver.evidence.clean import Cleaner
from receiver.evidence.redaction import RedactionConfig, Redactor, kind_of_name
from tests.checks.planted_secrets import PLANTED, made_up, made_up_key_lines

REDACTOR = Redactor()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user=app password=hunter2 host=db", "user=app password=[redacted password] host=db"),
        ('{"msg":"login password=hunter2","level":"info"}', '{"msg":"login password=[redacted password]","level":"info"}'),
        ("Config{user=app, password=hunter2, port=1}", "Config{user=app, password=[redacted password], port=1}"),
        ("https://x/cb?access_token=abc1def2&page=2", "https://x/cb?access_token=[redacted token]&page=2"),
        ("postgres://app:hunter2@db:5432/shop", "postgres://app:[redacted URL password]@db:5432/shop"),
        ("Authorization: Bearer abc1def2ghi3", "Authorization: Bearer [redacted credential]"),
        ("app --token abc1def2 --port 80", "app --token [redacted token] --port 80"),
        ("Server=db;Password=hunter2;Database=shop", "Server=db;Password=[redacted password];Database=shop"),
        ("password: hunter2 # of the test user", "password: [redacted password] # of the test user"),
        ("password: correct horse battery", "password: [redacted password]"),
        ("got password: hunter2 from bob", "got password: [redacted password] from bob"),
        ("PASSWORD=hunter2,USER=bob", "PASSWORD=[redacted password],USER=bob"),
        ("- name: API_TOKEN\n  value: abc1def2\n- name: PORT", "- name: API_TOKEN\n  value: [redacted token]\n- name: PORT"),
        ("password: |\n  line one\n  line two\nport: 80", "password: |\n  [redacted password]\n\nport: 80"),
        ("GITHUB_TOKEN=" + "gh" + "p_" + made_up("x", 36) + ": exit status 1", "GITHUB_TOKEN=[redacted GitHub token]: exit status 1"),
    ],
)
def test_what_stands_around_stays(text: str, expected: str) -> None:
    """Only the secret goes: names, hosts, users and the rest of the line are what the reader needs."""
    assert REDACTOR.redact(text)[0] == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"), ("DB_PASSWORD", "password"), ("dbPassword2", "password"), ("smtp.pass", "password"), ("PGPASSWORD", "password"),
        ("token", "token"), ("accessToken", "token"), ("X-Auth-Token", "token"), ("csrftoken", "token"), ("password_reset_token", "token"),
        ("client-secret", "secret"), ("SECRET_KEY_BASE", "secret"), ("VAULT_SECRET_ID", "secret"), ("jwtSigningKey", "secret"),
        ("apiKey", "API key"), ("X-API-KEY", "API key"), ("aws_secret_access_key", "AWS key"), ("ssh_private_key", "private key"), ("JSESSIONID", "cookie"),
        ("token_count", ""), ("password_reset_sent", ""), ("secretName", ""), ("token_type", ""), ("passwordFile", ""), ("tokenExpirationSeconds", ""),
        ("key", ""), ("primary_key", ""), ("cache-key", ""), ("monkey", ""), ("author", ""), ("auth", ""), ("session", ""), ("compass", ""), ("tokenizer", ""),
        ("aws_access_key_id", ""), ("imagePullSecrets", ""), ("", ""), ("---", ""),
    ],
)  # fmt: skip
def test_kind_of_name(name: str, kind: str) -> None:
    """A name is judged by its words: the last word of secrecy decides, unless a word after it speaks about the secret."""
    assert kind_of_name(name) == kind


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("DB_PASSWORD", "hunter2", "[redacted password]"), ("DB_PASSWORD", "$(PASSWORD)", "$(PASSWORD)"), ("USE_TOKEN", "true", "true"),
        ("JAVA_TOOL_OPTIONS", "-Xmx512m -XX:+UseG1GC", "-Xmx512m -XX:+UseG1GC"), ("PASSWORD", "", ""),
    ],
)  # fmt: skip
def test_a_named_value_goes_by_its_name(name: str, value: str, kept: str) -> None:
    """A variable with a secret's name loses its value; a reference, a switch and an ordinary value stay."""
    assert Cleaner(REDACTOR.redact).pair(name, value) == kept


def test_emails_and_cards_only_when_asked() -> None:
    """E-mail addresses and card numbers stay by default, and go when switched on; the check digit must be right."""
    text = "bob@example.com paid with 4111 1111 1111 1111, not 4111 1111 1111 1112, order 5500005555555559"

    assert REDACTOR.redact(text) == (text, {})
    assert Redactor(RedactionConfig(emails=True, cards=True)).redact(text) == (
        "[redacted e-mail] paid with [redacted card number], not 4111 1111 1111 1112, order [redacted card number]",
        {"e-mail": 1, "card number": 2},
    )


def test_user_patterns() -> None:
    """A user's pattern names its mark; of one with a group `secret` only the group goes."""
    redactor = Redactor(RedactionConfig(patterns=(("order number", r"ORD-\d{6}"), ("customer", r"customer=(?P<secret>\w+)"))))

    assert redactor.redact("ORD-123456 customer=ines password=hunter2") == (
        "[redacted order number] customer=[redacted customer] password=[redacted password]",
        {"order number": 1, "customer": 1, "password": 1},
    )


def test_allowed_random_strings_stay() -> None:
    """A random string of a form that the user knows stays, unless its name says that it is a secret; others go."""
    id_of_ours, other = f"doc_{made_up('id', 24)}", made_up("other", 28)
    redactor = Redactor(RedactionConfig(allow=(r"doc_\w{24}",)))

    assert redactor.redact(f"open {id_of_ours} with {other}")[0] == f"open {id_of_ours} with [redacted random string]"
    assert redactor.redact(f"token={id_of_ours}")[0] == "token=[redacted token]"
    with pytest.raises(ConfigError, match=r"redaction.allow .*is no regular expression"):
        Redactor(RedactionConfig(allow=("(",)))


@pytest.mark.parametrize(
    ("name", "pattern", "says"),
    [
        ("broken", "(", "is no regular expression"),
        ("greedy", "x*", "matches the empty text"),
        ("slow", "(a+)+$", "repeats a group"),
        ("slower", r"(\w*\.){2,}x", ""),
        ("deep", r"((?:a|b)+)*c", "repeats a group"),
        ("bad]name", "x", "a name is at most 40"),
        ("", "x", "a name is at most 40"),
    ],
)
def test_bad_user_pattern_is_a_config_error(name: str, pattern: str, says: str) -> None:
    """A pattern that cannot work stops the start, with its name and the reason."""
    if not says:
        Redactor(RedactionConfig(patterns=((name, pattern),)))  # a literal ends each round: no exponential search
        return
    with pytest.raises(ConfigError) as caught:
        Redactor(RedactionConfig(patterns=(("fine", "x+"), (name, pattern))))

    assert repr(name) in str(caught.value)
    assert says in str(caught.value)


def test_private_key_cut_anywhere() -> None:
    """However a log is cut inside a private key, no line of the key is left."""
    dashes = "-" * 5
    body = made_up_key_lines("cut", 8)
    lines = ["INFO start", f"{dashes}BEGIN RSA PRIVATE KEY{dashes}", *body, f"{dashes}END RSA PRIVATE KEY{dashes}", "INFO serving"]
    whole = "\n".join(lines)
    begins, ends = whole.index(body[0]), whole.index(f"{dashes}END")

    for cut in range(whole.index(dashes) + 40, len(whole), 7):
        shown = REDACTOR.redact(whole[:cut])[0]
        assert not [line for line in body if line in shown or (len(line) > 20 and line[:20] in shown)], f"cut at {cut}"
    for cut in range(begins, ends, 7):
        shown = REDACTOR.redact(whole[cut:])[0]
        assert not [line for line in body if line in shown], f"begun at {cut}"
        assert shown.endswith("INFO serving")


WORDS = st.lists(
    st.one_of(st.sampled_from(["INFO", "user=bob", "{", '"', "\n", "GET /x", "a@b.cc", "=", "://", "key:", "\\"]), st.text(max_size=8)),
    max_size=6,
)


@given(WORDS, st.sampled_from([p for p in PLANTED if p.kind not in {"private key", "google service account"}]), WORDS)
def test_secret_among_any_lines(before: list[str], planted: object, after: list[str]) -> None:
    """A planted line stays redacted whatever lines stand above and below it."""
    text = "\n".join([" ".join(before), planted.text, " ".join(after)])  # type: ignore[attr-defined]

    shown, counts = REDACTOR.redact(text)

    assert not [s for s in planted.secrets if s in shown]  # type: ignore[attr-defined]
    assert sum(counts.values()) >= 1


@given(st.text(alphabet="pasword=: \"'\\\n{}[]()-,;&@/.0aA", max_size=300))
def test_any_text_is_taken(text: str) -> None:
    """No text makes it fail; with nothing counted the text is as it was, and there are never more lines than before."""
    shown, counts = Redactor(RedactionConfig(emails=True, cards=True)).redact(text)

    assert counts or shown == text
    assert shown.count("\n") <= text.count("\n")


SIZE = 1_000_000
ORDINARY = '{"ts":"2026-11-23T01:03:02.223Z","level":"info","msg":"order stored","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","token_count":512}\n'
HOSTILE = (
    "a", "a.", "-a", " ", "\\", '"', "\n", "password=", 'password="', 'password=\\"', "password='\\", "password: ", "password:\n", "password: |\n  ",
    "://a:", "://a:b@", "a@a.", "eyJaaaaa.", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nQUJD\n", "A" * 76 + "\n-----END PRIVATE KEY-----",
    "4", "4 ", "cookie: a=b; ", "authorization: Bearer ", "curl -u a:", "mysql -p", "--password ", '"name":"PASSWORD","', "API key=a", ",a=", "{{", '{"password":{"token":[',
    "[redacted ", "login a password ", "SG.a.", "\tpassword\t", "secret=", "password=1,1,", "API key=a", "--token\n", "mysql ", "kind: Secret\ndata:\n", "data: {", "[", "login('a',",
    "INSERT INTO a (password) VALUES (", "a,password\n", "парол ", "密码", "\\u0022", "%25", "&amp;", "\x1b[31m", "\u200b", "Ab1", "Ab1-", "<password>", "name=password value=",
    "bind ", "echo a |", "Some(", "password=[", "AUTH a ", "a:1234:a:a:", "=A" * 20, "00Aa", "s:1:",
)  # fmt: skip


def cpu_s(redactor: Redactor, text: str) -> float:
    """The CPU time of one redaction."""
    started = time.process_time()
    redactor.redact(text)
    return time.process_time() - started


def test_hostile_text_costs_about_what_ordinary_text_costs() -> None:
    """Text made to slow the search down costs at most 80 times what as much of an ordinary log costs: it is nothing but secrets or nearly so."""
    redactor = Redactor(RedactionConfig(emails=True, cards=True))
    piece = SIZE // 40
    ordinary = cpu_s(redactor, ORDINARY * (4 * piece // len(ORDINARY))) / 4

    slow = {}
    for seed in HOSTILE:
        took = cpu_s(redactor, "password=x @ " + seed * (piece // len(seed)))
        if took > 80 * ordinary:
            slow[seed] = took / ordinary

    assert slow == {}


@pytest.mark.parametrize(
    "seed", ['password=\\"', "://a:", "mysql -p", "cookie: a=b; ", "secret=", "parol", "eyJ", "a1B2", "\\u0022", "data: {"]
)
def test_cost_grows_with_the_length_only(seed: str) -> None:
    """Four times the hostile text costs about four times as much, and not sixteen times."""
    small = max(cpu_s(REDACTOR, "@" + seed * (SIZE // 16 // len(seed))), 0.01)
    large = cpu_s(REDACTOR, "@" + seed * (SIZE // 4 // len(seed)))

    assert large < 9 * small
