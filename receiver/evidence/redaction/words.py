"""The English words that name secrets, what stands before or after them, and the phrases of several words. Other languages: `languages`.

To add a name: a word to WORDS, or, when it says so only with the word before it, to BEFORE_KEY or PHRASES. A word that often names something else
gets a shape: what its value must look like.
"""

from __future__ import annotations

from enum import Enum

from receiver.evidence.redaction.kinds import API_KEY, COOKIE, CREDENTIAL, PASSWORD, PRIVATE_KEY, SECRET, TOKEN


class Shape(Enum):
    """What a value must look like to be the secret that its name speaks of."""

    ANY = "anything that is no word of state, amount or placeholder"
    CODE = "4 to 10 digits, or letters and digits"
    MIXED = "6 or more characters, letters and others"
    LONG = "16 or more characters, letters and digits, no UUID"
    PHRASE = "several words"


# Kind: its words. Compared in lower case, without digits at either end.
WORDS: dict[str, str] = {
    PASSWORD: "password passwords passwd passphrase passcode pwd pass pswd psw pssword passw psswd passwrd pword passw0rd passwort pw mysqlpwd pgpassword dbpassword"
    " userpassword mdp rootpw bindpw storepass keypass sshpass userpass dbpass rootpass adminpass smtppass mailpass ftppass ldappass redispass pgpass proxypass vncpass apppass svcpass",
    SECRET: "secret secrets secretkey clientsecret credential credentials creds cred psk presharedkey wpapsk seedphrase mnemonic passkey identitytoken",
    TOKEN: "token tokens accesstoken authtoken refreshtoken idtoken bearer jwt totp csrf xsrf csrfmiddlewaretoken authtkt",
    API_KEY: "apikey apikeys appkey authkey accesskey accountkey sharedaccesskey apitoken",
    PRIVATE_KEY: "privatekey privkey prvkey",
    COOKIE: "jsessionid phpsessid aspsessionid cookie cookies",
}
# Words that name a secret only when the value looks like one: (kind, shape).
SHAPED: dict[str, tuple[str, Shape]] = {
    "otp": (TOKEN, Shape.CODE), "pin": (PASSWORD, Shape.CODE), "2fa": (TOKEN, Shape.CODE), "mfa": (TOKEN, Shape.CODE),
    "sid": (COOKIE, Shape.LONG), "sessionid": (COOKIE, Shape.LONG), "sessid": (COOKIE, Shape.LONG), "sess": (COOKIE, Shape.LONG),
    "sig": (SECRET, Shape.LONG), "sas": (SECRET, Shape.LONG), "signature": (SECRET, Shape.LONG), "hmac": (SECRET, Shape.LONG), "salt": (SECRET, Shape.LONG),
    "appid": (API_KEY, Shape.LONG), "routingkey": (API_KEY, Shape.LONG), "sdkkey": (API_KEY, Shape.LONG), "seed": (SECRET, Shape.PHRASE), "pincode": (PASSWORD, Shape.CODE),
    "verifier": (SECRET, Shape.LONG), "assertion": (TOKEN, Shape.LONG), "pepper": (SECRET, Shape.LONG),
    "dockerconfigjson": (CREDENTIAL, Shape.LONG), "dockercfg": (CREDENTIAL, Shape.LONG), "xoauth2": (TOKEN, Shape.LONG), "pat": (TOKEN, Shape.LONG),
}  # fmt: skip
# Before `key`, these make it a secret: api_key, signing-key. A plain key, cache_key or primary_key is none.
BEFORE_KEY: dict[str, str] = {
    API_KEY: "api sdk app auth access account subscription functions function integration instrumentation service consumer rest datadog openai stripe sendgrid google aws azure"
    " anthropic mailgun twilio github maps license licence admin project write read ingest",
    SECRET: "secret shared signing signature encryption encrypt decryption master hmac aes jwt cookie session storage webhook fernet cipher crypto deploy hash salt psk preshared"
    " symmetric sas security root unseal recovery seal base",
    PRIVATE_KEY: "private priv ssh rsa tls ssl ec pgp gpg host wallet",
}
# Before `code`, these make it one that opens something.
BEFORE_CODE = "pin access auth verification otp security device recovery backup time 2fa mfa authorization login sms invite pairing"
# Words before that make it something else: nextPageToken is a cursor, pad_token a model's, proxy_pass a directive.
ELSE: dict[str, str] = {
    "token": "next page continue continuation pagination sync cancellation pad eos bos unk mask sep cls stop parse lex peek unexpected invalid special image first last",
    "tokens": "prompt completion total max min stop special new cached reasoning input output num",
    "pass": "proxy fastcgi uwsgi grpc scgi multi single first second low high band boarding memcached",
    "secrets": "pull",  # imagePullSecrets: names of Secrets
    "signature": "method function type",
    "salt": "stack",
    "auth": "last",
}
# `auth` alone says how, not with what: REDISCLI_AUTH holds a password.
BEFORE_AUTH = "rediscli redis basic docker registry"
# The end of a word that was written without a break: csrftoken.
ENDINGS: dict[str, str] = {
    PASSWORD: "password passwd passphrase passwort kennwort contrasena wachtwoord losenord userpwd dbpwd",
    SECRET: "secret secretkey",
    TOKEN: "token",
    API_KEY: "apikey accesskey",
    PRIVATE_KEY: "privatekey",
}
# Names of several words, together or with a blank, `_`, `-` or `.` between: (phrase, kind, shape).
PHRASES: tuple[tuple[str, str, Shape], ...] = (
    ("seed phrase", SECRET, Shape.PHRASE), ("recovery phrase", SECRET, Shape.PHRASE), ("mnemonic", SECRET, Shape.PHRASE), ("private key", PRIVATE_KEY, Shape.MIXED),
    ("client key data", PRIVATE_KEY, Shape.LONG), ("session id", COOKIE, Shape.LONG), ("session key", SECRET, Shape.LONG), ("api key", API_KEY, Shape.MIXED), ("access key", API_KEY, Shape.MIXED),
    ("secret key", SECRET, Shape.MIXED), ("encryption key", SECRET, Shape.MIXED), ("connect sid", COOKIE, Shape.LONG), ("pass word", PASSWORD, Shape.ANY), ("pass phrase", PASSWORD, Shape.ANY), ("pass code", PASSWORD, Shape.MIXED),
    ("p/w", PASSWORD, Shape.ANY), ("key material", SECRET, Shape.LONG), ("wep key", PASSWORD, Shape.ANY), ("routing key", API_KEY, Shape.LONG), ("sdk key", API_KEY, Shape.LONG),
)  # fmt: skip
# After the word of secrecy, these say that the value is about a secret, and no secret.
ABOUT = """
    count counts length len size sizes limit limits max min total sum avg mean type types kind name names ref refs reference file files filename path paths dir
    directory folder mount volume expiry expire expires expired expiration exp ttl age lifetime valid validity version versions policy policies url uri endpoint host issuer
    audience scope scopes format field fields header headers column label sent required enabled disabled invalid status state source sources provider providers manager
    store class module algorithm alg encoding strength attempts attempt retries rate usage used remaining id ids index position bucket buckets hint changed updated
    rotated rotation created deleted missing present set at in ms seconds secs sec minutes hours days time timestamp date interval period window latency duration
    refreshes validation validator verified verification authentication filter service server client user username login form page prompt mode strategy reset cache hits
    misses errors error failures failed ok samesite secure httponly domain check checks method methods driver sync request requests event events
    java py rs go js ts rb kt scala cs cpp php tsx rounds iterations cost threads memory rss bytes encoder encoders hasher resolver factory converter handler generator supplier shape dim embedding embeddings ratio budget throughput per second
"""
# Words that also stand for an amount: `pass=3 fail=0`, `tokens: 4096 / 8192`.
COUNTED = "tokens pass secrets credentials cookies passwords jwt token cred creds pw sas salt"
