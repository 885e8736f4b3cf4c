"""Whether IAM's documents allow something: trust policies and the policies of roles, as far as we use them."""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

Document = Mapping[str, Any]


def read(document: str | Document) -> Document:
    """A policy however moto keeps it: as an object, as JSON, or as JSON encoded for a URL."""
    if not isinstance(document, str):
        return document
    parsed: Document = json.loads(document if document.lstrip().startswith("{") else unquote(document))
    return parsed


def is_valid(document: str) -> bool:
    """Whether it reads as a policy."""
    try:
        return all({"Effect", "Resource"} <= statement.keys() for statement in statements(document))
    except (ValueError, LookupError, AttributeError, TypeError):
        return False


def trusts(document: str | Document, *, account: str, principal: str, context: Mapping[str, str]) -> bool:
    """Whether a role's trust policy lets ``principal`` of ``account`` assume it, with what the request says.

    ``context`` holds the condition keys of the request, in lower case, such as ``sts:externalid``.
    """
    return decide(
        statement
        for statement in statements(document)
        if names(statement, "sts:AssumeRole")
        and is_for(statement.get("Principal", {}), account, principal)
        and holds(statement.get("Condition", {}), context)
    )


def allows(documents: Iterable[str | Document], action: str) -> bool:
    """Whether policies of one kind allow ``action``: a role's own, or a session's. Only actions are looked at."""
    return decide(statement for document in documents for statement in statements(document) if names(statement, action))


def decide(matching: Iterable[Document]) -> bool:
    """IAM's rule: one Deny beats every Allow, and nothing is allowed by default."""
    effects = {statement["Effect"] for statement in matching}
    return effects == {"Allow"}


def statements(document: str | Document) -> list[Document]:
    return listed(read(document)["Statement"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def names(statement: Document, action: str) -> bool:
    """Whether the statement is about ``action``; case does not matter, ``*`` and ``?`` stand for anything."""
    if "NotAction" in statement:
        return not any(matches(pattern, action) for pattern in listed(statement["NotAction"]))
    return any(matches(pattern, action) for pattern in listed(statement.get("Action", [])))


def matches(pattern: str, value: str) -> bool:
    return fnmatchcase(value.lower(), pattern.lower())


def is_for(wanted: Any, account: str, principal: str) -> bool:
    """Whether ``Principal`` names the account, its root, or this very principal."""
    if wanted == "*":
        return True
    named = listed(wanted.get("AWS", []))
    return any(name in {"*", account, principal} or is_root(name, account) for name in named)


def is_root(name: str, account: str) -> bool:
    return name.startswith("arn:") and name.endswith(f":iam::{account}:root")


def holds(condition: Document, context: Mapping[str, str]) -> bool:
    """Whether every condition holds. An operator that we do not know never does."""
    return all(
        compare(operator, context.get(key.lower()), listed(values))
        for operator, tests in condition.items()
        for key, values in tests.items()
    )


def compare(operator: str, found: str | None, wanted: list[Any]) -> bool:
    if operator.endswith("IfExists"):
        return found is None or compare(operator.removesuffix("IfExists"), found, wanted)
    if operator == "Null":
        return (found is None) == (str(wanted[0]).lower() == "true")
    if found is None:
        return operator in {"StringNotEquals", "StringNotLike"}
    if operator in {"StringEquals", "ArnEquals"}:
        return found in wanted
    if operator in {"StringLike", "ArnLike"}:
        return any(fnmatchcase(found, pattern) for pattern in wanted)
    if operator == "StringNotEquals":
        return found not in wanted
    return False
