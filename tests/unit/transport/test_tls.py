"""TLS as kubectl has it: chain, dates and names are checked, and an authority without key identifiers is one.

Python 3.13 alone checks more (VERIFY_X509_STRICT) where a program uses its defaults. `strict` sets the defaults of 3.13 on
every Python, so that these tests see it too.
"""

from __future__ import annotations

import logging
import os
import shutil
import ssl
from pathlib import Path

import pytest
import requests
import urllib3.connection

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.transport import BREAKER_FAILURES, ConnectionFailed, Http, HttpConfig, TlsProblem
from receiver.transport.tls import TlsAdapter, client_context
from tests.fakes.tls import OTHER_CA, PLAIN_CA, TLS, over_tls


class _Hello(Standin):
    def answer(self, asked: Asked) -> Reply:
        return json_reply({"path": asked.path})


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes contexts with defaults makes them as Python 3.13 does."""
    for module, name in ((ssl, "create_default_context"), (urllib3.connection, "create_urllib3_context")):
        original = getattr(module, name)

        def strictly(*args: object, original=original, **kwargs: object) -> ssl.SSLContext:
            context: ssl.SSLContext = original(*args, **kwargs)
            context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
            return context

        monkeypatch.setattr(module, name, strictly)


def http(url: str, ca_path: str, *, tries: int = 1) -> Http:
    return Http(HttpConfig(base_url=url, name="the service", ca_path=ca_path, tries=tries), sleep=lambda _: None)


def refused(client: Http) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        client.get_json("/x")
    return caught.value


def test_an_authority_without_key_usage_and_key_identifiers_is_trusted() -> None:
    """Those of old EKS and GKE clusters, of MicroK8s and of many companies: kubectl works with them, and so do we."""
    with over_tls(_Hello(), "plain") as url:
        assert http(url, PLAIN_CA).get_json("/x") == {"path": "/x"}


def test_an_intermediate_authority_may_be_the_one_that_is_trusted() -> None:
    """As for Go's clients, what stands in the CA file is trusted, whoever signed it."""
    with over_tls(_Hello(), "under-intermediate") as url:
        assert http(url, str(TLS / "intermediate.crt")).get_json("/x") == {"path": "/x"}


def test_what_is_checked_does_not_hang_on_the_version_of_python() -> None:
    """Certificate and host name are required everywhere; the stricter form of X.509 and common names nowhere."""
    context = client_context(PLAIN_CA)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert not context.hostname_checks_common_name


def test_the_authorities_of_the_file_are_the_only_ones(request: pytest.FixtureRequest) -> None:
    """A cluster's API server is not trusted because some public authority signed for its address."""
    context = client_context(PLAIN_CA)
    session = requests.Session()
    request.addfinalizer(session.close)
    session.mount("https://", TlsAdapter(context))
    with over_tls(_Hello(), "plain") as url:
        assert session.get(url).ok

    assert context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize(
    ("certificate", "ca_path", "problem"),
    [
        ("expired", PLAIN_CA, TlsProblem.DATES),
        ("elsewhere", PLAIN_CA, TlsProblem.NAME),
        ("plain", OTHER_CA, TlsProblem.UNKNOWN_CA),
        ("server", OTHER_CA, TlsProblem.UNKNOWN_CA),
        ("plain", "", TlsProblem.UNKNOWN_CA),
    ],
    ids=["expired", "another name", "another authority", "self-signed", "no authority of its own"],
)
def test_what_is_wrong_with_a_certificate_is_said_in_openssls_words(certificate: str, ca_path: str, problem: TlsProblem) -> None:
    """Nothing was sent, and the reader learns which of the usual reasons it is."""
    standin = _Hello()
    with over_tls(standin, certificate) as url:
        error = refused(http(url, ca_path, tries=3))

    assert error.tls is not None
    assert (error.tls.problem, error.maybe_received, standin.asked) == (problem, False, [])
    assert error.tls.reason in str(error)
    if problem is TlsProblem.DATES:
        assert error.tls.reason == "certificate has expired"


def test_a_port_without_tls_is_told_from_a_bad_certificate() -> None:
    """https:// to a port that speaks plain HTTP."""
    with _Hello() as plain:
        error = refused(http(plain.url.replace("http://", "https://"), PLAIN_CA))

    assert error.tls is not None
    assert error.tls.problem is TlsProblem.HANDSHAKE
    assert error.tls.reason in str(error)


def test_a_refusal_is_logged_once_and_told_until_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A storm of incidents is one line; the CA file is mended under the running program, which says so."""
    caplog.set_level(logging.INFO, logger="receiver.transport")
    ca = tmp_path / "ca.crt"
    shutil.copy(OTHER_CA, ca)
    with over_tls(_Hello(), "plain") as url:
        client = http(url, str(ca))
        first = refused(client)
        for _ in range(BREAKER_FAILURES):
            refused(client)
        told = client.tls_problem
        shutil.copy(PLAIN_CA, ca)
        os.utime(ca, (1, 1))
        client.get_json("/x")

    assert (told, client.tls_problem) == (str(first), "")
    assert [(r.levelname, r.__dict__.get("error")) for r in caplog.records] == [("WARNING", str(first)), ("INFO", None)]


@pytest.mark.parametrize("content", [None, "", "no certificate\n"], ids=["not there", "empty", "something else"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    """The first mistake of a new installation: the wrong key of a ConfigMap, the wrong path."""
    ca = tmp_path / "authority.pem"
    if content is not None:
        ca.write_text(content)
    client = http("https://127.0.0.1:9", str(ca))

    error = refused(client)

    assert error.tls is not None
    assert (error.tls.problem, error.maybe_received) == (TlsProblem.CA_FILE, False)
    assert str(ca) in str(error)
    assert client.tls_problem == str(error)
