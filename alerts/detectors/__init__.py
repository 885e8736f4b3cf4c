"""The shelf of detectors: what is looked for, in this order. See docs/howto/add-a-detector.md."""

from alerts.detector import Detector
from alerts.detectors.access_lost import AccessLost
from alerts.detectors.anomaly import Anomaly
from alerts.detectors.coverage import Coverage
from alerts.detectors.did_not_run import DidNotRun
from alerts.detectors.errors import Errors
from alerts.detectors.insight import Insights
from alerts.detectors.out_of_memory import OutOfMemory
from alerts.detectors.oversized_deployment import OversizedDeployment
from alerts.detectors.runaway import Runaway
from alerts.detectors.timeouts import Timeouts

DETECTORS: tuple[Detector, ...] = (
    Errors(),
    Timeouts(),
    OutOfMemory(),
    DidNotRun(),
    Runaway(),
    Anomaly(),
    Insights(),
    OversizedDeployment(),
    AccessLost(),
    Coverage(),
)
