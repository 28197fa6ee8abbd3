import pytest

from tests.local.sandbox.asgi_client import Client


async def test_string_search_is_a_prefix_without_case_and_accents(northfield: Client) -> None:
    assert (await northfield.get("Patient?given=BJOR")).ids == ["nf-302"]
    assert (await northfield.get("Patient?family=ohansson")).ids == []


async def test_contains_and_exact_modifiers(northfield: Client) -> None:
    assert (await northfield.get("Patient?family:contains=ALCZ")).ids == ["nf-306"]
    assert (await northfield.get("Patient?family:exact=kowalczyk")).ids == []
    assert (await northfield.get("Patient?family:exact=Kowalczyk")).ids == ["nf-306"]


async def test_every_family_name_of_a_dstu2_list_is_found(lakeside: Client) -> None:
    assert (await lakeside.get("Patient?family=garcia")).ids == ["1002"]
    assert (await lakeside.get("Patient?family=iban")).ids == ["1002"]


async def test_chinese_name_is_found_in_both_scripts(lakeside: Client) -> None:
    assert (await lakeside.get("Patient?family=%E7%8E%8B&given=%E8%8A%B3")).ids == ["1003"]
    assert (await lakeside.get("Patient?name=wang")).ids == ["1003"]


async def test_identifier_with_and_without_system(lakeside: Client) -> None:
    system = "http://lakeside-general.example/mrn"
    for value, expected in (
        ("LG-118204", ["1002"]),
        (f"{system}|LG-118204", ["1002"]),
        ("http://elsewhere.example|LG-118204", []),
        ("|LG-118204", []),
    ):
        assert (await lakeside.get(f"Patient?identifier={value}")).ids == expected


async def test_post_search_joins_form_and_query(lakeside: Client) -> None:
    reply = await lakeside.form("Patient/_search?gender=female", "birthdate=1979-12-05")
    assert reply.ids == ["1003"]
    assert (await lakeside.form("Patient/_search?gender=male", "birthdate=1979-12-05")).ids == []


async def test_repeated_parameters_are_and_commas_are_or(lakeside: Client) -> None:
    assert (await lakeside.get("Patient?_id=1001,1004,nobody")).ids == ["1001", "1004"]
    assert (await lakeside.get("Patient?birthdate=ge1979&birthdate=lt1991")).ids == ["1003", "1005"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-10-18", set()),
        ("eq2026-10", {"enc-1001-2"}),
        ("ge2026-10-18", {"enc-1001-2", "enc-1001-3"}),
        ("lt2026", {"enc-1001-1"}),
        ("le2025-11-04", {"enc-1001-1"}),
        ("gt2026-10-19T12:00:00Z", {"enc-1001-3"}),
    ],
)
async def test_date_prefixes_on_periods(lakeside: Client, value: str, expected: set[str]) -> None:
    # The last visit is open-ended; the one before ended on the 19th in UTC, so no single day holds it.
    reply = await lakeside.get(f"Encounter?patient=1001&date={value}")
    assert set(reply.ids) == expected


async def test_patient_reference_with_and_without_type(northfield: Client) -> None:
    short = await northfield.get("Condition?patient=nf-301")
    long = await northfield.get("Condition?subject=Patient/nf-301")
    assert short.ids == long.ids
    assert len(short.ids) == 3
    assert (await northfield.get("Condition?patient=nf-30")).ids == []


async def test_coverage_is_searched_as_the_version_has_it(
    lakeside: Client, northfield: Client, riverbend: Client
) -> None:
    assert (await northfield.get("Coverage?beneficiary=nf-302")).json["total"] == 1
    # Core STU3 and DSTU2 know no patient parameter of Coverage: a lenient server leaves it out.
    assert (await northfield.get("Coverage?patient=nf-302")).json["total"] == 5
    assert (await lakeside.get("Coverage?patient=1002")).json["total"] == 5
    assert (await riverbend.get("Coverage?patient=rb.pat.1")).json["total"] == 2
    assert (await riverbend.get("Coverage?beneficiary=Patient/rb.pat.1&status=active")).json["total"] == 1


async def test_codeable_statuses_in_r4_match_with_their_system(riverbend: Client) -> None:
    system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
    query = "AllergyIntolerance?patient=rb.pat.6&clinical-status"
    assert (await riverbend.get(f"{query}={system}|inactive")).json["total"] == 1
    assert (await riverbend.get(f"{query}=http://hl7.org/fhir/allergy-clinical-status|inactive")).json["total"] == 0
    assert (await riverbend.get(f"{query}:not=inactive")).json["total"] == 1


async def test_sort_speaks_the_syntax_of_its_version_only(
    lakeside: Client, northfield: Client, riverbend: Client
) -> None:
    oldest_first = ["enc-1001-1", "enc-1001-2", "enc-1001-3"]
    assert (await lakeside.get("Encounter?patient=1001&_sort:desc=date")).ids == oldest_first[::-1]
    assert (await lakeside.get("Encounter?patient=1001&_sort=date")).ids == oldest_first
    assert (await lakeside.get("Encounter?patient=1001&_sort=-date")).ids == oldest_first
    newest_first = ["enc-nf-301-3", "enc-nf-301-2", "enc-nf-301-1"]
    assert (await northfield.get("Encounter?patient=nf-301&_sort=-date")).ids == newest_first
    ignored = await riverbend.get("Encounter?patient=rb.pat.1&_sort=-date")
    assert ignored.ids == ["enc-rb.1.1", "enc-rb.1.2", "enc-rb.1.3", "enc-rb.1.4"]
    assert "_sort" not in ignored.json["link"][0]["url"]


async def test_pages_lead_forward_and_back_and_hold_everything_once(northfield: Client) -> None:
    first = (await northfield.get("Observation?patient=nf-301&category=vital-signs&_count=15")).json
    total, seen, page = first["total"], [], first
    while True:
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        assert page["total"] == total
        links = {link["relation"]: link["url"] for link in page["link"]}
        if "next" not in links:
            break
        assert links["next"].startswith("http://ehr.test:81/fhir?")
        page = (await northfield.get(links["next"])).json
    assert len(seen) == len(set(seen)) == total == 40  # as many readings as the chart holds: 4 + 5 * 5 + 2 * 5 + 1
    back = (await northfield.get(links["previous"])).json
    assert [entry["resource"]["id"] for entry in back["entry"]] == seen[15:30]


async def test_an_unknown_page_is_gone(lakeside: Client) -> None:
    reply = await lakeside.get("?page=nothing.1")
    assert (reply.status, reply.json["issue"][0]["code"]) == (410, "expired")


@pytest.mark.parametrize("query", ["_count=0", "_summary=count"])
async def test_total_only(lakeside: Client, query: str) -> None:
    bundle = (await lakeside.get(f"Patient?{query}")).json
    assert bundle["total"] == 6
    assert "entry" not in bundle


async def test_unknown_parameters_are_left_out_unless_strict(lakeside: Client) -> None:
    lenient = await lakeside.get("Patient?shoe-size=44&gender=male")
    assert lenient.json["total"] == 3
    assert lenient.json["link"][0]["url"] == "http://ehr.test:81/baseDstu2/Patient?gender=male"
    strict = await lakeside.get("Patient?shoe-size=44", prefer="handling=strict")
    assert (strict.status, strict.json["resourceType"]) == (400, "OperationOutcome")


@pytest.mark.parametrize("query", ["birthdate=yesterday", "_count=-1", "gender:above=male", "birthdate=2026-13"])
async def test_malformed_values_and_unknown_modifiers_are_refused(lakeside: Client, query: str) -> None:
    reply = await lakeside.get(f"Patient?{query}")
    assert (reply.status, reply.json["resourceType"]) == (400, "OperationOutcome")
