"""What Lambda tells of a function and moto does not: logging, dead letters, the runtime's version, others' layers."""

from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends

# Kept as given in CreateFunction and UpdateFunctionConfiguration.
KEPT = ("LoggingConfig", "DeadLetterConfig", "SnapStart", "KMSKeyArn")


original_init = LambdaFunction.__init__
original_get = LambdaFunction.get_configuration
original_update = LambdaFunction.update_configuration
original_code = LambdaFunction.get_code
original_layers = LambdaFunction._get_layers_data


def construct(function: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
    function.kept = {name: spec[name] for name in KEPT if spec.get(name)}
    original_init(function, account_id, spec, *rest, **named)


def update_configuration(function: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
    given = {name: config_updates[name] for name in KEPT if name in config_updates}
    function.kept = function.kept | given  # Published versions share the old one.
    changed: dict[str, Any] = original_update(function, config_updates)
    return changed | told(function)


def get_configuration(function: Any, on_create: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = original_get(function, on_create)
    return found | told(function)


def told(function: Any) -> dict[str, Any]:
    """The fields that AWS adds."""
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
    fields = dict(function.kept, LoggingConfig=logging | function.kept.get("LoggingConfig", {}))
    if function.package_type == "Zip":
        version = f"arn:aws:lambda:{function.region}::runtime:{function.run_time}-simulated"
        fields["RuntimeVersionConfig"] = {"RuntimeVersionArn": version}
    return fields


def get_code(function: Any) -> dict[str, Any]:
    """The image that runs is named by its digest, also where it was deployed by that."""
    found: dict[str, Any] = original_code(function)
    uri, _, digest = found.get("Code", {}).get("ImageUri", "").partition("@")
    if digest:
        found["Code"]["ResolvedImageUri"] = f"{uri.split(':')[0]}@{digest}"
    return found


def get_layers(function: Any, arns: list[str]) -> list[Any]:
    """Layers may be of other accounts."""
    found: list[Any] = []
    for arn in arns:
        layer = lambda_backends[arn.split(":")[4]][function.region].layers_versions_by_arn(arn)
        found += [{"Arn": layer.arn, "CodeSize": layer.code_size}] if layer else original_layers(function, [arn])
    return found


# Owner, name, what stands there instead.
AMENDMENTS = (
    (LambdaFunction, "__init__", construct),
    (LambdaFunction, "get_configuration", get_configuration),
    (LambdaFunction, "update_configuration", update_configuration),
    (LambdaFunction, "get_code", get_code),
    (LambdaFunction, "_get_layers_data", get_layers),
)
