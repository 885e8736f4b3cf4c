"""A few healthy functions, and that the watch over them keeps quiet."""

import argparse

from alerts.models import Sensitivity
from alerts.routing import SURPRISING
from bench import healthy


def test_healthy_functions_alarm_nobody() -> None:
    told = healthy.run(argparse.Namespace(functions=8, weeks=2, seed=1, threshold=SURPRISING[Sensitivity.MEDIUM]))
    assert told["series"] == 8 * 9
    assert told["alerts"] == 0
