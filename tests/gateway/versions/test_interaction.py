import pytest

from gateway.versions import AdaptedInteraction, FhirVersion, RequestOptions, adapt_interaction
from gateway.versions.table import Json


def ask(path: str, resource_type: str, *params: str, **options: object) -> AdaptedInteraction:
    face, _, upstream = path.partition(">")
    pairs = [(name, value) for name, _, value in (param.partition("=") for param in params)]
    return adapt_interaction(resource_type, pairs, FhirVersion(face), FhirVersion(upstream), RequestOptions(**options))  # type: ignore[arg-type] # options by name


def asked(path: str, resource_type: str, *params: str, **options: object) -> list[str]:
    result = ask(path, resource_type, *params, **options)
    assert result.unsupported == []
    return [f"{name}={value}" for name, value in result.params]


@pytest.mark.parametrize("sort", ["_sort:desc=date", "_sort=-date"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dstu2>r4", "_sort=-date"),
        ("stu3>r4", "_sort=-date"),
        ("stu3>stu3", "_sort=-date"),
        ("dstu2>stu3", "_sort=-date"),
        ("stu3>dstu2", "_sort:desc=date"),
        ("dstu2>dstu2", "_sort:desc=date"),
        ("r4>r4", "_sort=-date"),
    ],
)
def test_both_sort_syntaxes_on_every_face(path: str, expected: Json, sort: str) -> None:
    assert asked(path, "Encounter", "patient=1", sort, "_count=1") == ["patient=1", "_count=1", expected]


def test_sort_keys_are_renamed_and_keep_their_order() -> None:
    assert asked("stu3>r4", "Condition", "_sort=asserted-date,-code") == ["_sort=recorded-date,-code"]
    assert asked("stu3>dstu2", "Condition", "_sort=asserted-date,-code") == [
        "_sort:asc=date-recorded",
        "_sort:desc=code",
    ]


@pytest.mark.parametrize("path", ["stu3>stu3", "stu3>r4", "dstu2>dstu2", "dstu2>r4"])
def test_the_apps_patient_search(path: str) -> None:
    assert asked(path, "Patient", "id=1", "family=Bla", "given=Ru", "birthdate=1951-08-23") == [
        "_id=1",
        "family:contains=Bla",
        "given:contains=Ru",
        "birthdate=1951-08-23",
    ]
    assert asked(path, "Patient", "family:contains=x", "name=y", "given:exact=z") == [
        "family:contains=x",
        "name:contains=y",
        "given:exact=z",
    ]


def test_the_r4_face_keeps_the_standards_meaning_of_family() -> None:
    assert asked("r4>r4", "Patient", "family=Bla") == ["family=Bla"]


def test_a_bare_identifier_gets_the_mrn_system_where_the_tenant_asks_for_it() -> None:
    assert asked("stu3>r4", "Patient", "identifier=12", mrn_system="urn:mrn") == ["identifier=urn:mrn|12"]
    assert asked("stu3>stu3", "Patient", "identifier=12", mrn_system="urn:mrn") == ["identifier=urn:mrn|12"]
    assert asked("stu3>r4", "Patient", "identifier=urn:x|12", mrn_system="urn:mrn") == ["identifier=urn:x|12"]
    assert asked("stu3>r4", "Patient", "identifier=12") == ["identifier=12"]


@pytest.mark.parametrize(
    ("path", "expected"), [("stu3>stu3", "beneficiary=1"), ("stu3>r4", "patient=1"), ("dstu2>r4", "patient=1")]
)
def test_coverage_by_patient(path: str, expected: Json) -> None:
    assert asked(path, "Coverage", "patient=1") == [expected]


def test_a_dstu2_coverage_cannot_be_searched_by_patient() -> None:
    assert ask("dstu2>dstu2", "Coverage", "patient=1").unsupported == ["patient"]
    assert ask("stu3>dstu2", "Coverage", "patient=1").unsupported == ["patient"]


@pytest.mark.parametrize(
    ("resource_type", "dstu2", "stu3", "r4"),
    [
        ("Condition", "date-recorded", "asserted-date", "recorded-date"),
        ("Condition", "onset", "onset-date", "onset-date"),
        ("Encounter", "episodeofcare", "episodeofcare", "episode-of-care"),
        ("Encounter", "reason", "reason", "reason-code"),
        ("Encounter", "incomingreferral", "incomingreferral", "based-on"),
        ("AllergyIntolerance", "substance", "code", "code"),
        ("AllergyIntolerance", "reporter", "asserter", "asserter"),
        ("AllergyIntolerance", "date", "date", "date"),
        ("MedicationStatement", "effectivedate", "effective", "effective"),
        ("Patient", "careprovider", "general-practitioner", "general-practitioner"),
        ("Patient", "deathdate", "death-date", "death-date"),
    ],
)
def test_renamed_parameters(resource_type: str, dstu2: str | None, stu3: str, r4: str) -> None:
    assert asked("dstu2>r4", resource_type, f"{dstu2}=1") == [f"{r4}=1"]
    assert asked("stu3>r4", resource_type, f"{stu3}=1") == [f"{r4}=1"]
    assert asked("stu3>dstu2", resource_type, f"{stu3}=1") == [f"{dstu2}=1"]


def test_medication_orders() -> None:
    result = ask("dstu2>r4", "MedicationOrder", "patient=1", "datewritten=ge2020", "prescriber=Practitioner/1")
    assert result.resource_type == "MedicationRequest"
    assert result.params == [("patient", "1"), ("authoredon", "ge2020"), ("requester", "Practitioner/1")]
    up = ask("stu3>dstu2", "MedicationRequest", "patient=1")
    assert (up.resource_type, up.params) == ("MedicationOrder", [("patient", "1")])
    assert ask("stu3>dstu2", "MedicationRequest", "date=2020").unsupported == ["date"]


@pytest.mark.parametrize(
    ("path", "resource_type", "param", "expected"),
    [
        ("dstu2>r4", "MedicationOrder", "status=stopped", "status=stopped,cancelled"),
        ("dstu2>r4", "Observation", "status=amended", "status=amended,corrected"),
        ("dstu2>r4", "Encounter", "status=arrived,planned", "status=arrived,triaged,planned"),
        ("dstu2>r4", "Condition", "clinicalstatus=relapse", "clinical-status=recurrence,relapse"),
        ("stu3>r4", "Condition", "clinical-status=recurrence", "clinical-status=recurrence,relapse"),
    ],
)
def test_codes_that_the_face_sees_as_one_are_asked_for_together(
    path: str, resource_type: str, param: str, expected: Json
) -> None:
    assert asked(path, resource_type, param) == [expected]


def test_the_status_of_a_dstu2_allergy_is_two_parameters() -> None:
    assert asked("dstu2>r4", "AllergyIntolerance", "status=confirmed") == [
        "clinical-status=active",
        "verification-status=confirmed",
    ]
    assert ask("dstu2>r4", "AllergyIntolerance", "status=confirmed,refuted").unsupported == ["status"]


def test_token_systems_are_reversed() -> None:
    old, new = "http://hl7.org/fhir/observation-category", "http://terminology.hl7.org/CodeSystem/observation-category"
    assert asked("stu3>r4", "Observation", f"category={old}|vital-signs") == [f"category={new}|vital-signs"]
    assert asked("stu3>r4", "Observation", "category=vital-signs") == ["category=vital-signs"]
    assert asked("stu3>stu3", "Observation", f"category={old}|vital-signs") == [f"category={old}|vital-signs"]
    assert asked("dstu2>r4", "Patient", "identifier=http://hl7.org/fhir/v2/0203|1") == [
        "identifier=http://terminology.hl7.org/CodeSystem/v2-0203|1"
    ]
    quantity = "value-quantity=5.4|http://unitsofmeasure.org|mg"
    assert asked("stu3>r4", "Observation", quantity) == [quantity]


def test_references_in_values_and_includes_take_the_upstreams_type_names() -> None:
    assert asked("dstu2>r4", "MedicationOrder", "_include=MedicationOrder:prescriber:Practitioner") == [
        "_include=MedicationRequest:requester:Practitioner"
    ]
    assert asked("dstu2>r4", "Observation", "subject=https://x/MedicationOrder/1") == [
        "subject=https://x/MedicationRequest/1"
    ]


def test_what_the_upstreams_release_cannot_be_asked_is_reported_by_name() -> None:
    result = ask("dstu2>r4", "Observation", "patient=1", "invented=secret", "_has:Group:member:_id=1", "_sort=odd")
    assert result.params == [("patient", "1")]
    assert result.unsupported == ["invented", "_has:Group:member:_id", "_sort"]


def test_within_one_release_everything_is_passed_on() -> None:
    assert asked("r4>r4", "Observation", "invented=1", "patient.name=x") == ["invented=1", "patient.name=x"]


def test_the_format_is_the_faces_own_affair() -> None:
    result = ask("stu3>r4", "Patient", "_format=json", "_id=1")
    assert (result.params, result.presentation) == ([("_id", "1")], [("_format", "json")])


@pytest.mark.parametrize(
    ("path", "param", "resource_type", "expected"),
    [
        ("stu3>r4", "effective=ge2020", "MedicationRequest", ("authoredon", "ge2020")),
        ("stu3>stu3", "effective=ge2020", "MedicationRequest", ("authoredon", "ge2020")),
        ("dstu2>dstu2", "effectivedate=ge2020", "MedicationOrder", ("datewritten", "ge2020")),
    ],
)
def test_statements_are_asked_of_requests_where_a_server_has_none(
    path: str, param: str, resource_type: str, expected: Json
) -> None:
    result = ask(path, "MedicationStatement", "patient=1", param, "category=x", statements_from_requests=True)
    assert (result.resource_type, result.from_requests) == (resource_type, True)
    assert result.params == [("patient", "1"), expected]
    assert result.unsupported == ["category"]


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("stu3>r4", "active", "active"),
        ("r4>r4", "completed", "completed,cancelled"),
        ("stu3>stu3", "completed", "completed,cancelled,unknown"),
        ("dstu2>r4", "intended", "on-hold"),
    ],
)
def test_the_status_of_a_statement_is_that_of_its_requests(path: str, status: str, expected: str) -> None:
    result = ask(path, "MedicationStatement", f"status={status}", statements_from_requests=True)
    assert result.params == [("status", expected)]
