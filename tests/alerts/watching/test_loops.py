import pytest

from alerts.watching.loops import Node, edges, loop

A, B = (f"arn:aws:lambda:eu-west-1:1:function:{name}" for name in "ab")
QUEUE, TOPIC = "arn:aws:sqs:eu-west-1:1:q", "arn:aws:sns:eu-west-1:1:t"
BUS = "arn:aws:events:eu-west-1:1:event-bus/default"
RULE = "arn:aws:events:eu-west-1:1:rule/r"


def function(arn: str, **config: object) -> Node:
    return Node(arn, arn[-1], "lambda_function", config)


@pytest.mark.parametrize(
    ("nodes", "way"),
    [
        ([function(A, event_invoke=[{"on_success": A + ":live"}])], [A]),
        ([function(A, dead_letter=QUEUE, event_sources=[{"source": QUEUE, "enabled": True}])], [A, QUEUE]),
        ([function(A, dead_letter=QUEUE, event_sources=[{"source": QUEUE, "enabled": False}])], []),
        ([function(A, event_invoke=[{"on_failure": TOPIC}]), Node(TOPIC, "t", "sns_topic", {"subscribers": [A]})],
         [A, TOPIC]),
        ([function(A, event_invoke=[{"on_success": B}]), function(B, event_invoke=[{"on_success": A}])], [A, B]),
        ([function(A, event_invoke=[{"on_success": BUS}]),
          Node(RULE, "r", "schedule_rule", {"pattern": "{}", "targets": [A]})], [A, BUS]),
        ([function(A, event_invoke=[{"on_success": BUS}]),
          Node(RULE, "r", "schedule_rule", {"expression": "rate(1 minute)", "targets": [A]})], []),
        ([function(A, event_invoke=[{"on_success": B}]), function(B)], []),
        ([function(A, event_sources=[{"source": QUEUE, "on_failure": QUEUE}])], [A, QUEUE]),
        ([function(A)], []),
    ],
)  # fmt: skip
def test_ways_back(nodes: list[Node], way: list[str]) -> None:
    assert loop(A, edges(nodes)) == way


def test_the_queue_of_dead_letters_of_a_queue_leads_on() -> None:
    dead = "arn:aws:sqs:eu-west-1:1:dead"
    nodes = [
        function(A, event_invoke=[{"on_success": QUEUE}], event_sources=[{"source": dead}]),
        Node(QUEUE, "q", "sqs_queue", {"dead_letter": dead}),
    ]
    assert loop(A, edges(nodes)) == [A, QUEUE, dead]


def test_a_way_around_others_that_are_a_loop_is_none_of_ours() -> None:
    nodes = [
        function(A, event_invoke=[{"on_success": B}]),
        function(B, event_invoke=[{"on_success": B}]),
    ]
    assert loop(A, edges(nodes)) == []
