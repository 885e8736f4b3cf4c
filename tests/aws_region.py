"""A region of a simulated account as collectors see it, without a role: what they ask, and what they make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from observability.aws.problems import classify
from observability.aws.sessions import Target

if TYPE_CHECKING:
    from demo.aws.server import Account

PREFIXES = {"tagging": "tag"}


class RootRegion:
    """Fulfils ``Region`` as the root of the account. ``calls`` counts operations."""

    def __init__(self, account: Account, region: str = "eu-central-1") -> None:
        self.account, self.region = account, region
        self.target = Target(account.id, "aws", "", "", "acme")
        self.calls: Counter[str] = Counter()

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        client = self._client(service)
        with self._asking(client, operation):
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
            return answer

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        client = self._client(service)
        with self._asking(client, operation):
            yield from client.get_paginator(operation).paginate(**parameters)

    @cache  # noqa: B019  # It lives as long as a test.
    def _client(self, service: str) -> Any:
        return self.account.client(service, self.region)

    @contextmanager
    def _asking(self, client: Any, operation: str) -> Iterator[None]:
        self.calls[operation] += 1
        prefix, name = client.meta.service_model.signing_name, client.meta.method_to_api_mapping[operation]
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise classify(error, action=f"{PREFIXES.get(prefix, prefix)}:{name}") from error
