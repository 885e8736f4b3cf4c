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
        # What is read from a queue goes back there when it fails, and to no destination.
        ([function(A, dead_letter=QUEUE, event_sources=[{"source": QUEUE}])], []),
        ([function(A, event_invoke=[{"on_success": QUEUE}], event_sources=[{"source": QUEUE}])], []),
        ([function(A, event_invoke=[{"on_success": QUEUE}]),
          function(B, event_sources=[{"source": QUEUE, "on_failure": TOPIC}]),
          Node(TOPIC, "t", "sns_topic", {"subscribers": [A]})], [A, QUEUE, B, TOPIC]),
        ([function(A, event_invoke=[{"on_success": QUEUE}]),
          function(B, event_sources=[{"source": QUEUE, "on_failure": TOPIC, "enabled": False}]),
          Node(TOPIC, "t", "sns_topic", {"subscribers": [A]})], []),
        ([function(A, event_invoke=[{"on_failure": TOPIC}]), Node(TOPIC, "t", "sns_topic", {"subscribers": [A]})],
         [A, TOPIC]),
        ([function(A, event_invoke=[{"on_success": B}]), function(B, event_invoke=[{"on_success": A}])], [A, B]),
        ([function(A, event_invoke=[{"on_success": BUS}]),
          Node(RULE, "r", "schedule_rule", {"pattern": "{}", "targets": [A]})], [A, BUS]),
        ([function(A, event_invoke=[{"on_success": BUS}]),
          Node(RULE, "r", "schedule_rule", {"expression": "rate(1 minute)", "targets": [A]})], []),
        ([function(A, event_invoke=[{"on_success": B}]), function(B)], []),
        ([function(A)], []),
    ],
)  # fmt: skip
def test_ways_back(nodes: list[Node], way: list[str]) -> None:
    assert loop(A, edges(nodes)) == way


def test_a_queue_whose_dead_letters_are_read_again_is_no_loop() -> None:
    dead = "arn:aws:sqs:eu-west-1:1:dead"
    nodes = [
        function(A, event_sources=[{"source": QUEUE}]),
        function(B, event_sources=[{"source": dead}], event_invoke=[{"on_success": QUEUE}]),
        Node(QUEUE, "q", "sqs_queue", {"dead_letter": dead}),
    ]
    assert loop(A, edges(nodes)) == loop(B, edges(nodes)) == []


def test_dead_letters_that_call_by_themselves_lead_on() -> None:
    dead = "arn:aws:sqs:eu-west-1:1:dead"
    nodes = [
        function(A, event_invoke=[{"on_success": QUEUE}]),
        function(B, event_sources=[{"source": dead, "on_failure": TOPIC}]),
        Node(QUEUE, "q", "sqs_queue", {"dead_letter": dead}),
        Node(TOPIC, "t", "sns_topic", {"subscribers": [A]}),
    ]
    assert loop(A, edges(nodes)) == [A, QUEUE, dead, B, TOPIC]


def test_a_way_around_others_that_are_a_loop_is_none_of_ours() -> None:
    nodes = [
        function(A, event_invoke=[{"on_success": B}]),
        function(B, event_invoke=[{"on_success": B}]),
    ]
    assert loop(A, edges(nodes)) == []
