"""Riverbend Medical Center's patients, with the loose ends that R4 records in the field have."""

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

_ALVAREZ = Doctor("rb.doc.1", "Álvarez", "Inés")
_STONE = Doctor("rb.doc.2", "Stone", "Marcus")
_MEDICAL = Place("rb.loc.5e", "5 East, room 512", terms.WARD)
_ICU = Place("rb.loc.icu", "Cardiac Intensive Care, bed 7", terms.INTENSIVE_CARE)
_CLINIC = Place("rb.loc.clinic", "Riverbend Internal Medicine", terms.CLINIC)
_CHILDREN = Place("rb.loc.peds", "Pediatrics, room 3", terms.CHILDREN)
_ER = Place("rb.loc.er", "Emergency Center", terms.EMERGENCY_ROOM)
_BLUE = Payer("rb.org.bluff", "Bluff River Insurance")
_FEDERAL = Payer("rb.org.elders", "Elders Public Plan")

_THOMPSON = Chart(
    Person(
        "rb.pat.1",
        "7004411",
        ("Thompson",),
        ("Grace", "Elaine"),
        "female",
        "1952-07-08",
        "Mrs.",
        former_mrn="6990023",
        doctor=_ALVAREZ,
    ),
    visits=(
        Visit("rb.1.1", terms.CHECK_UP, "AMB", "2024-06-11T09:00", "2024-06-11T09:30", _CLINIC, doctor=_ALVAREZ),
        Visit("rb.1.2", terms.FOLLOW_UP, "AMB", "2025-06-17T09:00", "2025-06-17T09:40", _CLINIC, doctor=_ALVAREZ),
        Visit(
            "rb.1.3",
            terms.EMERGENCY,
            "EMER",
            "2026-10-26T13:05",
            "2026-10-26T17:50",
            _ER,
            reason=terms.HEART_FAILURE,
        ),
        Visit(
            "rb.1.4",
            terms.ADMISSION,
            "IMP",
            "2026-10-26T17:50",
            "",
            _MEDICAL,
            False,
            terms.HEART_FAILURE,
            _STONE,
        ),
    ),
    vitals=(
        Vitals("2025-06-17T09:05", {"blood pressure": (138, 82), "weight": 74.1, "height": 165}, "rb.1.2"),
        Vitals("2026-10-26T13:10", {"weight": 180.4}, "rb.1.3", status="entered-in-error"),
        *series(
            "rb.1.4",
            "2026-10-26T18:00",
            6,
            (
                (164, 98, 112, 28, 36.5, 87),
                (156, 92, 104, 26, 36.6, 90),
                (148, 88, 98, 22, 36.6, 92),
                (140, 84, 92, 20, 36.7, 93),
                (136, 82, 88, 20, 36.6, 94),
                (132, 80, 84, 18, 36.5, 95),
                (130, 78, 80, 18, 36.6, 96),
            ),
        ),
        Vitals("2026-10-28T07:00", {"weight": 77.9}, "rb.1.4"),
    ),
    problems=(
        Problem(terms.HEART_FAILURE, "2023-04-19", terms.SEVERE),
        Problem(terms.ATRIAL_FIBRILLATION, "2021-08-03", terms.MODERATE),
        Problem(terms.HYPERTENSION, "2002-05-05"),
        Problem(terms.PNEUMONIA, "2026-10-26", clinical="", verification="entered-in-error"),
    ),
    allergies=(
        Allergy(
            terms.PENICILLIN,
            "medication",
            "1981-09-09T00:00",
            terms.ANAPHYLAXIS,
            "severe",
            "high",
            "Needed epinephrine.",
        ),
        Allergy(terms.ASPIRIN_SUBSTANCE, "medication", "2026-10-26", clinical="", verification="entered-in-error"),
    ),
    orders=(
        Order(terms.FUROSEMIDE, "2026-10-26T18:20", "1 tablet every morning", _STONE, doctor_shown=False),
        Order(
            terms.WARFARIN,
            "2021-08-03T10:00",
            "1 tablet every evening, by INR",
            _ALVAREZ,
            medication_as="reference",
        ),
        Order(terms.NAPROXEN, "2026-10-26T18:25", "Do not give: heart failure", _STONE, do_not_perform=True),
        Order(terms.LISINOPRIL, "2025-06-17T09:30", "1 tablet daily", _ALVAREZ, "cancelled", "2025-07-01T00:00"),
    ),
    statements=(Statement(terms.ACETAMINOPHEN, "2024-01-01", "1 tablet for headaches, about twice a month"),),
    policies=(
        Policy(
            _FEDERAL,
            "EPP-9912-3",
            ("ELD", "Elders"),
            ("ELD-C", "Elders Complete"),
            terms.PUBLIC,
            "2017-08-01",
        ),
        Policy(
            _BLUE,
            "BR-100233",
            ("5512", "Retired Teachers"),
            ("SUP", ""),
            terms.EXTENDED,
            "2010-01-01",
            "2017-07-31",
            "cancelled",
        ),
    ),
)

_NOVAK = Chart(
    Person("rb.pat.2", "7010027", ("Novák",), ("Tomáš",), "male", "1969-01-31", doctor=_ALVAREZ, phone="555-0171"),
    visits=(
        Visit(
            "rb.2.1",
            terms.FOLLOW_UP,
            "AMB",
            "2026-04-14T15:30",
            "2026-04-14T16:00",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
        Visit(
            "rb.2.2",
            terms.FOLLOW_UP,
            "AMB",
            "2026-10-13T15:30",
            "2026-10-13T15:50",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
    ),
    vitals=(
        Vitals("2026-04-14T15:35", {"blood pressure": (142, 88), "heart rate": 80, "weight": 96.8}, "rb.2.1"),
        Vitals("2026-10-13T15:35", {"blood pressure": (134, 82), "heart rate": 76, "weight": 93.5}, "rb.2.2"),
    ),
    problems=(
        Problem(terms.DIABETES_2, "2016-03-22", terms.MODERATE),
        Problem(terms.HYPERLIPIDEMIA, "2016-03-22"),
    ),
    allergies=(Allergy(terms.CODEINE, "medication", "2012-11-30", terms.ITCHING, "mild", type="intolerance"),),
    orders=(
        Order(
            terms.METFORMIN,
            "2026-10-13T15:45",
            "2 tablets with dinner",
            _ALVAREZ,
            medication_as="reference",
            medication_shown=False,
        ),
        Order(terms.SIMVASTATIN, "2026-04-14T15:55", "1 tablet at bedtime", _ALVAREZ, medication_as="contained"),
    ),
    policies=(
        Policy(
            _BLUE,
            "BR-204518",
            ("3307", "Riverbend Paper Mill"),
            ("HDP", "High Deductible"),
            terms.COMMERCIAL,
            "2021-01-01",
        ),
    ),
)

_WANG = Chart(
    Person(
        "rb.pat.3",
        "7015530",
        ("王",),
        ("芳",),
        "female",
        "1984-06-06",
        other_name=("Wang", "Fang"),
        language="zh",
        doctor=_ALVAREZ,
    ),
    visits=(
        Visit(
            "rb.3.1",
            terms.SYMPTOM,
            "AMB",
            "2026-09-01T10:15",
            "2026-09-01T10:35",
            _CLINIC,
            reason=terms.BRONCHITIS,
        ),
    ),
    vitals=(
        Vitals(
            "2026-09-01T10:20",
            {"blood pressure": (118, 74), "temperature": 37.6, "oxygen saturation": 97},
            "rb.3.1",
            "2026-09-01T10:24",
        ),
    ),
    problems=(
        Problem(terms.BRONCHITIS, "2026-09-01", terms.MILD, clinical="resolved"),
        Problem(terms.HAY_FEVER, "2015-05-01", terms.MILD),
    ),
    allergies=(Allergy(terms.NO_KNOWN_ALLERGY, "medication", "2026-09-01", criticality="unable-to-assess"),),
    orders=(Order(terms.LORATADINE, "2026-09-01T10:30", "1 tablet daily as needed", _ALVAREZ),),
    policies=(
        Policy(
            _BLUE,
            "BR-310990",
            ("3307", "Riverbend Paper Mill"),
            ("PPO", "Preferred"),
            terms.COMMERCIAL,
            "2024-01-01",
        ),
    ),
)

_FITZGERALD = Chart(
    Person("rb.pat.4", "7021145", ("Fitzgerald",), ("Noah",), "male", "2018-08-20", doctor=_STONE),
    visits=(
        Visit(
            "rb.4.1",
            terms.WELL_CHILD,
            "AMB",
            "2026-08-21T14:00",
            "2026-08-21T14:30",
            _CHILDREN,
            doctor=_STONE,
        ),
        Visit(
            "rb.4.2",
            terms.EMERGENCY,
            "EMER",
            "2026-10-09T21:40",
            "2026-10-10T00:30",
            _ER,
            reason=terms.ASTHMA,
            doctor=_STONE,
        ),
    ),
    vitals=(
        Vitals("2026-08-21T14:05", {"weight": 26.0, "height": 129}, "rb.4.1"),
        *series("rb.4.2", "2026-10-09T21:45", 1, ((102, 62, 132, 34, 37.1, 91), (100, 60, 118, 28, 37.0, 95))),
    ),
    problems=(Problem(terms.ASTHMA, "2022-12-05", terms.MODERATE),),
    allergies=(
        Allergy(terms.PEANUT, "food", "2020-02-14", terms.ANAPHYLAXIS, "severe", "high"),
        Allergy(
            terms.AMOXICILLIN_SUBSTANCE,
            "medication",
            "2021-01-10",
            terms.RASH,
            "mild",
            verification="refuted",
            clinical="",
        ),
    ),
    orders=(Order(terms.ALBUTEROL, "2026-10-10T00:10", "2 puffs every 4 hours as needed, with spacer", _STONE),),
    policies=(
        Policy(_BLUE, "BR-118266", ("1020", "County Library"), ("FAM", "Family"), terms.COMMERCIAL, "2018-09-01"),
    ),
)

_HADDAD = Chart(  # nobody has asked him about allergies yet
    Person(
        "rb.pat.5",
        "7033902",
        ("Haddad",),
        ("Samir",),
        "male",
        "1993-03-12",
        address=("203 Ferry Wharf", "Larkhaven", "0663927"),
    ),
    visits=(Visit("rb.5.1", terms.EMERGENCY, "EMER", "2026-10-30T22:15", "", _ER, reason=terms.MIGRAINE),),
    vitals=(
        Vitals("2026-10-30T22:20", {"blood pressure": (128, 80), "heart rate": 90, "temperature": 36.9}, "rb.5.1"),
    ),
    problems=(Problem(terms.MIGRAINE, "2026-10-30", clinical="active", verification="provisional"),),
    orders=(Order(terms.IBUPROFEN, "2026-10-30T23:00", "2 tablets once", _STONE),),
)

_MULLER = Chart(
    Person(
        "rb.pat.6",
        "7001008",
        ("Müller",),
        ("Jürgen",),
        "male",
        "1940-10-15",
        "Dr.",
        language="de",
        doctor=_ALVAREZ,
    ),
    visits=(
        Visit("rb.6.1", terms.FOLLOW_UP, "AMB", "2026-01-14T10:00", "2026-01-14T10:30", _CLINIC, doctor=_ALVAREZ),
        Visit(
            "rb.6.2",
            terms.ADMISSION,
            "IMP",
            "2026-10-20T08:00",
            "2026-10-24T12:00",
            _ICU,
            reason=terms.INFARCTION,
            doctor=_STONE,
        ),
    ),
    vitals=(
        Vitals("2026-01-14T10:05", {"blood pressure": (136, 76), "weight": 79.0}, "rb.6.1"),
        *series(
            "rb.6.2",
            "2026-10-20T08:30",
            12,
            ((98, 60, 104, 22, 36.8, 92), (110, 66, 90, 18, 36.9, 95), (118, 70, 78, 16, 36.6, 97)),
        ),
    ),
    problems=(
        Problem(terms.INFARCTION, "2026-10-20", terms.SEVERE),
        Problem(terms.COPD, "2011-03-03", terms.MODERATE),
        Problem(terms.OSTEOARTHRITIS, "2008-09-09", clinical="inactive"),
        Problem(terms.KIDNEY_DISEASE_3, "2024-02-20", terms.MODERATE),
        Problem(terms.ANEMIA, "2025-05-12", clinical="remission"),
    ),
    allergies=(
        Allergy(terms.LATEX, "environment", "2011-01-01", terms.ITCHING, "mild", verification="unconfirmed"),
        Allergy(terms.DANDER, "environment", "1999-01-01", terms.WHEEZING, "moderate", clinical="inactive"),
    ),
    orders=(
        Order(terms.SIMVASTATIN, "2026-10-24T11:00", "1 tablet at bedtime", _STONE),
        Order(
            terms.AMLODIPINE,
            "2026-10-24T11:00",
            "1 tablet every morning",
            _STONE,
            "on-hold",
            doctor_shown=False,
        ),
    ),
    statements=(Statement(terms.IBUPROFEN, "2026-09-01", "2 tablets when the knee hurts"),),
    policies=(
        Policy(_FEDERAL, "EPP-0107-8", ("ELD", "Elders"), ("ELD-B", "Elders Basic"), terms.PUBLIC, "2005-11-01"),
    ),
)

RECORDS = Records(
    Payer("rb.org.hospital", "Riverbend Medical Center"),
    "-05:00",
    (_ALVAREZ, _STONE),
    (_MEDICAL, _ICU, _CLINIC, _CHILDREN, _ER),
    (_BLUE, _FEDERAL),
    (_THOMPSON, _NOVAK, _WANG, _FITZGERALD, _HADDAD, _MULLER),
)
