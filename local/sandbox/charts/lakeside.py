"""Lakeside General's patients."""

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
    Visit,
    Vitals,
    series,
)

_BAKER = Doctor("d11", "Baker", "Joan")
_LINDQVIST = Doctor("d12", "Lindqvist", "Åsa")
_MOREAU = Doctor("d13", "Moreau", "Étienne")
_WARD = Place("l3w", "3 West, bed 12", terms.WARD)
_ICU = Place("licu", "Intensive Care, bed 4", terms.INTENSIVE_CARE)
_CLINIC = Place("lclin", "Lakeside Family Clinic", terms.CLINIC)
_CHILDREN = Place("lped", "Children's Ward, bed 2", terms.CHILDREN)
_ER = Place("ler", "Emergency Department", terms.EMERGENCY_ROOM)
_PRAIRIE = Payer("prairie", "Prairie Mutual Health")
_STATE = Payer("statecare", "State Care")

_WHITCOMB = Chart(
    Person(
        "1001",
        "LG-204518",
        ("Whitcomb",),
        ("Harold", "James"),
        "male",
        "1948-03-22",
        "Mr.",
        phone="555-0117",
        doctor=_BAKER,
    ),
    visits=(
        Visit("1001-1", terms.CHECK_UP, "AMB", "2025-11-04T09:00", "2025-11-04T09:30", _CLINIC, doctor=_BAKER),
        Visit(
            "1001-2",
            terms.EMERGENCY,
            "EMER",
            "2026-10-18T19:10",
            "2026-10-18T23:40",
            _ER,
            reason=terms.PNEUMONIA,
        ),
        Visit(
            "1001-3",
            terms.ADMISSION,
            "IMP",
            "2026-10-18T23:45",
            "",
            _WARD,
            reason=terms.PNEUMONIA,
            doctor=_MOREAU,
        ),
    ),
    vitals=(
        Vitals("2025-11-04T09:10", {"blood pressure": (146, 88), "weight": 83.5, "height": 178}, "1001-1"),
        *series(
            "1001-3",
            "2026-10-19T06:00",
            6,
            (
                (104, 62, 112, 26, 39.2, 89),
                (108, 64, 108, 24, 38.9, 91),
                (112, 66, 102, 24, 38.6, 92),
                (118, 70, 98, 22, 38.3, 92),
                (120, 72, 96, 22, 38.1, 93),
                (122, 70, 92, 20, 37.8, 93),
                (126, 74, 88, 20, 37.6, 94),
                (128, 76, 84, 18, 37.2, 95),
            ),
        ),
    ),
    problems=(
        Problem(terms.COPD, "2017-05-09", terms.MODERATE, "2016"),
        Problem(terms.HYPERTENSION, "2009-02-13", terms.MILD, "2009"),
        Problem(terms.PNEUMONIA, "2026-10-18", terms.SEVERE, "2026-10-16"),
    ),
    allergies=(
        Allergy(
            terms.PENICILLIN,
            "medication",
            "1994-06-01",
            terms.HIVES,
            "moderate",
            "high",
            "Hives after the second dose.",
        ),
        Allergy(terms.LATEX, "environment", "2011-09-20", terms.ITCHING, "mild", note="Itching under gloves."),
    ),
    orders=(
        Order(terms.AZITHROMYCIN, "2026-10-19T00:20", "2 tablets today, then 1 tablet daily for 4 days", _MOREAU),
        Order(terms.AMLODIPINE, "2025-11-04T09:25", "1 tablet every morning", _BAKER, medication_as="reference"),
        Order(terms.ALBUTEROL, "2025-11-04T09:25", "2 puffs every 6 hours as needed for wheezing", _BAKER),
    ),
    policies=(
        Policy(
            _STATE,
            "SC-7731-22",
            ("ST-65", "Seniors"),
            ("ST-65-A", "State Care Senior A"),
            terms.PUBLIC,
            "2013-04-01",
        ),
    ),
)

_GARCIA = Chart(
    Person(
        "1002",
        "LG-118204",
        ("García", "Ibáñez"),
        ("Lucía",),
        "female",
        "1971-08-30",
        "Mrs.",
        language="es",
        doctor=_BAKER,
    ),
    visits=(
        Visit(
            "1002-1",
            terms.FOLLOW_UP,
            "AMB",
            "2026-02-11T14:00",
            "2026-02-11T14:25",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
        Visit(
            "1002-2",
            terms.FOLLOW_UP,
            "AMB",
            "2026-08-19T14:00",
            "2026-08-19T14:20",
            _CLINIC,
            reason=terms.DIABETES_2,
        ),
    ),
    vitals=(
        Vitals("2026-02-11T14:05", {"blood pressure": (138, 84), "heart rate": 78, "weight": 81.2}, "1002-1"),
        Vitals("2026-08-19T14:05", {"blood pressure": (132, 82), "heart rate": 74, "weight": 78.9}, "1002-2"),
    ),
    problems=(
        Problem(terms.DIABETES_2, "2018-10-02", terms.MODERATE, "2018-09"),
        Problem(terms.HYPERLIPIDEMIA, "2019-03-14", terms.MILD),
    ),
    allergies=(Allergy(terms.CODEINE, "medication", "2015-07-07", terms.NAUSEA, "mild", type="intolerance"),),
    orders=(
        Order(
            terms.METFORMIN,
            "2026-02-11T14:20",
            "2 tablets with the evening meal",
            _BAKER,
            medication_as="reference",
        ),
        Order(terms.SIMVASTATIN, "2026-02-11T14:20", "1 tablet at bedtime", _BAKER),
        Order(terms.LISINOPRIL, "2024-05-06T10:00", "1 tablet daily", _BAKER, "stopped", "2025-01-15T00:00"),
    ),
    policies=(
        Policy(
            _PRAIRIE,
            "PM550812",
            ("G-4410", "Harbor Freight Lines"),
            ("P-GOLD", "Prairie Gold"),
            terms.COMMERCIAL,
            "2022-01-01",
        ),
    ),
)

_WANG = Chart(
    Person(
        "1003",
        "LG-310077",
        ("王",),
        ("芳",),
        "female",
        "1979-12-05",
        other_name=("Wang", "Fang"),
        language="zh",
        doctor=_LINDQVIST,
    ),
    visits=(
        Visit(
            "1003-1",
            terms.CHECK_UP,
            "AMB",
            "2025-09-15T10:30",
            "2025-09-15T11:00",
            _CLINIC,
            doctor=_LINDQVIST,
        ),
        Visit(
            "1003-2",
            terms.SYMPTOM,
            "AMB",
            "2026-09-28T08:45",
            "2026-09-28T09:05",
            _CLINIC,
            reason=terms.HAY_FEVER,
        ),
    ),
    vitals=(
        Vitals(
            "2025-09-15T10:35",
            {"blood pressure": (112, 70), "heart rate": 66, "height": 163, "weight": 55.4},
            "1003-1",
        ),
        Vitals("2026-09-28T08:50", {"blood pressure": (116, 72), "temperature": 36.7}, "1003-2"),
    ),
    problems=(Problem(terms.HAY_FEVER, "2014-05-20", terms.MILD),),
    allergies=(Allergy(terms.GRASS_POLLEN, "environment", "2014-05-20", terms.ITCHING, "mild"),),
    orders=(Order(terms.LORATADINE, "2026-09-28T09:00", "1 tablet daily during the season", _LINDQVIST),),
    policies=(
        Policy(
            _PRAIRIE,
            "PM771940",
            ("G-2200", "City Schools"),
            ("P-SILVER", "Prairie Silver"),
            terms.COMMERCIAL,
            "2024-08-01",
        ),
    ),
)

_BRANDT = Chart(
    Person("1004", "LG-400961", ("Brandt",), ("Oliver",), "male", "2019-06-14", doctor=_LINDQVIST),
    visits=(
        Visit(
            "1004-1",
            terms.WELL_CHILD,
            "AMB",
            "2026-06-16T15:00",
            "2026-06-16T15:30",
            _CLINIC,
            doctor=_LINDQVIST,
        ),
        Visit(
            "1004-2",
            terms.ADMISSION,
            "IMP",
            "2026-10-25T20:15",
            "2026-10-27T11:00",
            _CHILDREN,
            reason=terms.ASTHMA,
        ),
    ),
    vitals=(
        Vitals("2026-06-16T15:10", {"weight": 22.8, "height": 121, "heart rate": 92}, "1004-1"),
        *series(
            "1004-2",
            "2026-10-25T21:00",
            8,
            ((98, 60, 138, 38, 37.4, 90), (96, 58, 124, 32, 37.2, 93), (98, 60, 104, 26, 36.9, 96)),
        ),
    ),
    problems=(
        Problem(terms.ASTHMA, "2023-01-30", terms.MODERATE),
        Problem(terms.OTITIS_MEDIA, "2022-03-11", terms.MILD, clinical="resolved"),
    ),
    allergies=(
        Allergy(
            terms.PEANUT,
            "food",
            "2021-04-18",
            terms.ANAPHYLAXIS,
            "severe",
            "high",
            "Carries an auto-injector.",
        ),
    ),
    orders=(Order(terms.ALBUTEROL, "2026-10-27T10:30", "2 puffs every 4 hours as needed, with spacer", _LINDQVIST),),
    policies=(
        Policy(
            _PRAIRIE,
            "PM104433",
            ("G-4410", "Harbor Freight Lines"),
            ("P-GOLD", "Prairie Gold"),
            terms.COMMERCIAL,
            "2019-07-01",
        ),
    ),
)

_OKAFOR = Chart(  # nobody has asked him about allergies yet
    Person(
        "1005",
        "LG-377216",
        ("Okafor",),
        ("Dennis",),
        "male",
        "1990-01-09",
        phone="555-0142",
        address=("14 Quarry Lane", "Millbrook", "0441704"),
    ),
    visits=(
        Visit(
            "1005-1",
            terms.EMERGENCY,
            "EMER",
            "2026-07-03T02:20",
            "2026-07-03T06:10",
            _ER,
            reason=terms.MIGRAINE,
            doctor=_MOREAU,
        ),
    ),
    vitals=(
        Vitals(
            "2026-07-03T02:30",
            {"blood pressure": (134, 86), "heart rate": 88, "temperature": 36.8},
            "1005-1",
            "2026-07-03T02:34",
        ),
    ),
    problems=(Problem(terms.MIGRAINE, "2026-07-03", terms.MODERATE),),
    orders=(
        Order(
            terms.NAPROXEN,
            "2026-07-03T05:50",
            "1 tablet twice daily with food, for 5 days",
            _MOREAU,
            "completed",
            "2026-07-08T00:00",
        ),
    ),
)

_SORENSEN = Chart(
    Person(
        "1006",
        "LG-002913",
        ("Sørensen",),
        ("Edith", "Margrethe"),
        "female",
        "1936-11-27",
        "Ms.",
        language="da",
        doctor=_BAKER,
    ),
    visits=(
        Visit("1006-1", terms.FOLLOW_UP, "AMB", "2026-04-08T11:00", "2026-04-08T11:30", _CLINIC, doctor=_BAKER),
        Visit(
            "1006-2",
            terms.ADMISSION,
            "IMP",
            "2026-10-29T16:30",
            "",
            _ICU,
            reason=terms.HEART_FAILURE,
            doctor=_MOREAU,
        ),
    ),
    vitals=(
        Vitals("2026-04-08T11:05", {"blood pressure": (142, 78), "heart rate": 84, "weight": 61.3}, "1006-1"),
        *series(
            "1006-2",
            "2026-10-29T17:00",
            4,
            ((158, 92, 118, 28, 36.6, 88), (148, 86, 106, 24, 36.7, 91), (138, 80, 96, 22, 36.6, 94)),
        ),
    ),
    problems=(
        Problem(terms.HEART_FAILURE, "2020-08-17", terms.SEVERE),
        Problem(terms.ATRIAL_FIBRILLATION, "2018-02-05", terms.MODERATE),
        Problem(terms.KIDNEY_DISEASE_3, "2021-11-23", terms.MODERATE),
        Problem(terms.OSTEOPOROSIS, "2012-06-30", terms.MILD),
    ),
    allergies=(
        Allergy(terms.ASPIRIN_SUBSTANCE, "medication", "1988-03-03", terms.WHEEZING, "moderate", "high"),
        Allergy(
            terms.PENICILLIN,
            "medication",
            "1970-01-01",
            note="Skin test negative.",
            verification="refuted",
            clinical="",
        ),
        Allergy(terms.DANDER, "environment", "2001-10-10", terms.ITCHING, "mild", clinical="inactive"),
    ),
    orders=(
        Order(terms.FUROSEMIDE, "2026-10-29T17:20", "1 tablet every morning", _MOREAU),
        Order(terms.WARFARIN, "2018-02-05T12:00", "1 tablet every evening, by INR", _BAKER),
    ),
    policies=(
        Policy(
            _STATE,
            "SC-1120-09",
            ("ST-65", "Seniors"),
            ("ST-65-B", "State Care Senior B"),
            terms.PUBLIC,
            "2001-12-01",
        ),
    ),
)

RECORDS = Records(
    Payer("lakeside", "Lakeside General"),
    "-05:00",
    (_BAKER, _LINDQVIST, _MOREAU),
    (_WARD, _ICU, _CLINIC, _CHILDREN, _ER),
    (_PRAIRIE, _STATE),
    (_WHITCOMB, _GARCIA, _WANG, _BRANDT, _OKAFOR, _SORENSEN),
)
