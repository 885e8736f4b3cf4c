"""How each runtime words an unhandled error: the text a function's log holds, and the status Lambda reports."""

import json
from collections.abc import Callable
from dataclasses import dataclass

PACKAGES = "/opt/python/lib/python3.13/site-packages"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed invocation leaves behind: its last log line, and the status and error type of its report.

    ``takes_ms`` is how long such an invocation takes, where that is no matter of chance.
    """

    line: Callable[[str, str], str] | None
    status: str = "error"
    error_type: str = ""
    takes_ms: float | None = None


def _python(error: str, message: str, frames: tuple[tuple[str, int, str, str], ...]) -> Callable[[str, str], str]:
    def line(_time: str, _request_id: str) -> str:
        trace = "".join(f'  File "{f}", line {n}, in {name}\n    {code}\n' for f, n, name, code in frames)
        return f"[ERROR] {error}: {message}\nTraceback (most recent call last):\n{trace}"

    return line


def _node(headline: str, error: str, message: str, stack: tuple[str, ...]) -> Callable[[str, str], str]:
    def line(time: str, request_id: str) -> str:
        body = {"errorType": error, "errorMessage": message, "stack": [f"{error}: {message}", *stack]}
        return f"{time}\t{request_id}\tERROR\t{headline} \t{json.dumps(body)}\n"

    return line


def _text(text: str) -> Callable[[str, str], str]:
    return lambda _time, _request_id: text


FAILURES = {
    "python_stripe_timeout": Failure(
        _python(
            "StripeTimeoutError",
            "Request timed out after 8.0 s",
            (
                ("/var/task/app/handler.py", 31, "handler", "return charge(event)"),
                ("/var/task/app/payments.py", 115, "charge", "intent = client.capture(order.id)"),
                (f"{PACKAGES}/stripe/_client.py", 402, "capture", "raise StripeTimeoutError(self.timeout)"),
            ),
        ),
        error_type="Function.Unhandled",
        takes_ms=8_060.0,
    ),
    "python_key_error": Failure(
        _python(
            "KeyError",
            "'shipping_address'",
            (
                ("/var/task/orders/handler.py", 24, "handler", "return process(json.loads(record['body']))"),
                ("/var/task/orders/process.py", 67, "process", "address = order['shipping_address']"),
            ),
        ),
        error_type="Function.Unhandled",
    ),
    "python_import": Failure(
        _text("[ERROR] Runtime.ImportModuleError: Unable to import module 'report': No module named 'pyarrow'\n"
              "Traceback (most recent call last):"),
        error_type="Runtime.ImportModuleError",
    ),
    "node_type_error": Failure(
        _node(
            "Invoke Error", "TypeError", "Cannot read properties of undefined (reading 'currency')",
            (
                "    at priceOf (/var/task/src/cart.js:48:31)",
                "    at Runtime.handler (/var/task/src/index.js:19:17)",
                "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
            ),
        ),
        error_type="TypeError",
    ),
    "node_rejection": Failure(
        _node(
            "Unhandled Promise Rejection", "Runtime.UnhandledPromiseRejection",
            "ConditionalCheckFailedException: The conditional request failed",
            (
                "    at expire (/var/task/src/expire.js:33:11)",
                "    at async Runtime.handler (/var/task/src/index.js:9:3)",
            ),
        ),
        error_type="Runtime.UnhandledPromiseRejection",
    ),
    "java_illegal_state": Failure(
        _text(
            "Warehouse feed is behind by 3 pages: java.lang.IllegalStateException\n"
            "java.lang.IllegalStateException: Warehouse feed is behind by 3 pages\n"
            "\tat com.acme.inventory.Feed.next(Feed.java:88)\n"
            "\tat com.acme.inventory.SyncHandler.handleRequest(SyncHandler.java:41)\n"
            "\tat java.base/java.lang.reflect.Method.invoke(Unknown Source)\n"
            "Caused by: java.net.SocketTimeoutException: Read timed out\n"
            "\tat java.base/java.net.SocketInputStream.read(Unknown Source)\n"
            "\tat com.acme.inventory.Feed.fetch(Feed.java:52)\n\t... 2 more\n"
        ),
        error_type="java.lang.IllegalStateException",
    ),
    "dotnet_null": Failure(
        _text(
            "Unhandled exception. System.NullReferenceException: "
            "Object reference not set to an instance of an object.\n"
            "   at Acme.Invoices.Renderer.Render(Invoice invoice) in /src/Renderer.cs:line 57\n"
            "   at Acme.Invoices.Function.FunctionHandler(SQSEvent evnt) in /src/Function.cs:line 23\n"
            "   at Amazon.Lambda.RuntimeSupport.HandlerWrapper.<InvokeAsync>d__0.MoveNext()\n"
        ),
        error_type="NullReferenceException",
    ),
    "ruby_argument": Failure(
        lambda _time, _request_id: "Error raised from handler method\n" + json.dumps(
            {
                "errorMessage": "recipient is not a valid address",
                "errorType": "Function<ArgumentError>",
                "stackTrace": [
                    "/var/task/lib/mailer.rb:27:in `validate!'",
                    "/var/task/lib/mailer.rb:12:in `deliver'",
                    "/var/task/handler.rb:8:in `handler'",
                ],
            }
        ),
        error_type="Function<ArgumentError>",
    ),
    "go_panic": Failure(
        _text(
            "panic: runtime error: invalid memory address or nil pointer dereference\n"
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2a41]\n\n"
            "goroutine 21 [running]:\n"
            "main.(*Issuer).Sign(0x0, {0xc0001a2000, 0x24})\n\t/src/issuer.go:74 +0x41\n"
            "main.handle({0x8a1b20, 0xc000110a50}, {0xc00012e000, 0x1f4})\n\t/src/main.go:39 +0x1c5\n"
        ),
        error_type="Runtime.ExitError",
    ),
    "timeout": Failure(None, status="timeout"),
    "out_of_memory": Failure(None, error_type="Runtime.ExitError"),
}  # fmt: skip
