"""API Gateway: REST APIs, and HTTP and WebSocket APIs, each with its stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import Answer, Extras, in_turn
from observability.aws.sessions import Region

MOST = 60
"""So many APIs of each kind tell their stages in one run."""


ACCOUNT_RATE = 10_000
"""Requests a second that API Gateway gives all APIs of an account together, unless it was raised.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""


@dataclass(frozen=True, slots=True)
class Raw:
    """Stages are by the API's id, None where they were not told."""

    rest: Sequence[Answer]
    http: Sequence[Answer]
    rest_stages: Mapping[str, Answer | None]
    http_stages: Mapping[str, Sequence[Answer] | None]
    lacking: tuple[str, ...]


class Gateways:
    kind = "gateways"
    title = "API Gateways"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="apigateway:GET",
            why="Finds your APIs and their stages. API Gateway has this one action for everything that is read.",
            without="APIs are missing from the inventory.",
            probe=("apigateway", "get_rest_apis", {"limit": 1}),
            resource="arn:${AWS::Partition}:apigateway:*::/*apis*",
        ),
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        rest = [each for page in aws.pages("apigateway", "get_rest_apis", limit=500) for each in page.get("items", ())]
        http = [each for page in aws.pages("apigatewayv2", "get_apis") for each in page.get("Items", ())]
        extras, after = Extras(aws), scope.cursor.get("after", {})
        rest_stages = {
            key: extras.call("apigateway", "get_stages", restApiId=key)
            for key in in_turn((each["id"] for each in rest), after.get("rest", ""), MOST)
        }
        http_stages = {
            key: extras.pages("apigatewayv2", "get_stages", ApiId=key)
            for key in in_turn((each["ApiId"] for each in http), after.get("http", ""), MOST)
        }
        return Raw(rest, http, rest_stages, http_stages, extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        place = f"arn:{scope.partition}:apigateway:{scope.region}:"
        found = [_rest(each, raw.rest_stages.get(each["id"]), place) for each in raw.rest]
        found += [_http(each, raw.http_stages.get(each["ApiId"]), place) for each in raw.http]
        after = {
            "rest": list(raw.rest_stages)[-1] if raw.rest_stages else "",
            "http": list(raw.http_stages)[-1] if raw.http_stages else "",
        }
        return Harvest(
            found=found, complete=frozenset({"rest_api", "http_api"}), cursor={"after": after}, lacking=raw.lacking
        )


def _rest(api: Answer, stages: Answer | None, place: str) -> Found:
    config: dict[str, Any] = {
        "id": api["id"],
        "description": api.get("description", ""),
        "endpoint": ", ".join(sorted((api.get("endpointConfiguration") or {}).get("types") or ())),
        "compresses_from_bytes": api.get("minimumCompressionSize"),
    }
    if stages is not None:
        config["stages"] = [
            {
                "name": stage["stageName"],
                "tracing": bool(stage.get("tracingEnabled")),
                "access_log": (stage.get("accessLogSettings") or {}).get("destinationArn", ""),
                "cached": bool(stage.get("cacheClusterEnabled")),
                "throttled": any(
                    _is_limited(method.get("throttlingRateLimit"))
                    for method in (stage.get("methodSettings") or {}).values()
                ),
            }
            for stage in stages.get("item", ())
        ]
    return Found("rest_api", f"{place}:/restapis/{api['id']}", api["name"], config, api.get("tags") or {})


def _http(api: Answer, pages: Sequence[Answer] | None, place: str) -> Found:
    config: dict[str, Any] = {
        "id": api["ApiId"],
        "description": api.get("Description", ""),
        "protocol": api["ProtocolType"],
        "url": api.get("ApiEndpoint", ""),
    }
    if pages is not None:
        config["stages"] = [
            {
                "name": stage["StageName"],
                "auto_deploy": bool(stage.get("AutoDeploy")),
                "access_log": (stage.get("AccessLogSettings") or {}).get("DestinationArn", ""),
                "throttled": _is_limited((stage.get("DefaultRouteSettings") or {}).get("ThrottlingRateLimit")),
            }
            for page in pages
            for stage in page.get("Items", ())
        ]
    return Found("http_api", f"{place}:/apis/{api['ApiId']}", api["Name"], config, api.get("Tags") or {})


def _is_limited(rate: float | None) -> bool:
    """Whether a stage has a limit of its own: -1 is none, and as many as the account may have is none either."""
    return rate is not None and 0 <= rate < ACCOUNT_RATE
