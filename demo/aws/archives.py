"""The zip packages of the simulated functions: believable files, which compress as well as code does."""

import io
import zipfile
from functools import cache
from random import Random

MIB = 1024 * 1024
BUILT = (2026, 11, 2, 9, 30, 0)
WORDS = ("def", "return", "self", "import", "class", "value", "None", "order", "context", "event", "=", "(", ")", ":")


@cache
def text(seed: str, size: int) -> bytes:
    """``size`` bytes that look like code; a page of it again and again, because making more takes time."""
    random = Random(seed)
    page = " ".join(random.choice(WORDS) + str(random.randrange(100)) for _ in range(3_000)).encode()
    return (page * (size // len(page) + 1))[:size]


def archive(files: dict[str, int | str]) -> bytes:
    """A zip of these files: text as it is, a number as so many bytes of code."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in files.items():
            body = content.encode() if isinstance(content, str) else text(name, content)
            target.writestr(zipfile.ZipInfo(name, BUILT), body, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


NODE = "exports.handler = async (event, context) => route(event);\n"
PYTHON = "def handler(event, context):\n    return process(event)\n"
RUBY = "def handler(event:, context:)\n  deliver(event)\nend\n"

# Function → the files in its package. A number is a size in bytes.
CODE: dict[str, dict[str, int | str]] = {
    "shop-orders-api": {
        "index.js": NODE,
        "node_modules/fastify/index.js": 600_000,
        "node_modules/zod/index.js": 300_000,
    },
    "shop-order-worker": {
        "app/handler.py": PYTHON,
        "boto3/session.py": 900_000,
        "botocore/data/ec2/service-2.json": 2 * MIB,
    },
    "shop-invoice": {
        "com/acme/shop/Invoice.class": 40_000,
        "lib/itext-core.jar": 3 * MIB,
        "lib/jackson-databind.jar": MIB,
    },
    "shop-ledger": {"app/handler.py": PYTHON, "app/reconcile.py": 30_000},
    "shop-stock": {"Shop.Stock.dll": 90_000, "Amazon.Lambda.Core.dll": 200_000, "Newtonsoft.Json.dll": 700_000},
    "shop-notify": {"handler.rb": RUBY, "vendor/bundle/ruby/3.3.0/gems/aws-sdk-core.rb": 800_000},
    "shop-sessions": {"bootstrap": 4 * MIB},
    "shop-thumbnails": {
        "index.mjs": NODE,
        "node_modules/sharp/lib/index.js": 200_000,
        "node_modules/sharp/build/sharp.node": 3 * MIB,
    },
}
LAYERS: dict[str, dict[str, int | str]] = {
    "shop-shared-node": {
        "nodejs/node_modules/shop-shared/index.js": 400_000,
        "nodejs/node_modules/pino/pino.js": 200_000,
    },
    "shop-pandas": {"python/pandas/core/frame.py": 4 * MIB, "python/numpy/core/_multiarray_umath.so": 6 * MIB},
}
USES = {
    "shop-orders-api": "shop-shared-node",
    "shop-thumbnails": "shop-shared-node",
    "shop-ledger": "shop-pandas",
}
