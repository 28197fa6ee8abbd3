from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.sorting import SortKey, can_sort, instant, sort_entries, sort_keys

DESCENDING = SortKey("date", descending=True)


@pytest.mark.parametrize(
    ("name", "value", "keys"),
    [
        ("_sort", "date", [SortKey("date", descending=False)]),
        ("_sort", "-date,_id", [DESCENDING, SortKey("_id", descending=False)]),
        ("_sort:desc", "date", [DESCENDING]),
        ("_sort:asc", "date", [SortKey("date", descending=False)]),
        ("_sort", "", []),
    ],
)
def test_sort_is_read_in_the_syntax_of_every_release(name: str, value: str, keys: list[SortKey]) -> None:
    assert sort_keys(name, value) == keys


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2018", "2018-01-01T00:00:00.000000+00:00"),
        ("2018-09", "2018-09-01T00:00:00.000000+00:00"),
        ("2018-09-17", "2018-09-17T00:00:00.000000+00:00"),
        ("2018-09-17T13:00:00Z", "2018-09-17T13:00:00.000000+00:00"),
        ("2018-09-17T13:00:00.5+02:00", "2018-09-17T11:00:00.500000+00:00"),
        ("2018-09-17T13:00:00.123456789-05:30", "2018-09-17T18:30:00.123456+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000+00:00"),
        ("09/17/2018 1:00:00 PM", None),
        ("2018-13-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (20180917, None),
    ],
)
def test_dates_of_any_precision_become_instants(value: object, utc: str | None) -> None:
    assert instant(value) == utc


moments = st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1))  # noqa: DTZ001  # zones are put on below
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.tuples(moments, zones)))
def test_instants_sort_as_the_moments_do(values: list[tuple[datetime, timezone]]) -> None:
    moments = [moment.replace(tzinfo=UTC).astimezone(zone) for moment, zone in values]
    texts = [moment.isoformat(timespec="microseconds") for moment in moments]
    assert sorted(texts, key=lambda text: instant(text) or "") == [
        text for _, text in sorted(zip(moments, texts, strict=True), key=lambda pair: pair[0])
    ]


encounters = st.lists(
    st.one_of(
        st.just({}),
        st.integers(1, 28).map(lambda day: {"period": {"start": f"2020-02-{day:02}"}}),
        st.integers(1, 28).map(lambda day: {"period": {"end": f"2020-02-{day:02}"}}),
    ),
    max_size=30,
)


@given(encounters, st.booleans())
def test_sorting_is_stable_and_undated_ones_come_last(found: list[dict[str, Any]], descending: bool) -> None:
    entries = [{"resource": {**each, "id": str(index)}} for index, each in enumerate(found)]
    sort_entries(entries, "Encounter", [SortKey("date", descending=descending)])

    def date(resource: dict[str, Any]) -> str:
        period = resource.get("period", {})
        return str(period.get("start") or period.get("end") or "")

    dates = [date(entry["resource"]) for entry in entries]
    dated = [each for each in dates if each]
    assert dates == sorted(dated, reverse=descending) + [""] * (len(dates) - len(dated))
    for one, next_one in pairwise(entries):
        if date(one["resource"]) == date(next_one["resource"]):
            assert int(one["resource"]["id"]) < int(next_one["resource"]["id"])


@pytest.mark.parametrize(
    ("resource_type", "parameter", "older", "newer"),
    [
        ("Observation", "date", {"effectivePeriod": {"start": "2019"}}, {"effectiveDateTime": "2020"}),
        ("Condition", "recorded-date", {"recordedDate": "2019-01-01"}, {"recordedDate": "2019-01-02"}),
        ("Condition", "asserted-date", {"assertedDate": "2019-01-01"}, {"assertedDate": "2019-01-02"}),
        ("Condition", "date-recorded", {"dateRecorded": "2019-01-01"}, {"dateRecorded": "2019-01-02"}),
        ("AllergyIntolerance", "date", {"assertedDate": "2018"}, {"recordedDate": "2019"}),
        ("MedicationOrder", "datewritten", {"dateWritten": "2018"}, {"dateWritten": "2019"}),
        ("MedicationRequest", "authoredon", {"authoredOn": "2018"}, {"authoredOn": "2019"}),
        ("MedicationStatement", "effective", {"effectivePeriod": {"start": "2018"}}, {"effectiveDateTime": "2019"}),
        ("Patient", "birthdate", {"birthDate": "1950-05"}, {"birthDate": "1950-06"}),
        ("Patient", "_lastUpdated", {"meta": {"lastUpdated": "2018"}}, {"meta": {"lastUpdated": "2019"}}),
        ("Patient", "family", {"name": [{"family": "Abel"}]}, {"name": [{"family": ["Ábel", "Zorn"]}]}),
    ],
)
def test_every_parameter_sorts_by_its_own_element(
    resource_type: str, parameter: str, older: dict[str, Any], newer: dict[str, Any]
) -> None:
    assert can_sort(resource_type, SortKey(parameter, descending=True))
    entries: list[dict[str, Any]] = [{"resource": {}}, {"resource": older}, {"resource": newer}]
    sort_entries(entries, resource_type, [SortKey(parameter, descending=True)])
    assert [entry["resource"] for entry in entries] == [newer, older, {}]


def test_what_is_not_known_is_not_claimed() -> None:
    assert not can_sort("Observation", SortKey("value-quantity", descending=False))
