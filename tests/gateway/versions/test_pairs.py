"""HL7's own examples that exist in both releases under one id: converted R4 against the STU3 original."""

from gateway.versions import Adaptation, FhirVersion, adapt_resource
from gateway.versions.table import JsonObject
from tests.gateway.versions.shared_data import Data

NOT_SAID_IN_R4 = "R4 has no element for it"
CHANGED = "the example itself was changed between the releases"
TARGET_IS_GONE = "it points to a type that STU3 does not have, without a display"

# (type, element, id or None for every example) -> why it differs.
EXPLAINED: dict[tuple[str, str, str | None], str] = {
    ("Condition", "context", "f203"): CHANGED,
    ("Condition", "context", "f204"): CHANGED,
    ("Condition", "clinicalStatus", "f204"): CHANGED,
    ("Condition", "assertedDate", "stroke"): "no recordedDate: filled from the onset (docs/versions.md)",
    ("Coverage", "contract", "7546D"): CHANGED,
    ("Coverage", "grouping", "7546D"): CHANGED + ": STU3 repeats the group as the plan",
    ("Encounter", "reason", "f003"): CHANGED + ": it lost an extension",
    ("Encounter", "incomingReferral", "f203"): TARGET_IS_GONE + " (ServiceRequest)",
    ("MedicationRequest", "requester", None): NOT_SAID_IN_R4 + " (onBehalfOf)",
    ("MedicationRequest", "supportingInformation", "medrx0302"): CHANGED,
    ("MedicationRequest", "definition", "medrx0303"): CHANGED,
    ("MedicationRequest", "substitution", "medrx0303"): "R4 says it as a concept, STU3 has a boolean only",
    ("MedicationRequest", "contained", None): NOT_SAID_IN_R4 + " (Medication.isBrand, package)",
    ("MedicationRequest", "dosageInstruction", "medrx0316"): CHANGED,
    ("MedicationRequest", "intent", "medrx0327"): CHANGED,
    ("MedicationStatement", "contained", None): NOT_SAID_IN_R4 + " (Medication.isBrand, package)",
    ("MedicationStatement", "taken", None): NOT_SAID_IN_R4 + " unless not-taken or unknown: unk (docs/versions.md)",
    ("MedicationStatement", "status", "example004"): CHANGED,
    ("MedicationStatement", "status", "example007"): CHANGED,
    ("Observation", "component", "20minute-apgar-score"): CHANGED + ": systems and extensions were corrected",
    ("Observation", "component", "5minute-apgar-score"): CHANGED + ": systems and extensions were corrected",
    ("Observation", "component", "glasgow"): CHANGED + ": related and contained became components",
    ("Observation", "related", "glasgow"): CHANGED + ": related and contained became components",
    ("Observation", "contained", "glasgow"): CHANGED + ": related and contained became components",
    ("Observation", "code", "example-TPMT-diplotype"): CHANGED + ": SNOMED's address was corrected",
    ("Observation", "code", "example-TPMT-haplotype-one"): CHANGED + ": SNOMED's address was corrected",
    ("Observation", "code", "example-diplotype1"): CHANGED + ": SNOMED's address was corrected",
    ("Observation", "code", "satO2"): CHANGED,
    ("Observation", "related", "example-TPMT-haplotype-one"): TARGET_IS_GONE + " (MolecularSequence)",
    ("Observation", "related", "example-genetics-5"): "R4 keeps sequel-to in an extension",
    ("Observation", "related", "example-haplotype1"): TARGET_IS_GONE + " (MolecularSequence)",
    ("Observation", "related", "example-haplotype2"): TARGET_IS_GONE + " (MolecularSequence)",
    ("Observation", "extension", "example-genetics-5"): "R4 keeps sequel-to in an extension",
    ("Observation", "extension", "example-haplotype1"): CHANGED,
    ("Observation", "extension", "example-haplotype2"): CHANGED,
    ("Observation", "method", "f205"): CHANGED + ": SNOMED's address was corrected",
}
# The narrative was generated anew for each release; profiles are of a release and are dropped.
ASIDE = {"text", "meta"}


def by_id(resources: list[JsonObject]) -> dict[tuple[str, str], JsonObject]:
    return {(one["resourceType"], one["id"]): one for one in resources}


def test_converted_r4_equals_the_stu3_original_but_for_what_is_explained(data: Data) -> None:
    down = Adaptation(FhirVersion.R4, FhirVersion.STU3)
    same = Adaptation(FhirVersion.STU3, FhirVersion.STU3)  # texts and displays are mirrored in both
    originals = by_id(data(FhirVersion.STU3))
    pairs, different = 0, set()
    for key, resource in by_id(data(FhirVersion.R4)).items():
        if key not in originals:
            continue
        out, original = adapt_resource(resource, down), adapt_resource(originals[key], same)
        assert out is not None
        assert original is not None
        pairs += 1
        elements = (out.keys() | original.keys()) - ASIDE
        different |= {(key[0], name, key[1]) for name in elements if out.get(name) != original.get(name)}
    explained = {one for one in different if one in EXPLAINED or (*one[:2], None) in EXPLAINED}
    assert different - explained == set()
    assert pairs >= 60
    used = explained | {(*one[:2], None) for one in explained}
    assert set(EXPLAINED) - used == set()  # an explanation of nothing is stale
