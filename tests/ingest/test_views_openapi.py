"""Requests made from the OpenAPI document get the answers that it promises."""

from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from observability.tenants import keys
from observability.tenants.keys import VerifiedKey

schema = schemathesis.openapi.from_wsgi("/ingest/v1/openapi.json", get_wsgi_application())
PROMISES = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(autouse=True)
def _any_key(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests come past Django's test client here, so a real key would not be in the same transaction."""
    monkeypatch.setattr(keys, "verify", lambda _token, *, now: VerifiedKey(id=1, key_id="x", organization_id=1))


@schema.parametrize()
@settings(max_examples=10, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_documented(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"Authorization": "Bearer njk_x"}, checks=PROMISES)
