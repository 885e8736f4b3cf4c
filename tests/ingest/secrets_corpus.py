"""Made-up secrets of every kind, the lines they hide in, and clean lines that only look a little like them."""

import base64
import json
import random
import string
from collections.abc import Callable

HEX, ALNUM = "0123456789abcdef", string.ascii_letters + string.digits
B64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"


def text(chance: random.Random, alphabet: str, length: int) -> str:
    return "".join(chance.choices(alphabet, k=length))


def password(chance: random.Random) -> str:
    return text(chance, ALNUM + "!#%*+-.=?^_~", chance.randint(8, 24)) + str(chance.randint(0, 9))


def jwt(chance: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": text(chance, HEX, 12), "iat": chance.randint(1, 10**9)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{text(chance, URLSAFE, 43)}"


def card(chance: random.Random) -> str:
    prefix, length = chance.choice(
        [("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16)]
    )
    digits = prefix + text(chance, string.digits, length - len(prefix) - 1)
    total = sum((int(d) if i % 2 else sum(divmod(2 * int(d), 10))) for i, d in enumerate(digits[::-1]))
    number = digits + str(-total % 10)
    if length == 16 and chance.random() < 0.5:
        separator = chance.choice(" -")
        return separator.join(number[i : i + 4] for i in range(0, 16, 4))
    return number


def pem(chance: random.Random) -> str:
    kind = chance.choice(["RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "])
    lines = "\n".join(text(chance, B64, 64) for _ in range(chance.randint(3, 8)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def basic(chance: random.Random) -> str:
    return base64.b64encode(f"{text(chance, ALNUM, 6)}:{password(chance)}".encode()).decode()


Maker = Callable[[random.Random], tuple[str, str]]
"""Makes (the line, the part of it that must not survive)."""


def line(form: str, make: Callable[[random.Random], str]) -> Maker:
    def maker(chance: random.Random) -> tuple[str, str]:
        secret = make(chance)
        return form.replace("@@", secret), secret

    return maker


def names(words: str, make: Callable[[random.Random], str]) -> Maker:
    """A named value in one of the usual notations, at one of the usual depths of JSON."""

    def maker(chance: random.Random) -> tuple[str, str]:
        name, secret = chance.choice(words.split()), make(chance)
        forms = (
            f"config: {name}={secret} region=eu-west-1",
            f"{name}: {secret}",
            f'{{"{name}": "{secret}", "region": "eu-west-1"}}',
            f"{{'{name}': '{secret}', 'region': 'eu-west-1'}}",
            json.dumps({"event": json.dumps({name: secret, "n": 1})}),
            json.dumps({"a": json.dumps({"b": json.dumps({name: secret})})}),
            f"export {name}='{secret}'",
            f'{name} = "{secret}"',
        )
        return chance.choice(forms), secret

    return maker


def randomly(alphabet: str, length: int, before: str = "", after: str = "") -> Callable[[random.Random], str]:
    return lambda chance: before + text(chance, alphabet, length) + after


def one_of(prefixes: str, alphabet: str, length: int) -> Callable[[random.Random], str]:
    return lambda chance: chance.choice(prefixes.split()) + text(chance, alphabet, length)


AMQP = '{"BROKER_URL": "amqps://svc:@@@b-1.mq.eu-west-1.amazonaws.com:5671"}'
AZURE = "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=@@;EndpointSuffix=core"
SIGNED = "GET https://b.s3.amazonaws.com/k?X-Amz-Expires=300&X-Amz-Signature=@@"
AWS_SECRET = "aws_secret_access_key AWS_SECRET_ACCESS_KEY SecretAccessKey secretAccessKey"
AWS_SESSION = "aws_session_token AWS_SESSION_TOKEN SessionToken"
CAPITALS = string.ascii_uppercase + "234567"

KINDS: dict[str, Maker] = {
    "aws access key id": line("using key @@ in eu-west-1", one_of("AKIA ASIA", CAPITALS, 16)),
    "aws secret key": names(AWS_SECRET, randomly(B64, 40)),
    "aws session token": names(AWS_SESSION, randomly(B64, 300, "IQoJb3JpZ2luX2Vj")),
    "jwt": line("user signed in with @@ from 10.0.0.1", jwt),
    "password in url": line("to postgres://app:@@@db.internal:5432/orders", randomly(ALNUM + "!%*+-._~", 14)),
    "amqp url": line(AMQP, randomly(ALNUM, 20)),
    "private key": line("loaded key @@", pem),
    "card": line("charging @@ for order 12", card),
    "bearer": line("Authorization: Bearer @@", lambda c: text(c, URLSAFE, c.randint(20, 60)) + "7"),
    "basic": line("{'Authorization': 'Basic @@', 'Accept': '*/*'}", basic),
    "cookie": line("Cookie: session=@@; theme=dark", randomly(ALNUM, 32)),
    "set-cookie": line('{"set-cookie": "sid=@@; Path=/; HttpOnly"}', randomly(ALNUM, 32)),
    "github": line("cloning with @@", one_of("ghp_ gho_ ghs_ ghu_", ALNUM, 36)),
    "github fine grained": line("GH=@@", randomly(ALNUM, 59, "github_pat_0123456789abcdefABCDEF_")),
    "gitlab": line("push with @@ failed", randomly(URLSAFE, 20, "glpat-")),
    "slack token": line("slack client @@ ready", randomly(ALNUM, 24, "xoxb-123456789012-")),
    "slack webhook": line("POST https://hooks.slack.com/services/@@", randomly(ALNUM, 24, "T0AB12CD/B0EF34GH/")),
    "stripe": line("stripe.api_key is @@", one_of("sk_live_ rk_live_ sk_test_", ALNUM, 24)),
    "sendgrid": line("mailer @@", lambda c: f"SG.{text(c, URLSAFE, 22)}.{text(c, URLSAFE, 43)}"),
    "twilio": line("twilio @@ used", randomly(HEX, 32, "SK")),
    "npm": line("//registry/:_authToken @@", randomly(ALNUM, 36, "npm_")),
    "pypi": line("upload with @@", randomly(URLSAFE, 60, "pypi-AgEIcHlwaS5vcmc")),
    "google": line("maps?key=@@", randomly(URLSAFE, 35, "AIza")),
    "azure": line(AZURE, randomly(B64, 86, after="==")),
    "password": names("password DB_PASSWORD dbPassword passwd pwd user.password", password),
    "api key": names("api_key apiKey X-Api-Key STRIPE_API_KEY", randomly(ALNUM, 31, after="4")),
    "token": names("token access_token refreshToken auth_token", randomly(URLSAFE, 31, after="4")),
    "secret": names("client_secret secret SECRET_KEY webhookSecret", randomly(ALNUM, 31, after="4")),
    "openai": line("client with @@", randomly(ALNUM, 40, "sk-proj-", "1")),
    "presigned url": line(SIGNED, randomly(HEX, 64)),
}


def planted(count: int, *, seed: int) -> list[tuple[str, str, str]]:
    """(kind, line, secret), every kind as often."""
    chance = random.Random(seed)
    kinds = list(KINDS)
    return [(kind := kinds[i % len(kinds)], *KINDS[kind](chance)) for i in range(count)]


CLEAN = (
    "START RequestId: {uuid} Version: $LATEST",
    "END RequestId: {uuid}",
    "REPORT RequestId: {uuid}\tDuration: {n}.9 ms\tBilled Duration: {n} ms\tMemory Size: 128 MB\tMax Memory Used: 8 MB",
    "[INFO]\t2026-11-23T07:40:00.123Z\t{uuid}\torder {n} processed for customer c-{n} in 12 ms",
    "2026-11-23T07:40:00.123Z\t{uuid}\tERROR\tTypeError: Cannot read properties of undefined (reading 'token')",
    "SyntaxError: Unexpected token < in JSON at position {n}",
    "Unexpected token: punctuation (:) at line {n}",
    "password reset mail queued for user {n}",
    "Password must be at least 12 characters",
    "Invalid password: too short",
    "token expired, refreshing",
    "token: expired",
    "nextToken=AAAA{n}bbbb page={n}",
    '{{"NextToken": "eyJ2IjoxfQ{n}", "items": {n}}}',
    '{{"level": "INFO", "message": "cache hit", "key": "orders/{n}", "ttl": {n}}}',
    '{{"prompt_tokens": {n}, "completion_tokens": {n}, "total_tokens": {n}}}',
    '{{"token_type": "Bearer", "expires_in": {n}}}',
    "secret rotation finished for arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-{n}",
    "SecretId=prod-database region=eu-west-1",
    "reading parameter /prod/app/setting-{n}",
    "GET https://api.example.com:8443/v1/items/{n}?page=2&sort=desc 200 {n}ms",
    "connect to redis://cache.internal:6379/0 ok",
    "s3://bucket/prefix/2026/11/23/{uuid}.parquet",
    "user a.b@example.com logged in from 10.0.{m}.{m}",
    "trace Root=1-5e1b4151-{hex24};Parent={hex16};Sampled=1",
    "sha256 {hex64}",
    "epoch 17{n13} nanos 17{n18}",
    "timestamps 1700000000{n3} 1700000001{n3}",
    "order id 9{n15} shipped",
    "Traceback (most recent call last):\r File \"/var/task/app.py\", line {n}, in handler\r    raise KeyError('token')",
    "KeyError: 'password'",
    "missing required key: api_key",
    "'Authorization' header missing",
    "Basic authentication is not supported here",
    "bearer authentication required",
    "cookie consent given",
    "No cookies were found in this request",
    "api_key is None",
    "password=None user=None",
    '{{"password": null, "secret": "", "token": "***"}}',
    "PWD=/var/task HOME=/root LANG=en_US.UTF-8",
    "processing record {n} of {n} shard shardId-000000000000",
    "Task timed out after 3.00 seconds",
    "asia-northeast1 latency {n} ms, disk usage {m}%",
    "credentials refreshed from the environment",
    "uuid {uuid} {uuid}",
    "phone +49 30 {n13}",
    "iso week 2026-W47 day 23 step {n}/{n}",
    '{{"card_brand": "visa", "last4": "{n4}", "amount": {n}}}',
    "skipping task-{n}-of-many because sk-learn-model is missing",
)


def clean(count: int, *, seed: int) -> list[str]:
    """Lines of realistic logs without secrets."""
    chance = random.Random(seed)
    lines = []
    for number in range(count):
        fill = {f"n{size}": text(chance, string.digits, size) for size in (3, 4, 13, 15, 18)}
        fill |= {f"hex{size}": text(chance, HEX, size) for size in (16, 24, 64)}
        uuid = "-".join(text(chance, HEX, size) for size in (8, 4, 4, 4, 12))
        lines.append(
            CLEAN[number % len(CLEAN)].format(n=chance.randint(1, 9999), m=chance.randint(1, 99), uuid=uuid, **fill)
        )
    return lines
