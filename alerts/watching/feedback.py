"""What people say of an anomaly, and what the detector learns from it."""

from datetime import datetime

import numpy as np
from django.db import transaction

from alerts.models import Anomaly
from alerts.watching import shards, surprise, watch
from alerts.watching.series import BY_NAME, key_of
from observability.tenants import audit
from observability.tenants.models import User


@transaction.atomic
def give(*, anomaly: Anomaly, feedback: Anomaly.Feedback, actor: User, now: datetime) -> None:
    """What was expected counts as usual from now on; what was real trouble never will. Once each is enough.

    Waits for a look at the organization that is under way: it holds the series, and then writes the anomalies.
    """
    watch.claim(anomaly.organization_id, wait=True)
    row = Anomaly.objects.select_for_update(of=("self",)).select_related("organization", "resource").get(pk=anomaly.pk)
    if row.feedback == feedback:
        return
    row.feedback, row.feedback_by = feedback, actor
    row.save(update_fields=["feedback", "feedback_by"])
    _teach(row, feedback)
    audit.record(
        organization=row.organization,
        actor=actor,
        action="anomaly.expected" if feedback == Anomaly.Feedback.EXPECTED else "anomaly.confirmed",
        target=f"{row.metric} of {row.resource.name}",
        detail={"anomaly": row.pk, "started_at": row.started_at.isoformat()},
        now=now,
    )


def _teach(row: Anomaly, feedback: Anomaly.Feedback) -> None:
    metric = BY_NAME.get(row.metric)
    found = shards.find(row.organization_id, key_of(row.resource_id, metric)) if metric else None
    if found is None:
        return  # The series was let go since.
    shard, place = found
    if np.isnan(shard.states["seen_at"][place]):
        return  # It was begun anew since.
    mask = np.arange(len(shard.keys)) == place
    if feedback == Anomaly.Feedback.EXPECTED:
        surprise.absorb(shard.states, mask)
    else:
        surprise.forget(shard.states, mask)
    shards.store(row.organization_id, shard)
