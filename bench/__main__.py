"""``python -m bench NAME [ARGS] [--json]``: runs one bench and prints its result."""

import argparse
import json
import sys
from importlib import import_module

from bench.environment import prepare

NAMES = {
    "ingest": "events per second that are accepted and that become queryable",
    "alert_latency": "from a failing invocation to the request at the Slack receiver",
    "conserve": "is anything lost or doubled while processes die?",
    "pages": "server time and queries of each page",
    "extension": "what the companion extension costs a function",
    "footprint": "resident memory of the idle product",
    "pull": "log events per second of one worker, and whether any is missed or doubled",
    "pull_scale": "lag and calls of ten thousand functions within AWS's quotas, in simulated time",
    "pull_faults": "are metrics and logs complete when AWS throttles, fails and hangs?",
    "pull_soak": "memory of the puller over a hundred thousand pulls of three hundred accounts",
    "anomaly": "what the anomaly detector catches on labelled series, how often it errs, and what it costs",
    "series": "one tick over many series, with their memory in PostgreSQL",
    "healthy": "how often the anomaly watch cries wolf over functions that are all well",
    "hostile": "answers, time and memory for thousands of hostile bodies",
}


def show(result: dict[str, object]) -> None:
    """Print a short table for people."""
    width = max(map(len, result))
    for key, value in result.items():
        if isinstance(value, list):
            print(f"{key}:")
            for row in value:
                print("  " + "  ".join(f"{k}={v}" for k, v in row.items()))
        else:
            print(f"{key:<{width}}  {value:,}" if isinstance(value, int | float) else f"{key:<{width}}  {value}")


def main() -> int:
    if not sys.argv[1:]:
        show(dict(NAMES))
        return 0
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    name = parser.parse_args(sys.argv[1:2]).name
    prepare()
    bench = import_module(f"bench.{name}")
    options = argparse.ArgumentParser(prog=f"python -m bench {name}", description=bench.__doc__)
    options.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    bench.arguments(options)
    chosen = options.parse_args(sys.argv[2:])
    result = bench.run(chosen)
    if chosen.json:
        print(json.dumps(result))
    else:
        show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
