"""The functions of Acme Retail: what they are, how busy, and how each of them goes wrong."""

from dataclasses import dataclass

ACCOUNT = "441022190087"


@dataclass(frozen=True, slots=True)
class Function:
    """One simulated function. Rates are invocations per minute at the busiest hour, durations in ms."""

    name: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_s: int
    per_minute: float
    median_ms: float
    spread: float
    used_mb: int
    init_ms: float
    region: str = "eu-west-1"
    cold_share: float = 0.01
    account: str = ACCOUNT
    log_format: str = "Text"
    log_group: str = ""
    """Empty for Lambda's own choice."""
    warm: int = 0
    """How many environments provisioned concurrency keeps, of the alias ``live``; more than are ever busy at once."""

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def init_type(self) -> str:
        return "provisioned-concurrency" if self.warm else "on-demand"

    @property
    def logs_to(self) -> str:
        return self.log_group or f"/aws/lambda/{self.name}"


CATALOGUE = (
    Function("checkout-api", "nodejs22.x", "arm64", 512, 10, 8, 85, 0.45, 142, 310, warm=3),
    Function("payments-webhook", "python3.13", "arm64", 512, 10, 6, 210, 0.5, 118, 420),
    Function("order-processor", "python3.13", "x86_64", 1024, 30, 5, 340, 0.6, 310, 610),
    Function("image-resize", "python3.12", "x86_64", 1536, 20, 3, 1450, 0.7, 980, 890),
    Function("catalog-search", "nodejs22.x", "arm64", 1024, 6, 10, 60, 0.5, 256, 350),
    Function("pdf-invoice", "dotnet8", "x86_64", 1024, 30, 1.5, 2900, 0.4, 870, 1200),
    Function("auth-token", "provided.al2023", "arm64", 128, 3, 4, 9, 0.6, 41, 70, cold_share=0.006),
    Function("inventory-sync", "java21", "x86_64", 2048, 60, 2, 780, 0.5, 690, 2600),
    Function("email-dispatch", "ruby3.3", "arm64", 256, 15, 3, 170, 0.5, 88, 380, region="us-east-1"),
    Function("fraud-score", "python3.13", "x86_64", 3008, 15, 4, 480, 0.4, 1140, 2100, region="us-east-1"),
    Function("cart-expiry", "nodejs20.x", "arm64", 256, 60, 1, 640, 0.8, 97, 280, region="us-east-1"),
    Function("report-nightly", "python3.12", "x86_64", 512, 120, 0.4, 9500, 0.3, 420, 700),
)  # fmt: skip

# The shop of a company that Acme bought: nothing of it sends telemetry, all of it is read through AWS's own services.
SHOP = "720155190031"
FLEET = (
    Function("shop-orders-api", "nodejs22.x", "arm64", 512, 10, 7, 95, 0.5, 148, 330, "eu-central-1", account=SHOP),
    Function("shop-order-worker", "python3.13", "arm64", 512, 30, 5, 240, 0.5, 121, 460, "eu-central-1", account=SHOP,
             log_format="JSON"),
    Function("shop-invoice", "java21", "x86_64", 1024, 60, 1.5, 820, 0.5, 480, 2400, "eu-central-1", account=SHOP),
    Function("shop-ledger", "python3.12", "x86_64", 512, 120, 0, 4200, 0.3, 210, 640, "eu-central-1", account=SHOP),
    Function("shop-stock", "dotnet8", "x86_64", 512, 30, 3, 150, 0.5, 190, 900, "eu-central-1", account=SHOP),
    Function("shop-notify", "ruby3.3", "arm64", 256, 15, 2, 180, 0.5, 92, 390, "us-east-1", account=SHOP),
    Function("shop-sessions", "provided.al2023", "arm64", 128, 5, 0, 35, 0.6, 38, 60, "us-east-1", account=SHOP),
    Function("shop-thumbnails", "nodejs20.x", "x86_64", 768, 12, 2, 1300, 0.6, 510, 420, "us-east-1", account=SHOP,
             log_format="JSON", log_group="/shop/media"),
)  # fmt: skip

# Function → way to fail (see demo.failures) → share of its invocations that end so.
FAILURE_SHARES = {
    "checkout-api": {"node_type_error": 4e-4},
    "order-processor": {"python_key_error": 9e-4},
    "image-resize": {"out_of_memory": 4e-3, "timeout": 2e-3},
    "catalog-search": {"timeout": 3e-4},
    "pdf-invoice": {"dotnet_null": 5e-3},
    "auth-token": {"go_panic": 4e-4},
    "inventory-sync": {"java_illegal_state": 3e-3},
    "email-dispatch": {"ruby_argument": 2e-3},
    "fraud-score": {"timeout": 1e-3},
    "cart-expiry": {"node_rejection": 4e-3},
    "report-nightly": {"python_import": 1e-2},
    "shop-orders-api": {"node_type_error": 2e-3},
    "shop-order-worker": {"python_key_error": 4e-3},
    "shop-invoice": {"java_illegal_state": 8e-3},
    "shop-stock": {"dotnet_null": 3e-3},
    "shop-notify": {"ruby_argument": 4e-3},
    "shop-thumbnails": {"out_of_memory": 6e-3, "timeout": 4e-3},
}

# Function → the failure that each bad deployment of it brings (see demo.releases).
BAD_RELEASES = {"payments-webhook": "python_stripe_timeout"}

SLOW = "catalog-search"
"""The function that is slow at times, without failing more often (see demo.releases)."""
