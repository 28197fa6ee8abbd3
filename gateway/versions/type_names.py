"""Which resource types each release has, and what it calls those that the releases name differently."""

import re
from typing import Final

from gateway.versions.version import FhirVersion

_DSTU2: Final = """
Account AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary BodySite Bundle CarePlan
Claim ClaimResponse ClinicalImpression Communication CommunicationRequest Composition ConceptMap Condition
Conformance Contract Coverage DataElement DetectedIssue Device DeviceComponent DeviceMetric DeviceUseRequest
DeviceUseStatement DiagnosticOrder DiagnosticReport DocumentManifest DocumentReference EligibilityRequest
EligibilityResponse Encounter EnrollmentRequest EnrollmentResponse EpisodeOfCare ExplanationOfBenefit
FamilyMemberHistory Flag Goal Group HealthcareService ImagingObjectSelection ImagingStudy Immunization
ImmunizationRecommendation ImplementationGuide List Location Media Medication MedicationAdministration
MedicationDispense MedicationOrder MedicationStatement MessageHeader NamingSystem NutritionOrder Observation
OperationDefinition OperationOutcome Order OrderResponse Organization Parameters Patient PaymentNotice
PaymentReconciliation Person Practitioner Procedure ProcedureRequest ProcessRequest ProcessResponse
Provenance Questionnaire QuestionnaireResponse ReferralRequest RelatedPerson RiskAssessment Schedule
SearchParameter Slot Specimen Subscription Substance SupplyDelivery SupplyRequest TestScript ValueSet
VisionPrescription
"""
_STU3: Final = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic
Binary BodySite Bundle CapabilityStatement CarePlan CareTeam ChargeItem Claim ClaimResponse
ClinicalImpression CodeSystem Communication CommunicationRequest CompartmentDefinition Composition
ConceptMap Condition Consent Contract Coverage DataElement DetectedIssue Device DeviceComponent DeviceMetric
DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EligibilityRequest
EligibilityResponse Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare ExpansionProfile
ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService
ImagingManifest ImagingStudy Immunization ImmunizationRecommendation ImplementationGuide Library Linkage
List Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense
MedicationRequest MedicationStatement MessageDefinition MessageHeader MetadataResource NamingSystem
NutritionOrder Observation OperationDefinition OperationOutcome Organization Parameters Patient
PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure
ProcedureRequest ProcessRequest ProcessResponse Provenance Questionnaire QuestionnaireResponse
ReferralRequest RelatedPerson RequestGroup ResearchStudy ResearchSubject RiskAssessment Schedule
SearchParameter Sequence ServiceDefinition Slot Specimen StructureDefinition StructureMap Subscription
Substance SupplyDelivery SupplyRequest Task TestReport TestScript ValueSet VisionPrescription
"""
_R4: Final = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic
Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry
ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication
CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage
CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis
Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence
EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group
GuidanceResponse HealthcareService ImagingStudy Immunization ImmunizationEvaluation
ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure
MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge
MedicationRequest MedicationStatement MedicinalProduct MedicinalProductAuthorization
MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
MetadataResource MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition
OperationDefinition OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice
PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire
QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy
ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen
SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid
SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript
ValueSet VerificationResult VisionPrescription
"""

TYPES: Final = {
    FhirVersion.DSTU2: frozenset(_DSTU2.split()),
    FhirVersion.STU3: frozenset(_STU3.split()),
    FhirVersion.R4: frozenset(_R4.split()),
}
ANY_RELEASE: Final = TYPES[FhirVersion.DSTU2] | TYPES[FhirVersion.STU3] | TYPES[FhirVersion.R4]
_TO_DSTU2: Final = {"MedicationRequest": "MedicationOrder", "CapabilityStatement": "Conformance"}
_FROM_DSTU2: Final = {below: above for above, below in _TO_DSTU2.items()}
_TYPE_AND_ID: Final = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9.\-]{1,64}(?:/_history/[^/?#]+)?(?:[?#].*)?$")


def adapt_type_name(resource_type: str, source: FhirVersion, target: FhirVersion) -> str:
    """Return the target's name of a resource type: MedicationRequest and MedicationOrder, CapabilityStatement and
    Conformance.

    Any other name comes back as it is, also one that the target does not have.
    """
    if source is target:
        return resource_type
    if target is FhirVersion.DSTU2:
        return _TO_DSTU2.get(resource_type, resource_type)
    return _FROM_DSTU2.get(resource_type, resource_type) if source is FhirVersion.DSTU2 else resource_type


def type_of(reference: str) -> str | None:
    """Return the resource type that a literal reference names (relative or absolute, of a version or not), else
    None.
    """
    match = _TYPE_AND_ID.search(reference)
    return match[1] if match is not None and match[1] in ANY_RELEASE else None


def adapt_url(url: str, source: FhirVersion, target: FhirVersion) -> str:
    """Rename the resource type in a reference, a fullUrl or a location; the rest of the address stays."""
    named = type_of(url)
    if named is None:
        return url
    renamed = adapt_type_name(named, source, target)
    if renamed == named:
        return url
    head, _, tail = url.rpartition(f"{named}/")
    return f"{head}{renamed}/{tail}"
