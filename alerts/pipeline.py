"""READ FIRST: from stored facts to a human being told, in one transaction per organization.

Either all of it is committed (incidents, their transitions, the outbox rows, and the cursor that remembers how far
the facts have been judged) or none of it. So it may crash anywhere and run again: nothing is told twice or lost.
``delivery`` sends what the outbox holds.
"""

from datetime import datetime

from django.db import transaction

from alerts import advising, evaluation, incidents, insights, outcomes, routing, snapshot
from alerts.detector import FactWindow
from alerts.rules import RULES
from alerts.tuning import tunings
from alerts.watching import watch as watching
from observability.telemetry.store import get_store


@transaction.atomic
def evaluate(*, organization_id: int, now: datetime) -> bool:
    """Judge what was stored since the last time; true when there is more to judge at once."""
    store = get_store()
    cursor = evaluation.claim(organization_id)
    stretch = evaluation.stretch(cursor, store) if cursor else None
    if cursor is None or stretch is None:
        return False
    _judge(evaluation.read(stretch, store, now=now))
    evaluation.advance(cursor, stretch, now=now)
    return stretch.more


@transaction.atomic
def watch(*, organization_id: int, now: datetime) -> bool:
    """Judge how usual the latest numbers of everything are; true when there is more to judge at once.

    Only what was found waits for the other stages, so that a long look does not keep failures from being told.
    """
    cursor = watching.claim(organization_id)
    if cursor is None:
        return False
    looked = watching.look(cursor, get_store(), now=now)
    if looked.anomalies or looked.spending or looked.packages:
        evaluation.claim(organization_id, wait=True)
        window = FactWindow(
            organization_id=organization_id,
            now=now,
            functions=looked.functions,
            anomalies=looked.anomalies,
            spending=looked.spending,
            packages=looked.packages,
        )
        _judge(window)
    return looked.more


@transaction.atomic
def settle(*, organization_id: int, now: datetime) -> None:
    """What time alone does: mutes end, and incidents that stayed quiet are resolved."""
    cursor = evaluation.claim(organization_id)
    if cursor is None or evaluation.lags(cursor, get_store(), now=now):
        return  # Facts that nobody has judged yet may say that it is not quiet at all.
    transitions = incidents.settle(organization_id=organization_id, now=now)
    routing.route(organization_id=organization_id, transitions=transitions, now=now)


def advise(*, organization_id: int, now: datetime) -> bool:
    """Ask every rule about everything that the organization runs; false when a later look was quicker.

    What is known is read first, outside of the transaction, for that and the rules take their time.
    """
    store, tuned = get_store(), tunings(organization_id)
    estate = snapshot.take(organization_id=organization_id, store=store, now=now)
    opinions = advising.ask(estate, tuned, RULES)
    with transaction.atomic():
        if not advising.take_turn(organization_id, now=now):
            return False
        insights.keep(opinions=opinions, estate=estate, tuned=tuned, now=now)
        outcomes.settle(rules=opinions.asked, estate=estate, store=store)
        critical = insights.critical(organization_id=organization_id, rules=opinions.asked, now=now)
        evaluation.claim(organization_id, wait=True)
        _judge(FactWindow(organization_id=organization_id, now=now, advice=critical))
    return True


def _judge(window: FactWindow) -> None:
    """The way from a window to the outbox, whichever stage filled it; the caller holds the evaluation cursor."""
    findings = evaluation.detect(window)
    transitions = incidents.apply(organization_id=window.organization_id, findings=findings, now=window.now)
    routing.route(organization_id=window.organization_id, transitions=transitions, now=window.now)
