"""The memory of watching: who joins which shard, who leaves, and what is forgotten."""

import numpy as np
import pytest

from alerts.models import SeriesShard
from alerts.watching import shards
from alerts.watching.series import BY_NAME, key_of
from alerts.watching.surprise import STATE
from observability.tenants.models import Organization

pytestmark = pytest.mark.django_db


def keys(*resource_ids: int, metrics: tuple[str, ...] = ("errors", "cost")) -> shards.Keys:
    return np.array([key_of(each, BY_NAME[name]) for each in resource_ids for name in metrics], np.int64)


def keep(organization: Organization, wanted: shards.Keys) -> None:
    for number, joining in shards.plan(organization.pk, wanted):
        shard = shards.load(organization.pk, number)
        shard.add(joining)
        shard.states["seen_at"] = 5.0
        shards.store(organization.pk, shard)


def test_states_come_back_as_they_were(acme: Organization) -> None:
    keep(acme, keys(1, 2))
    shard = shards.load(acme.pk, 0)
    assert sorted(shard.keys.tolist()) == sorted(keys(1, 2).tolist())
    assert shard.states.dtype == STATE
    assert shard.states["seen_at"].tolist() == [5.0] * 4
    assert shards.count(acme.pk) == 4


def test_known_series_stay_where_they_are(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SIZE", 4)
    keep(acme, keys(1, 2, 3))
    before = {row.number: bytes(row.keys) for row in SeriesShard.objects.all()}
    assert len(before) == 2
    assert [len(joining) for _, joining in shards.plan(acme.pk, keys(1, 2, 3))] == [0, 0]
    keep(acme, keys(1, 2, 3, 4))
    assert shards.count(acme.pk) == 8


def test_a_new_metric_joins_the_others_of_its_resource(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SIZE", 2)
    keep(acme, keys(1, 2))
    added = keys(1, metrics=("memory",))
    assert {number: joining.tolist() for number, joining in shards.plan(acme.pk, added)} == {0: added.tolist(), 1: []}


def test_what_is_gone_leaves_and_an_empty_shard_with_it(acme: Organization) -> None:
    keep(acme, keys(1, 2))
    shard = shards.load(acme.pk, 0)
    shards.leave(shard, [2])
    shards.store(acme.pk, shard)
    assert shards.load(acme.pk, 0).keys.tolist() == keys(2).tolist()
    shards.leave(shard, [])
    shards.store(acme.pk, shard)
    assert not SeriesShard.objects.exists()


def test_memory_of_another_format_is_begun_anew(acme: Organization) -> None:
    keep(acme, keys(1))
    SeriesShard.objects.update(format=shards.FORMAT + 1)
    assert len(shards.load(acme.pk, 0).keys) == 0
    assert [joining.tolist() for _, joining in shards.plan(acme.pk, keys(1))] == [keys(1).tolist()]
    keep(acme, keys(1))
    assert shards.count(acme.pk) == 2


def test_one_series_is_found_in_its_shard(acme: Organization) -> None:
    keep(acme, keys(1, 2))
    key = int(keys(2)[1])
    found = shards.find(acme.pk, key)
    assert found is not None
    assert int(found[0].keys[found[1]]) == key
    assert shards.find(acme.pk, 12345) is None


def test_organizations_do_not_share(acme: Organization, rival: Organization) -> None:
    keep(acme, keys(1))
    assert shards.count(rival.pk) == 0
    shards.forget(acme.pk)
    assert shards.count(acme.pk) == 0
