"""Calls that moto does not know, answered from what it keeps."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.models import lambda_backends

from demo.aws.call import Call
from demo.aws.refusals import REQUEST, Reply, refuse
from demo.catalogue import CATALOGUE, FLEET

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"""
REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-west-1",
    "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1",
    "ap-northeast-2", "ap-northeast-3",
)  # fmt: skip
OPT_IN = ("af-south-1", "ap-east-1", "eu-south-1", "me-south-1")
CODE_STORAGE = 80_530_636_800  # 75 GiB, the quota of a region.
LIMITS = {
    "TotalCodeSize": CODE_STORAGE,
    "CodeSizeUnzipped": 262_144_000,
    "CodeSizeZipped": 52_428_800,
    "ConcurrentExecutions": 1_000,
}

WARM = {function.name: function.warm for function in (*CATALOGUE, *FLEET) if function.warm}

Answer = Callable[[Call, str], Reply]


def found(body: Mapping[str, Any]) -> Reply:
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(body).encode())


def function(call: Call, account: str) -> Any:
    """The function that the path names, by name or ARN; None when there is none."""
    name = call.part(2).split(":function:")[-1].split(":")[0]
    kept = lambda_backends[account][call.region]._lambdas._functions.get(name)
    return kept and kept["latest"]


def account_settings(call: Call, account: str) -> Reply:
    backend = lambda_backends[account][call.region]
    functions = [kept["latest"] for kept in backend._lambdas._functions.values()]
    reserved = sum(int(one.reserved_concurrency or 0) for one in functions)
    limits = LIMITS | {"UnreservedConcurrentExecutions": LIMITS["ConcurrentExecutions"] - reserved}
    usage = {"TotalCodeSize": sum(one.code_size for one in functions), "FunctionCount": len(functions)}
    return found({"AccountLimit": limits, "AccountUsage": usage})


def of_function(tell: Callable[[Any], Mapping[str, Any]]) -> Answer:
    """An answer about one function, or the error that there is none."""

    def answer(call: Call, account: str) -> Reply:
        known = function(call, account)
        if known is None:
            arn = f"arn:aws:lambda:{call.region}:{account}:function:{call.part(2)}"
            return refuse(call, "ResourceNotFoundException", f"Function not found: {arn}", 404)
        return found(tell(known))

    return answer


def urls(known: Any) -> dict[str, Any]:
    return {"FunctionUrlConfigs": [known.url_config.to_dict()] if known.url_config else []}


def kept_warm(known: Any) -> dict[str, Any]:
    """What provisioned concurrency keeps of the function's alias."""
    warm = WARM.get(known.function_name)
    if not warm:
        return {"ProvisionedConcurrencyConfigs": []}
    counts = ("Requested", "Available", "Allocated")
    config: dict[str, Any] = {f"{count}ProvisionedConcurrentExecutions": warm for count in counts}
    config |= {"FunctionArn": f"{known.function_arn}:live", "Status": "READY", "LastModified": known.last_modified}
    return {"ProvisionedConcurrencyConfigs": [config]}


def identity(call: Call, account: str) -> Reply:
    """Who the root of an account is; moto knows who an assumed role is."""
    return Reply(200, (("Content-Type", "text/xml"),), IDENTITY.format(account=account, request=REQUEST).encode())


ANSWERS: dict[str, Answer] = {
    "lambda:GetAccountSettings": account_settings,
    "lambda:ListProvisionedConcurrencyConfigs": of_function(kept_warm),
    "lambda:ListFunctionUrlConfigs": of_function(urls),
    "lambda:GetRuntimeManagementConfig": of_function(
        lambda known: {"UpdateRuntimeOn": "Auto", "FunctionArn": known.function_arn, "RuntimeVersionArn": None}
    ),
    "lambda:GetFunctionRecursionConfig": of_function(lambda known: {"RecursiveLoop": "Terminate"}),
}


def regions(disabled: set[str]) -> Reply:
    """`account:ListRegions`: which regions an account may use."""
    status = dict.fromkeys(OPT_IN, "DISABLED") | dict.fromkeys(REGIONS, "ENABLED_BY_DEFAULT")
    status |= dict.fromkeys(disabled, "DISABLED")
    return found({"Regions": [{"RegionName": name, "RegionOptStatus": told} for name, told in status.items()]})
