"""Northfield Community's patients."""

from local.sandbox.charts import terms
from local.sandbox.charts.model import (
    Allergy,
    Chart,
    Doctor,
    Order,
    Payer,
    Person,
    Place,
    Policy,
    Problem,
    Records,
    Statement,
    Visit,
    Vitals,
    series,
)

_HOLM = Doctor("nf-holm", "Holm", "Karin")
_DASGUPTA = Doctor("nf-dasgupta", "Dasgupta", "Rohan")
_SURGERY = Place("nf-2n", "2 North, room 208", terms.WARD)
_ICU = Place("nf-icu", "Intensive Care Unit, bed 1", terms.INTENSIVE_CARE)
_CLINIC = Place("nf-clinic", "Northfield Outpatient Clinic", terms.CLINIC)
_CHILDREN = Place("nf-children", "Children's Clinic", terms.CHILDREN)
_UNITED = Payer("nf-unity", "Unity Health Plan")
_COUNTY = Payer("nf-county", "County Public Health")

_REYES = Chart(
    Person(
        "nf-301",
        "N0045120",
        ("Reyes",),
        ("Antonio",),
        "male",
        "1958-05-17",
        "Mr.",
        language="es",
        phone="555-0163",
        doctor=_HOLM,
    ),
    visits=(
        Visit("nf-301-1", terms.CHECK_UP, "AMB", "2026-01-20T13:00", "2026-01-20T13:30", _CLINIC, doctor=_HOLM),
        Visit(
            "nf-301-2",
            terms.ADMISSION,
            "IMP",
            "2026-10-12T04:50",
            "2026-10-14T10:00",
            _ICU,
            reason=terms.INFARCTION,
            doctor=_DASGUPTA,
        ),
        Visit(
            "nf-301-3",
            terms.ADMISSION,
            "IMP",
            "2026-10-14T10:00",
            "",
            _SURGERY,
            reason=terms.INFARCTION,
            doctor=_DASGUPTA,
        ),
    ),
    vitals=(
        Vitals(
            "2026-01-20T13:05",
            {"blood pressure": (152, 94), "heart rate": 82, "weight": 94.6, "height": 172},
            "nf-301-1",
        ),
        *series(
            "nf-301-2",
            "2026-10-12T05:15",
            6,
            (
                (94, 58, 118, 24, 36.4, 91),
                (102, 62, 110, 22, 36.6, 93),
                (108, 66, 98, 20, 36.8, 95),
                (112, 68, 92, 18, 37.0, 95),
                (116, 70, 88, 18, 36.9, 96),
            ),
        ),
        *series("nf-301-3", "2026-10-14T12:00", 12, ((122, 74, 80, 16, 36.7, 97), (124, 76, 76, 16, 36.6, 97))),
        Vitals("2026-10-15T07:00", {"weight": 92.8}, "nf-301-3"),
    ),
    problems=(
        Problem(terms.INFARCTION, "2026-10-12", terms.SEVERE, "2026-10-12"),
        Problem(terms.HYPERTENSION, "2012-07-04", terms.MODERATE),
        Problem(terms.HYPERLIPIDEMIA, "2013-01-16", terms.MODERATE),
    ),
    allergies=(
        Allergy(
            terms.CODEINE,
            "medication",
            "2009-12-01",
            terms.NAUSEA,
            "mild",
            note="Vomited twice.",
            type="intolerance",
        ),
        Allergy(
            terms.BEE_VENOM,
            "environment",
            "1999-08-08",
            terms.ANAPHYLAXIS,
            "severe",
            "high",
            "Emergency visit after a sting.",
        ),
    ),
    orders=(
        Order(terms.SIMVASTATIN, "2026-10-12T08:00", "1 tablet at bedtime", _DASGUPTA, medication_as="reference"),
        Order(terms.LISINOPRIL, "2026-10-14T11:00", "1 tablet every morning", _DASGUPTA),
    ),
    statements=(Statement(terms.NAPROXEN, "2026-06-01", "1 tablet now and then for back pain"),),
    policies=(
        Policy(
            _UNITED,
            "UH-330-4471",
            ("87001", "Northfield Foundry"),
            ("PPO-2", "Unity PPO Plus"),
            terms.COMMERCIAL,
            "2020-01-01",
        ),
    ),
)

_JOHANSSON = Chart(
    Person("nf-302", "N0017743", ("Johansson",), ("Björn",), "male", "1966-09-02", doctor=_HOLM),
    visits=(
        Visit(
            "nf-302-1",
            terms.FOLLOW_UP,
            "AMB",
            "2026-03-03T08:30",
            "2026-03-03T08:55",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
        Visit(
            "nf-302-2",
            terms.FOLLOW_UP,
            "AMB",
            "2026-09-08T08:30",
            "2026-09-08T09:00",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
    ),
    vitals=(
        Vitals("2026-03-03T08:35", {"blood pressure": (144, 90), "weight": 101.4}, "nf-302-1"),
        Vitals("2026-09-08T08:35", {"blood pressure": (136, 84), "weight": 97.0}, "nf-302-2", "2026-09-08T08:40"),
    ),
    problems=(
        Problem(terms.DIABETES_2, "2017-11-20", terms.MODERATE),
        Problem(terms.HYPERTENSION, "2015-04-09", terms.MILD),
    ),
    allergies=(Allergy(terms.AMOXICILLIN_SUBSTANCE, "medication", "2003-02-02", terms.RASH, "moderate"),),
    orders=(
        Order(
            terms.METFORMIN,
            "2026-03-03T08:50",
            "1 tablet twice daily with meals",
            _HOLM,
            medication_as="reference",
        ),
        Order(terms.AMLODIPINE, "2026-09-08T08:55", "1 tablet daily", _HOLM),
    ),
    policies=(
        Policy(
            _UNITED,
            "UH-330-0918",
            ("87115", "Dairy Cooperative"),
            ("HMO-1", "Unity HMO Basic"),
            terms.COMMERCIAL,
            "2023-01-01",
        ),
    ),
)

_CHEN = Chart(
    Person(
        "nf-303",
        "N0061288",
        ("陈",),
        ("美玲",),
        "female",
        "1988-02-19",
        other_name=("Chen", "Meiling"),
        language="zh",
        doctor=_HOLM,
    ),
    visits=(
        Visit(
            "nf-303-1",
            terms.SYMPTOM,
            "AMB",
            "2026-05-27T16:10",
            "2026-05-27T16:30",
            _CLINIC,
            reason=terms.MIGRAINE,
        ),
    ),
    vitals=(
        Vitals(
            "2026-05-27T16:15",
            {"blood pressure": (108, 68), "heart rate": 70, "temperature": 36.5},
            "nf-303-1",
        ),
    ),
    problems=(
        Problem(terms.MIGRAINE, "2019-09-30", terms.MODERATE),
        Problem(terms.ANEMIA, "2021-06-15", terms.MILD, clinical="resolved"),
    ),
    allergies=(Allergy(terms.NO_KNOWN_ALLERGY, "medication", "2026-05-27", criticality="unable-to-assess"),),
    orders=(Order(terms.IBUPROFEN, "2026-05-27T16:25", "2 tablets every 8 hours as needed, with food", _HOLM),),
    policies=(
        Policy(_COUNTY, "CPH-20017", ("ADULT", "Adults"), ("STD", "County Standard"), terms.PUBLIC, "2025-07-01"),
    ),
)

_MARTIN = Chart(
    Person("nf-304", "N0070455", ("Martin",), ("Chloé",), "female", "2021-10-11", doctor=_DASGUPTA),
    visits=(
        Visit(
            "nf-304-1",
            terms.SYMPTOM,
            "AMB",
            "2026-02-02T09:20",
            "2026-02-02T09:40",
            _CHILDREN,
            reason=terms.OTITIS_MEDIA,
        ),
        Visit(
            "nf-304-2",
            terms.WELL_CHILD,
            "AMB",
            "2026-10-13T10:00",
            "2026-10-13T10:30",
            _CHILDREN,
            doctor=_DASGUPTA,
        ),
    ),
    vitals=(
        Vitals("2026-02-02T09:25", {"temperature": 38.7, "heart rate": 126}, "nf-304-1"),
        Vitals("2026-10-13T10:05", {"weight": 18.1, "height": 107, "heart rate": 98}, "nf-304-2"),
    ),
    problems=(Problem(terms.OTITIS_MEDIA, "2026-02-02", terms.MODERATE, clinical="resolved"),),
    allergies=(
        Allergy(terms.PEANUT, "food", "2023-03-29", terms.HIVES, "moderate", "high", verification="unconfirmed"),
    ),
    orders=(
        Order(
            terms.ACETAMINOPHEN_CHEWABLE,
            "2026-02-02T09:35",
            "1 tablet every 6 hours as needed for fever",
            _DASGUPTA,
            "completed",
        ),
    ),
    policies=(
        Policy(_COUNTY, "CPH-20466", ("CHILD", "Children"), ("KIDS", "County Kids"), terms.PUBLIC, "2021-10-11"),
    ),
)

_WALKER = Chart(  # nobody has asked her about allergies yet
    Person(
        "nf-305",
        "N0081930",
        ("Walker",),
        ("Denise",),
        "female",
        "1995-12-24",
        phone="555-0189",
        address=("7 Tannery Row", "Ashcombe", "0552816"),
    ),
    visits=(
        Visit(
            "nf-305-1",
            terms.SYMPTOM,
            "AMB",
            "2026-10-06T11:15",
            "2026-10-06T11:35",
            _CLINIC,
            reason=terms.STREP_THROAT,
            doctor=_HOLM,
        ),
    ),
    vitals=(Vitals("2026-10-06T11:20", {"temperature": 38.4, "heart rate": 96}, "nf-305-1"),),
    problems=(Problem(terms.STREP_THROAT, "2026-10-06", terms.MODERATE),),
    orders=(Order(terms.AMOXICILLIN, "2026-10-06T11:30", "1 tablet twice daily for 10 days", _HOLM, "completed"),),
)

_KOWALCZYK = Chart(
    Person(
        "nf-306",
        "N0002206",
        ("Kowalczyk",),
        ("Bożena", "Maria"),
        "female",
        "1939-04-03",
        "Mrs.",
        language="pl",
        doctor=_HOLM,
    ),
    visits=(
        Visit("nf-306-1", terms.FOLLOW_UP, "AMB", "2026-05-05T10:00", "2026-05-05T10:40", _CLINIC, doctor=_HOLM),
        Visit(
            "nf-306-2",
            terms.EMERGENCY,
            "EMER",
            "2026-10-21T18:00",
            "2026-10-21T22:30",
            _SURGERY,
            reason=terms.ATRIAL_FIBRILLATION,
        ),
    ),
    vitals=(
        Vitals("2026-05-05T10:05", {"blood pressure": (150, 82), "heart rate": 78, "weight": 58.2}, "nf-306-1"),
        *series("nf-306-2", "2026-10-21T18:10", 2, ((162, 96, 132, 22, 36.7, 95), (144, 84, 96, 18, 36.6, 97))),
    ),
    problems=(
        Problem(terms.ATRIAL_FIBRILLATION, "2022-09-13", terms.MODERATE),
        Problem(terms.OSTEOARTHRITIS, "2004-10-01", terms.MODERATE),
        Problem(terms.KIDNEY_DISEASE_3, "2023-02-27", terms.MODERATE),
        Problem(terms.HYPERTENSION, "1996-01-01", terms.MODERATE),
    ),
    allergies=(
        Allergy(terms.PENICILLIN, "medication", "1962-01-01", terms.RASH, "moderate"),
        Allergy(terms.LATEX, "environment", "2010-05-12", terms.ITCHING, "mild"),
        Allergy(terms.DANDER, "environment", "1985-06-01", terms.WHEEZING, "mild", clinical="resolved"),
    ),
    orders=(
        Order(terms.WARFARIN, "2022-09-13T15:00", "1 tablet every evening, by INR", _HOLM),
        Order(terms.FUROSEMIDE, "2025-02-10T09:30", "1 tablet every morning", _HOLM, "stopped"),
    ),
    statements=(Statement(terms.ACETAMINOPHEN, "2020-01-01", "2 tablets at night for knee pain"),),
    policies=(
        Policy(
            _COUNTY,
            "CPH-00031",
            ("SENIOR", "Seniors"),
            ("STD", "County Standard"),
            terms.PUBLIC,
            "2004-05-01",
        ),
    ),
)

RECORDS = Records(
    Payer("nf-hospital", "Northfield Community"),
    "-06:00",
    (_HOLM, _DASGUPTA),
    (_SURGERY, _ICU, _CLINIC, _CHILDREN),
    (_UNITED, _COUNTY),
    (_REYES, _JOHANSSON, _CHEN, _MARTIN, _WALKER, _KOWALCZYK),
)
