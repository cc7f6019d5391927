"""Names of secrets in other languages. Latin ones are compared without accents; of other scripts the word is looked for within its line.

To add a language: its words here. One that also means something else ("clave" is any key) goes to the words that need a mixed value.
"""

from __future__ import annotations

from receiver.evidence.redaction.kinds import API_KEY, PASSWORD, SECRET, TOKEN

# Kind: words of languages in Latin script.
LATIN: dict[str, str] = {
    PASSWORD: "passwort kennwort losungswort zugangscode zugangspasswort"  # German
    " contrasena contrasenia contrasinal contrasenya palabradepaso clavedeacceso clavesecreta claveprivada"  # Spanish, Galician, Catalan
    " motdepasse motpasse mdp codesecret"  # French
    " senha palavrapasse"  # Portuguese
    " haslo heslo lozinka geslo zaporka"  # Polish, Czech and Slovak, Croatian, Slovene
    " wachtwoord losenord losen passord adgangskode adgangskoden kodeord salasana lykilord parool parole slaptazodis"  # Dutch, Nordic, Baltic
    " parola paroladordine parolachiave parola_d_ordine sifre sifresi"  # Italian, Romanian, Turkish
    " jelszo jelszava fjalekalim"  # Hungarian, Albanian
    " katasandi matkhau sandi",  # Indonesian, Vietnamese
    SECRET: "geheimnis zugangsschluessel zugangsschlussel geheimschlussel chavesecreta chavedeacesso chaveprivada clesecrete cledacces cleprivee segreto chiavesegreta"
    " geheim sleutelwoord",
    TOKEN: "jeton jetondacces zugriffstoken fichadeacceso",
    API_KEY: "claveapi clavedeapi cleapi clesapi chaveapi chavedeapi apischlussel kluczapi",
}
# The same of words that also name other things.
LATIN_MIXED: dict[str, str] = {SECRET: "clave schlussel schluessel chiave klucz avain sleutel anahtar cle chave"}
# The beginning of words that their language inflects: lösenordet, şifreniz, hasłem.
STEMS: dict[str, str] = {PASSWORD: "passwort passwoert kennwort losenord sifreni sifremi wachtwoord adgangskode jelszav contrasen salasana"}
# Phrases of words in Latin script, as they stand without accents.
LATIN_PHRASES: tuple[tuple[str, str], ...] = (
    ("mot de passe", PASSWORD), ("clave de acceso", PASSWORD), ("clave secreta", SECRET), ("palabra de paso", PASSWORD), ("palavra passe", PASSWORD), ("jeton d'acces", TOKEN),
    ("cle d'acces", SECRET), ("cle secrete", SECRET), ("cle api", API_KEY), ("kata sandi", PASSWORD), ("mat khau", PASSWORD), ("parola d'ordine", PASSWORD),
    ("code secret", PASSWORD), ("chave secreta", SECRET), ("chiave segreta", SECRET), ("chave de acesso", SECRET),
)  # fmt: skip
# Words of other scripts: (word, kind, whether its value must be mixed).
OTHER_SCRIPTS: tuple[tuple[str, str, bool], ...] = (
    ("парол", PASSWORD, False), ("токен", TOKEN, False), ("секретн", SECRET, False), ("секрет", SECRET, False), ("ключ", SECRET, True), ("лозинка", PASSWORD, False),
    ("密码", PASSWORD, False), ("密碼", PASSWORD, False), ("口令", PASSWORD, False), ("令牌", TOKEN, False), ("密钥", SECRET, True), ("密鑰", SECRET, True),
    ("パスワード", PASSWORD, False), ("暗証番号", PASSWORD, False), ("トークン", TOKEN, False), ("秘密鍵", SECRET, True), ("合言葉", PASSWORD, False),
    ("비밀번호", PASSWORD, False), ("암호", PASSWORD, False), ("패스워드", PASSWORD, False), ("토큰", TOKEN, False),
    ("كلمة المرور", PASSWORD, False), ("كلمة السر", PASSWORD, False), ("كلمه المرور", PASSWORD, False), ("الرقم السري", PASSWORD, False), ("رمز عبور", PASSWORD, False),
    ("گذرواژه", PASSWORD, False), ("סיסמה", PASSWORD, False), ("סיסמא", PASSWORD, False), ("κωδικος", PASSWORD, False), ("κωδικοσ", PASSWORD, False), ("συνθηματικο", PASSWORD, False),
    ("รหัสผ่าน", PASSWORD, False), ("पासवर्ड", PASSWORD, False), ("कूटशब्द", PASSWORD, False), ("পাসওয়ার্ড", PASSWORD, False), ("கடவுச்சொல்", PASSWORD, False),
    ("գաղտնաբառ", PASSWORD, False), ("პაროლი", PASSWORD, False), ("құпиясөз", PASSWORD, False),
)  # fmt: skip
