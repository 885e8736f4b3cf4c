"""What is in the packages of the pretend company's functions: files by path, each with its text or its size in bytes.

The simulated AWS zips them, and the simulated extension measures them: both tell the same sizes.
"""

from collections.abc import Mapping

from demo.catalogue import ACCOUNT, Function

Files = dict[str, int | str]

KIB, MIB = 1 << 10, 1 << 20

NODE = "exports.handler = async (event, context) => route(event);\n"
PYTHON = "def handler(event, context):\n    return process(event)\n"
RUBY = "def handler(event:, context:)\n  deliver(event)\nend\n"


def pack(*parts: Mapping[str, int | str]) -> Files:
    """All of these files."""
    return {path: content for part in parts for path, content in part.items()}


def python(name: str, version: str, size: int, tests: int = 0, *, distribution: str = "") -> Files:
    """A Python distribution as pip installs it; ``name`` is that of its module."""
    files: Files = {f"{name}/core.py": size, f"{distribution or name}-{version}.dist-info/METADATA": 2 * KIB}
    return files | ({f"{name}/tests/test_core.py": tests} if tests else {})


def node(name: str, size: int, **extra: int) -> Files:
    """A module as npm installs it, with files that have a suffix of their own: ``d_ts`` is ``index.d.ts``."""
    files: Files = {f"node_modules/{name}/index.js": size}
    return files | {f"node_modules/{name}/index.{end.replace('_', '.')}": bytes_ for end, bytes_ in extra.items()}


BOTO = python("boto3", "1.35.90", 900 * KIB) | python("botocore", "1.35.90", 22 * MIB)
PANDAS = python("numpy", "2.1.3", 19 * MIB, 4 * MIB) | python("pandas", "2.2.3", 33 * MIB, 9 * MIB)
"""What three functions of Acme Retail carry each for itself."""

CODE: dict[str, Files] = {
    "checkout-api": pack(
        {"index.mjs": NODE, "index.mjs.map": 2 * MIB},
        node("@aws-sdk/client-dynamodb", 3 * MIB, d_ts=900 * KIB),
        node("@smithy/core", 700 * KIB),
        node("typescript", 9 * MIB),
        node("zod", 600 * KIB, d_ts=200 * KIB),
    ),
    "payments-webhook": pack({"app/handler.py": PYTHON}, python("stripe", "11.4.1", 6 * MIB, MIB)),
    "order-processor": pack({"app/handler.py": PYTHON}, PANDAS, BOTO),
    "image-resize": pack({"app/handler.py": PYTHON}, python("PIL", "11.0.0", 34 * MIB, 7 * MIB, distribution="pillow")),
    "catalog-search": {
        "index.mjs": NODE,
        "node_modules/re2/prebuilds/linux-arm64/re2.node": 4 * MIB,
        "node_modules/re2/prebuilds/linux-x64/re2.node": 4 * MIB,
        "node_modules/re2/prebuilds/darwin-arm64/re2.node": 3 * MIB,
        "node_modules/re2/prebuilds/win32-x64/re2.node": 3 * MIB,
    },
    "pdf-invoice": {
        "Acme.Pdf.dll": 300 * KIB,
        "Acme.Pdf.pdb": 2 * MIB,
        "QuestPDF.dll": 41 * MIB,
        "runtimes/linux-x64/native/libSkiaSharp.so": 26 * MIB,
        "runtimes/win-x64/native/libSkiaSharp.dll": 26 * MIB,
    },
    "auth-token": {"bootstrap": 9 * MIB},
    "inventory-sync": {
        "com/acme/inventory/Sync.class": 60 * KIB,
        "lib/spring-core-6.2.1.jar": 31 * MIB,
        "lib/hibernate-core-6.6.4.jar": 38 * MIB,
        "lib/postgresql-42.7.4.jar": 18 * MIB,
    },
    "email-dispatch": {"handler.rb": RUBY, "vendor/bundle/ruby/3.3.0/gems/aws-sdk-ses-1.79.0/lib/client.rb": 13 * MIB},
    "fraud-score": pack(
        {"app/handler.py": PYTHON, "app/model.bin": 34 * MIB},
        PANDAS,
        python("scipy", "1.14.1", 48 * MIB, 8 * MIB),
        python("sklearn", "1.5.2", 19 * MIB, 3 * MIB, distribution="scikit_learn"),
        python("joblib", "1.4.2", 2 * MIB),
    ),
    "cart-expiry": pack({"index.js": NODE}, node("aws-sdk", 13 * MIB), node("uuid", 90 * KIB, d_ts=9 * KIB)),
    "report-nightly": pack(
        {"app/handler.py": PYTHON, "app/__pycache__/handler.cpython-311.pyc": 40 * KIB},
        PANDAS,
        python("openpyxl", "3.1.5", 9 * MIB, MIB),
    ),
    "shop-orders-api": pack({"index.js": NODE}, node("fastify", 600_000), node("zod", 300_000)),
    "shop-order-worker": pack(
        {"app/handler.py": PYTHON},
        BOTO,
        python("pyarrow", "18.1.0", 97 * MIB, 11 * MIB),
        python("requests", "2.32.3", 800 * KIB),
    ),
    "shop-invoice": {
        "com/acme/shop/Invoice.class": 40_000,
        "lib/itext-core-9.0.0.jar": 3 * MIB,
        "lib/jackson-databind-2.17.2.jar": MIB,
    },
    "shop-ledger": {"app/handler.py": PYTHON, "app/reconcile.py": 30_000},
    "shop-stock": {"Shop.Stock.dll": 90_000, "Amazon.Lambda.Core.dll": 200_000, "Newtonsoft.Json.dll": 700_000},
    "shop-notify": {"handler.rb": RUBY, "vendor/bundle/ruby/3.3.0/gems/aws-sdk-core-3.209.1/lib/core.rb": 800_000},
    "shop-thumbnails": pack(
        {"index.mjs": NODE, "node_modules/sharp/build/sharp.node": 3 * MIB}, node("sharp", 200_000)
    ),
}
LAYERS: dict[str, Files] = {
    "shop-shared-node": {
        "nodejs/node_modules/shop-shared/index.js": 400_000,
        "nodejs/node_modules/pino/pino.js": 200_000,
    },
    "shop-pandas": {"python/pandas/core/frame.py": 4 * MIB, "python/numpy/core/_multiarray_umath.so": 6 * MIB},
    "fraud-models": {"models/card.onnx": 37 * MIB, "models/account.onnx": 14 * MIB},
    "otel-collector": {"extensions/collector": 104 * MIB, "collector-config/config.yaml": 3 * KIB},
    "nightjar-extension-arm64": {"extensions/nightjar": 8 * MIB},
    "nightjar-extension-amd64": {"extensions/nightjar": 8 * MIB},
}
USES: dict[str, tuple[str, ...]] = {
    "shop-orders-api": ("shop-shared-node",),
    "shop-thumbnails": ("shop-shared-node",),
    "shop-ledger": ("shop-pandas",),
    "fraud-score": ("fraud-models",),
    "pdf-invoice": ("otel-collector",),
}
OURS = ("nightjar-extension-amd64", "nightjar-extension-arm64")
"""The layers that Nightjar's own account publishes."""

IMAGES = {"shop-sessions": 612_345_678}
"""Functions that are container images, and what the registry holds of each, compressed."""

GROWING, STEP, ROUND = "shop-order-worker", 4 * MIB, 24
"""The function that takes so many bytes more with each release, until somebody cleans up."""


def code(function: Function) -> Files:
    return CODE.get(function.name, {f"{function.name}/index": 200 * function.used_mb})


def release(number: int) -> Files:
    """What a release of the growing function holds."""
    snapshots: Files = {f"app/data/snapshot-{day:02}.json": STEP for day in range(number % ROUND)}
    return CODE[GROWING] | snapshots | {"release": str(number)}


def layers(function: Function) -> tuple[str, ...]:
    """The layers of a function; those of Acme Retail have Nightjar's extension, too."""
    ours = OURS[function.architecture == "arm64"]
    return (*USES.get(function.name, ()), *([ours] if function.account == ACCOUNT else []))


def size(files: Files) -> int:
    return sum(len(content.encode()) if isinstance(content, str) else content for content in files.values())
