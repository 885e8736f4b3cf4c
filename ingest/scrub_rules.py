"""What a secret looks like: the kinds that are scrubbed, each with the fixed texts that give it away.

A rule is looked at only where one of its ``hints`` (lower case) occurs. Its pattern starts there. Patterns are bounded
or begin only at the start of a run of their own characters, so scanning stays linear in the size of the text.
"""

import re
from dataclasses import dataclass

START = rb"(?:(?<![A-Za-z0-9_.+/-])|(?<=\\[nrt]))"
"""The start of a run of token characters; an escaped line break or tab ends in a letter and is no part of a run."""
END = rb"(?![A-Za-z0-9])"


@dataclass(frozen=True, slots=True)
class TokenRule:
    """A secret that can be told by its own looks. Group 1, where there is one, is the part to replace."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class KeyRule:
    """A secret that can be told by the name it is given, as in ``name=value`` or ``"name": "value"``.

    ``tail`` is what may follow the hint in the name.
    """

    kind: str
    hints: tuple[str, ...]
    tail: re.Pattern[bytes]


def token(kind: str, hints: str, pattern: bytes) -> TokenRule:
    return TokenRule(kind, tuple(hints.split()), re.compile(START + pattern))


def anywhere(kind: str, hint: str, pattern: bytes) -> TokenRule:
    return TokenRule(kind, (hint,), re.compile(pattern))


def key(kind: str, hints: str, tail: bytes = b"") -> KeyRule:
    return KeyRule(kind, tuple(hints.split()), re.compile(tail, re.IGNORECASE))


TOKENS = (
    token("aws_session_token", "iqojb3jpz2lu fwogzxiv", rb"(?:IQoJb3JpZ2lu|FwoGZXIv)[A-Za-z0-9+/=_%-]{40,}+"),
    token("jwt", "eyj", rb"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+\.[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]++){0,2}"),
    token("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", rb"gh[pousr]_[A-Za-z0-9]{36,}+"),
    token("github_token", "github_pat_", rb"github_pat_[A-Za-z0-9_]{22,}+"),
    token("gitlab_token", "glpat- gldt- glrt- glcbt- glptt- glft- gloas-", rb"gl[a-z]{2,5}-[A-Za-z0-9_-]{20,}+"),
    token("slack_token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", rb"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}+"),
    anywhere("slack_webhook", "hooks.slack.com/", rb"hooks\.slack\.com/([A-Za-z0-9/_-]{20,}+)"),
    anywhere("discord_webhook", "/api/webhooks/", rb"/api/webhooks/\d{8,20}/([A-Za-z0-9_-]{30,}+)"),
    token("stripe_key", "sk_live_ sk_test_ rk_live_ rk_test_", rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+"),
    token("stripe_key", "whsec_", rb"whsec_[A-Za-z0-9+/=]{24,}+"),
    token("sendgrid_key", "sg.", rb"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    token("twilio_key", " ".join(f"sk{digit:x}" for digit in range(16)), rb"SK[0-9a-f]{32}" + END),
    token("npm_token", "npm_", rb"npm_[A-Za-z0-9]{36}" + END),
    token("pypi_token", "pypi-ageichlwas5vcmc", rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{40,}+"),
    token("google_key", "aiza", rb"AIza[A-Za-z0-9_-]{35}" + END),
    token("google_key", "gocspx- ya29.", rb"(?:GOCSPX-|ya29\.)[A-Za-z0-9_.-]{20,}+"),
    anywhere("azure_signature", "sig=", rb"(?<=[?&;\s\"'])sig=([A-Za-z0-9%+/=_-]{20,}+)"),
    anywhere("aws_signature", "x-amz-signature=", rb"(?i:x-amz-signature)=([0-9a-fA-F]{64})"),
    token("openai_key", "sk-", rb"sk-(?=[A-Za-z_-]{0,90}[0-9])[A-Za-z0-9_-]{20,}+"),
    token("huggingface_token", "hf_", rb"hf_[A-Za-z0-9]{30,}+"),
    token("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", rb"do[opr]_v1_[0-9a-f]{64}"),
    token("shopify_token", "shpat_ shpca_ shppa_ shpss_", rb"shp[a-z]{2}_[0-9a-fA-F]{32}"),
    token("databricks_token", "dapi", rb"dapi[0-9a-f]{32}" + END),
    anywhere("telegram_token", ":aa", rb"(?<=[0-9]{8}):(AA[A-Za-z0-9_-]{33})" + END),
    token("new_relic_key", "nrak-", rb"NRAK-[A-Z0-9]{27}" + END),
    token("mailgun_key", "key-", rb"key-[0-9a-f]{32}" + END),
    token("atlassian_token", "atatt3", rb"ATATT3[A-Za-z0-9_=-]{50,}+"),
    token("vault_token", "hvs. hvb.", rb"hv[sb]\.[A-Za-z0-9_-]{20,}+"),
    token("ingest_key", "njk_", rb"njk_[A-Za-z0-9]{8,16}_[A-Za-z0-9]{20,}+"),
    anywhere(
        "url_password",
        "://",
        rb"://[^\s/?#:@\"'\\<>]{0,128}:([^\s/?#@\"'\\<>]{1,256})@(?=[A-Za-z0-9\[_.-])",
    ),
)

KEYS = (
    key("password", "passw", rb"(?:or[dt]|d)(?:[_-]?(?:plain|text|hash|new|old|confirm|confirmation|value))?\d?"),
    key("password", "passphrase"),
    key(
        "password", "pwd", rb"(?!\\{0,15}[\"']?\s{0,4}[:=]\s{0,4}\\{0,15}[\"']?/)"
    ),  # PWD is also the working directory.
    key("aws_secret_access_key", "secretaccesskey secret_access_key secret-access-key"),
    key("aws_session_token", "sessiontoken session_token session-token security-token securitytoken"),
    key("secret", "secret", rb"(?:[_-]?key)?(?:[_-]?(?:value|string|text))?\d?"),
    key("token", "token", rb"(?:[_-]?value)?"),
    key("api_key", "apikey api_key api-key", rb"(?:[_-]?value)?"),
    key("azure_storage_key", "accountkey account_key sharedaccesskey"),
    key("private_key", "privatekey private_key private-key"),
    key(
        "key",
        "accesskey access_key access-key encryptionkey encryption_key signingkey signing_key authkey auth_key"
        " masterkey master_key licensekey license_key",
    ),
    key("credential", "credential", rb"s?"),
    key("card_code", "cvv cvc", rb"2?"),
)

PAGES = (b"next", b"page", b"continuation", b"pagination", b"sync", b"cancellation", b"idempotency", b"request")
"""A token with one of these before it turns a page; it opens no door."""

HARMLESS = re.compile(
    rb"(?i:none|null|nil|undefined|true|false|yes|no|n/?a|empty|missing|invalid|required|expired|string|str|bytes|hidden|"
    rb"secret|password|token|redacted|masked|filtered|removed)"
    rb"|[*xX.#_-]+|(?i:arn:aws).*|\[[a-zA-Z_: ]*\].*|<[^>]*>?|\$[A-Z_][A-Z0-9_]*|\$?\{[^}]*\}*|%[a-z]|%\([a-z_]+\)s"
    rb"|\(.*|process\.env.*|os\.environ.*|",
    re.DOTALL,
)
"""Values that stand for a secret without being one."""
