"""What advice tells people to paste."""

import shlex

from alerts.fixes import cli, option, queue_url, rest_stage, sam, set_queue, steps, terraform, together
from tests.alerts.rules.cases import queue, rest_api, subject


def test_values_are_what_a_shell_takes() -> None:
    fix = cli("lambda list-tags", "eu-west-1", option("resource", "it's"), option("tags", {"a": "b c"}), option("n", 5))
    assert fix.text.splitlines()[0] == "aws lambda list-tags --region eu-west-1 \\"
    words = shlex.split(fix.text.replace("\\\n", " "))
    assert words[5:] == ["--resource", "it's", "--tags", '{"a": "b c"}', "--n", "5"]


def test_a_queue_is_named_by_its_url() -> None:
    assert queue_url(queue()) == "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
    china = subject("sqs_queue", "orders", arn="arn:aws-cn:sqs:cn-north-1:1:orders", region="cn-north-1")
    assert queue_url(china) == "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders"
    assert '\'{"DelaySeconds": "0"}\'' in set_queue(queue(), {"DelaySeconds": "0"}).text


def test_a_stage_is_patched_by_paths() -> None:
    fix = rest_stage(rest_api(), "prod", accessLogSettings__format="$x")
    assert '"path": "/accessLogSettings/format", "value": "$x"' in fix.text


def test_names_are_what_templates_take() -> None:
    assert terraform("aws_sqs_queue", "3-Orders.fifo", "a = 1").text == (
        'resource "aws_sqs_queue" "_3_orders_fifo" {\n  a = 1\n}'
    )
    assert sam("AWS::SQS::Queue", "my-orders.fifo", "A:\n  B: 1").text == (
        "MyOrdersFifo:\n  Type: AWS::SQS::Queue\n  Properties:\n    A:\n      B: 1"
    )
    assert terraform("x", "***").text.startswith('resource "x" "this"')
    assert sam("x", "***").text.startswith("This:")


def test_what_belongs_together_is_one() -> None:
    assert together(steps("a", "b"), steps("c")).text == "1. a\n2. b\n\n1. c"
