from tests.gateway.versions.shared_data import Adapt


def test_a_location_loses_what_the_older_releases_lack(adapt: Adapt) -> None:
    source = {
        "resourceType": "Location",
        "id": "l",
        "status": "active",
        "name": "Ward 3",
        "alias": ["W3"],
        "operationalStatus": {"code": "C"},
        "type": [{"text": "ward"}, {"text": "other"}],
        "hoursOfOperation": [{"allDay": True}],
        "endpoint": [{"reference": "Endpoint/1"}],
        "position": {"longitude": 1.5, "latitude": 2},
    }
    common = {
        "resourceType": "Location",
        "id": "l",
        "status": "active",
        "name": "Ward 3",
        "type": {"text": "ward"},
        "position": {"longitude": 1.5, "latitude": 2},
    }
    assert adapt(source, "r4>dstu2") == common
    assert adapt(source, "r4>stu3") == {
        **common,
        "alias": ["W3"],
        "operationalStatus": {"code": "C"},
        "endpoint": [{"reference": "Endpoint/1"}],
    }
