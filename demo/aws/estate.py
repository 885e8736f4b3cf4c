"""What is in the simulated accounts when they begin: functions, and what hangs together with them."""

import json
from dataclasses import dataclass
from typing import Any

from moto.moto_api._internal import mock_random

from demo import packages
from demo.aws import deployments
from demo.aws.archives import archive
from demo.aws.server import PRINCIPAL, SimulatedAws
from demo.aws.traffic import SCHEDULES, VERSIONS
from demo.catalogue import ACCOUNT, CATALOGUE, FLEET, SHOP, Function

HANDLERS = {
    "nodejs": "index.handler",
    "python": "app.handler.handler",
    "java": "com.acme.shop.Invoice::handleRequest",
    "dotnet": "Shop.Stock::Shop.Stock.Function::Handle",
    "ruby": "handler.handler",
    "provided": "bootstrap",
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        for service in ("lambda.amazonaws.com", "states.amazonaws.com", "scheduler.amazonaws.com")
    ],
}
EUROPE, AMERICA = "eu-central-1", "us-east-1"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def build(aws: SimulatedAws) -> None:
    """Everything, in accounts that are empty. What AWS names by chance has the same name in every run."""
    mock_random.seed(SHOP)
    for account, functions in ((ACCOUNT, CATALOGUE), (SHOP, FLEET)):
        role = Place(aws, account, EUROPE, "").make_role()
        for region in sorted({function.region for function in functions}):
            Place(aws, account, region, role).settle([f for f in functions if f.region == region])
    shop_role = f"arn:aws:iam::{SHOP}:role/functions"
    Europe(Place(aws, SHOP, EUROPE, shop_role)).build()
    America(Place(aws, SHOP, AMERICA, shop_role)).build()
    deployments.date_all()
    mock_random.seed()


@dataclass(frozen=True, slots=True)
class Place:
    """One region of one account. ``role`` is what its functions run as."""

    aws: SimulatedAws
    account: str
    region: str
    role: str

    def client(self, service: str) -> Any:
        return self.aws.account(self.account).client(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def make_role(self) -> str:
        trust = json.dumps(TRUST)
        made = self.client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=trust)
        arn: str = made["Role"]["Arn"]
        return arn

    def settle(self, functions: list[Function]) -> None:
        """The functions with their layers, versions and log groups."""
        layers = {layer for function in functions for layer in packages.layers(function)}
        arns = {layer: self.layer(layer) for layer in sorted(layers)}
        for function in functions:
            if function.name in packages.IMAGES:
                self.image(function, packages.IMAGES[function.name])
            else:
                self.function(function, [arns[layer] for layer in packages.layers(function)])
            self.client("logs").create_log_group(logGroupName=function.logs_to)
            if not function.log_group:  # Whoever chose a group of their own forgot that it keeps everything.
                self.client("logs").put_retention_policy(logGroupName=function.logs_to, retentionInDays=30)

    def layer(self, name: str) -> str:
        """A version of a layer; those of Nightjar's extension are in Nightjar's own account."""
        owner = PRINCIPAL if name in packages.OURS else self.account
        published = self.aws.account(owner).client("lambda", self.region).publish_layer_version(
            LayerName=name,
            Content={"ZipFile": archive(packages.LAYERS[name])},
            CompatibleRuntimes=["nodejs22.x", "nodejs20.x"] if "node" in name else ["python3.12", "python3.13"],
        )  # fmt: skip
        arn: str = published["LayerVersionArn"]
        return arn

    def function(self, function: Function, layers: list[str]) -> None:
        client = self.client("lambda")
        files = packages.code(function)
        client.create_function(
            **self.settings(function),
            Runtime=function.runtime,
            Handler=next(handler for runtime, handler in HANDLERS.items() if function.runtime.startswith(runtime)),
            Code={"ZipFile": archive(files)},
            Layers=layers,
        )
        if newest := VERSIONS.get(function.name):
            for number in range(int(newest)):
                if number:
                    release = archive(files | {"release": str(number)})
                    client.update_function_code(FunctionName=function.name, ZipFile=release)
                client.publish_version(FunctionName=function.name, Description=f"Release {number + 1}")
            client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=newest)

    def image(self, function: Function, size: int) -> None:
        """A function that is a container image, in a registry of the same account."""
        registry, repository = self.client("ecr"), function.name.replace("-", "/", 1)
        registry.create_repository(repositoryName=repository)
        layers = [{"digest": f"sha256:{size:064x}", "size": size}]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"size": size}, "layers": layers}
        put = registry.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag="live")
        digest = put["image"]["imageId"]["imageDigest"]
        uri = f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{repository}@{digest}"
        self.client("lambda").create_function(**self.settings(function), PackageType="Image", Code={"ImageUri": uri})

    def settings(self, function: Function) -> dict[str, Any]:
        """What every function has, however it is packed."""
        return {
            "FunctionName": function.name,
            "Role": self.role,
            "Architectures": [function.architecture],
            "MemorySize": function.memory_mb,
            "Timeout": function.timeout_s,
            "LoggingConfig": {"LogFormat": function.log_format, "LogGroup": function.logs_to},
            "Environment": {"Variables": {"STAGE": "production", "LOG_LEVEL": "info"}},
            "Tags": {"team": "shop" if function.account == SHOP else "retail", "stage": "production"},
        }

    def queue(self, name: str, **attributes: str) -> str:
        self.client("sqs").create_queue(QueueName=name, Attributes=attributes, tags={"team": "shop"})
        return self.arn("sqs", name)

    def rule(self, function: str, minutes: int) -> None:
        """An EventBridge rule that runs a function by the clock."""
        events = self.client("events")
        events.put_rule(Name=f"{function}-clock", ScheduleExpression=f"cron(0/{minutes} * * * ? *)", State="ENABLED")
        target = self.arn("lambda", f"function:{function}")
        events.put_targets(Rule=f"{function}-clock", Targets=[{"Id": "function", "Arn": target}])

    def schedule(self, function: str, minutes: int) -> None:
        """An EventBridge schedule, the newer kind."""
        self.client("scheduler").create_schedule(
            Name=f"{function}-clock",
            ScheduleExpression=f"cron(0/{minutes} * * * ? *)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": self.arn("lambda", f"function:{function}"), "RoleArn": self.role},
        )


@dataclass(frozen=True, slots=True)
class Europe:
    """Orders: an HTTP API before them, a queue and a table behind, a stream of stock, invoices in steps."""

    place: Place

    def build(self) -> None:
        self.orders()
        self.api()
        self.invoices()
        self.stock()
        self.place.rule("shop-ledger", SCHEDULES["shop-ledger"])

    def orders(self) -> None:
        place, functions = self.place, self.place.client("lambda")
        dead = place.queue("shop-orders-dead", MessageRetentionPeriod="1209600")
        redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
        orders = place.queue("shop-orders", VisibilityTimeout="180", RedrivePolicy=redrive)
        functions.create_event_source_mapping(
            EventSourceArn=orders, FunctionName="shop-order-worker", BatchSize=10, MaximumBatchingWindowInSeconds=2
        )
        place.client("dynamodb").create_table(
            TableName="shop-orders",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": "team", "Value": "shop"}],
        )

    def api(self) -> None:
        gateway = self.place.client("apigatewayv2")
        made = gateway.create_api(Name="shop", ProtocolType="HTTP", Tags={"team": "shop"})["ApiId"]
        target = self.place.arn("lambda", "function:shop-orders-api:live")
        integration = gateway.create_integration(
            ApiId=made, IntegrationType="AWS_PROXY", IntegrationUri=target, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        for key in ("GET /orders", "POST /orders"):
            gateway.create_route(ApiId=made, RouteKey=key, Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)

    def invoices(self) -> None:
        invoice = self.place.arn("lambda", "function:shop-invoice:live")
        steps = {"Render": {"Type": "Task", "Resource": invoice, "Next": "Done"}, "Done": {"Type": "Succeed"}}
        self.place.client("stepfunctions").create_state_machine(
            name="shop-invoicing",
            definition=json.dumps({"StartAt": "Render", "States": steps}),
            roleArn=self.place.role,
        )

    def stock(self) -> None:
        self.place.client("kinesis").create_stream(StreamName="shop-stock", ShardCount=2)
        self.place.client("lambda").create_event_source_mapping(
            EventSourceArn=self.place.arn("kinesis", "stream/shop-stock"),
            FunctionName="shop-stock",
            StartingPosition="LATEST",
            BatchSize=100,
        )


@dataclass(frozen=True, slots=True)
class America:
    """Messages and pictures: a topic, a bucket's REST API, a schedule."""

    place: Place

    def build(self) -> None:
        place = self.place
        topic = place.client("sns").create_topic(Name="shop-events", Tags=[{"Key": "team", "Value": "shop"}])[
            "TopicArn"
        ]
        notify = place.arn("lambda", "function:shop-notify")
        place.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=notify)
        dead = place.queue("shop-notify-dead")
        place.client("lambda").put_function_event_invoke_config(
            FunctionName="shop-notify", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": dead}}
        )
        place.client("lambda").put_function_concurrency(FunctionName="shop-thumbnails", ReservedConcurrentExecutions=20)
        self.rest_api()
        place.schedule("shop-sessions", SCHEDULES["shop-sessions"])

    def rest_api(self) -> None:
        gateway, region = self.place.client("apigateway"), self.place.region
        made = gateway.create_rest_api(name="shop-media", tags={"team": "shop"})["id"]
        root = gateway.get_resources(restApiId=made)["items"][0]["id"]
        thumbnails = self.place.arn("lambda", "function:shop-thumbnails")
        path = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{thumbnails}/invocations"
        method: dict[str, Any] = {"restApiId": made, "resourceId": root, "httpMethod": "GET"}
        gateway.put_method(**method, authorizationType="NONE")
        gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=path)
        gateway.create_deployment(restApiId=made, stageName="live")
