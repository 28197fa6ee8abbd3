"""The coded terms that the charts use: SNOMED CT, LOINC, RxNorm, UCUM and HL7's v3 vocabularies."""

from typing import NamedTuple

_SNOMED = "http://snomed.info/sct"
_LOINC = "http://loinc.org"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


class Concept(NamedTuple):
    """A code with its display and, where people word it differently, their text."""

    system: str
    code: str
    display: str
    text: str = ""

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.text or self.display


class Measure(NamedTuple):
    """A vital sign with its unit as shown and in UCUM."""

    concept: Concept
    unit: str
    ucum: str


def _snomed(code: str, display: str, text: str = "") -> Concept:
    return Concept(_SNOMED, code, display, text)


def _rxnorm(code: str, display: str, text: str = "") -> Concept:
    return Concept(_RXNORM, code, display, text)


def _loinc(code: str, display: str) -> Concept:
    return Concept(_LOINC, code, display)


BLOOD_PRESSURE = _loinc("85354-9", "Blood pressure panel with all children optional")
SYSTOLIC = _loinc("8480-6", "Systolic blood pressure")
DIASTOLIC = _loinc("8462-4", "Diastolic blood pressure")
VITALS = {
    "heart rate": Measure(_loinc("8867-4", "Heart rate"), "beats/minute", "/min"),
    "respiratory rate": Measure(_loinc("9279-1", "Respiratory rate"), "breaths/minute", "/min"),
    "temperature": Measure(_loinc("8310-5", "Body temperature"), "C", "Cel"),
    "oxygen saturation": Measure(_loinc("2708-6", "Oxygen saturation in Arterial blood"), "%", "%"),
    "weight": Measure(_loinc("29463-7", "Body weight"), "kg", "kg"),
    "height": Measure(_loinc("8302-2", "Body height"), "cm", "cm"),
}
PULSE_OXIMETRY = _loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")

MILD = _snomed("255604002", "Mild")
MODERATE = _snomed("6736007", "Moderate")
SEVERE = _snomed("24484000", "Severe")

ADMISSION = _snomed("32485007", "Hospital admission")
EMERGENCY = _snomed("50849002", "Emergency room admission")
CHECK_UP = _snomed("185349003", "Encounter for check up")
SYMPTOM = _snomed("185345009", "Encounter for symptom")
FOLLOW_UP = _snomed("390906007", "Follow-up encounter")
WELL_CHILD = _snomed("410620009", "Well child visit")

HYPERTENSION = _snomed("59621000", "Essential hypertension", "High blood pressure")
DIABETES_2 = _snomed("44054006", "Diabetes mellitus type 2", "Type 2 diabetes")
ASTHMA = _snomed("195967001", "Asthma")
PNEUMONIA = _snomed("233604007", "Pneumonia")
COPD = _snomed("13645005", "Chronic obstructive lung disease", "COPD")
ATRIAL_FIBRILLATION = _snomed("49436004", "Atrial fibrillation")
HEART_FAILURE = _snomed("84114007", "Heart failure")
KIDNEY_DISEASE_3 = _snomed("433144002", "Chronic kidney disease stage 3")
OSTEOARTHRITIS = _snomed("396275006", "Osteoarthritis")
OSTEOPOROSIS = _snomed("64859006", "Osteoporosis")
HYPERLIPIDEMIA = _snomed("55822004", "Hyperlipidemia")
OTITIS_MEDIA = _snomed("65363002", "Otitis media", "Ear infection")
STREP_THROAT = _snomed("43878008", "Streptococcal sore throat")
MIGRAINE = _snomed("37796009", "Migraine")
ANEMIA = _snomed("271737000", "Anemia")
HAY_FEVER = _snomed("367498001", "Seasonal allergic rhinitis", "Hay fever")
BRONCHITIS = _snomed("10509002", "Acute bronchitis")
INFARCTION = _snomed("22298006", "Myocardial infarction")

PENICILLIN = _rxnorm("7980", "penicillin G", "Penicillin")
AMOXICILLIN_SUBSTANCE = _rxnorm("723", "amoxicillin", "Amoxicillin")
ASPIRIN_SUBSTANCE = _rxnorm("1191", "aspirin", "Aspirin")
CODEINE = _rxnorm("2670", "codeine", "Codeine")
LATEX = _snomed("111088007", "Latex")
PEANUT = _snomed("762952008", "Peanut")
DANDER = _snomed("264287008", "Animal dander", "Cat and dog dander")
BEE_VENOM = _snomed("424213003", "Allergy to bee venom", "Bee stings")
GRASS_POLLEN = _snomed("418689008", "Allergy to grass pollen", "Grass pollen")
NO_KNOWN_ALLERGY = _snomed("716186003", "No known allergy")

HIVES = _snomed("126485001", "Urticaria", "Hives")
RASH = _snomed("271807003", "Eruption of skin", "Rash")
ANAPHYLAXIS = _snomed("39579001", "Anaphylaxis")
NAUSEA = _snomed("422587007", "Nausea")
WHEEZING = _snomed("56018004", "Wheezing")
ITCHING = _snomed("418290006", "Itching")

AMLODIPINE = _rxnorm("197361", "amlodipine 5 MG Oral Tablet")
LISINOPRIL = _rxnorm("314077", "lisinopril 20 MG Oral Tablet")
METFORMIN = _rxnorm(
    "860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", "metformin XR 500 mg"
)
SIMVASTATIN = _rxnorm("312961", "simvastatin 20 MG Oral Tablet")
ACETAMINOPHEN = _rxnorm("313782", "acetaminophen 325 MG Oral Tablet")
ACETAMINOPHEN_CHEWABLE = _rxnorm("313820", "acetaminophen 160 MG Chewable Tablet")
IBUPROFEN = _rxnorm("310965", "ibuprofen 200 MG Oral Tablet")
AMOXICILLIN = _rxnorm("308192", "amoxicillin 500 MG Oral Tablet")
AZITHROMYCIN = _rxnorm("308460", "azithromycin 250 MG Oral Tablet")
LORATADINE = _rxnorm("311372", "loratadine 10 MG Oral Tablet")
ALBUTEROL = _rxnorm("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "albuterol inhaler")
NAPROXEN = _rxnorm("849574", "naproxen sodium 220 MG Oral Tablet")
FUROSEMIDE = _rxnorm("313988", "furosemide 40 MG Oral Tablet")
WARFARIN = _rxnorm("855332", "warfarin sodium 5 MG Oral Tablet")

# Systems of v3 vocabularies differ by version: the writers put them in.
WARD = Concept("RoleCode", "HU", "Hospital unit")
INTENSIVE_CARE = Concept("RoleCode", "ICU", "Intensive care unit")
EMERGENCY_ROOM = Concept("RoleCode", "ER", "Emergency room")
CHILDREN = Concept("RoleCode", "PEDU", "Pediatric unit")
CLINIC = Concept("RoleCode", "OF", "Outpatient facility")
COMMERCIAL = Concept("ActCode", "HIP", "health insurance plan policy")
EXTENDED = Concept("ActCode", "EHCPOL", "extended healthcare")
PUBLIC = Concept("ActCode", "PUBLICPOL", "public healthcare")
