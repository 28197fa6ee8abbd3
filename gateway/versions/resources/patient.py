# ruff: noqa: E501 - a table's line is a row, however wide
from gateway.versions.codes import codes
from gateway.versions.table import resource, table

# DSTU2 has no backward link: `replaces` goes, with the link around it.
LINK = codes(
    "Patient.link.type",
    """
    replace  replaced-by  replaced-by
    -        replaces     replaces
    refer    refer        refer
    seealso  seealso      seealso
    """,
)
TABLES = (
    resource(
        "Patient",
        """
        # DSTU2                                    | STU3                                                  | R4                                                                    | how
        identifier* Identifier                     | =                                                     | =
        active?! boolean                           | =                                                     | =
        name* HumanName                            | =                                                     | =
        telecom* ContactPoint                      | =                                                     | =
        gender code                                | =                                                     | =
        birthDate date                             | =                                                     | =
        deceased[x]?! boolean/dateTime             | =                                                     | =
        address* Address                           | =                                                     | =
        maritalStatus CodeableConcept              | =                                                     | =
        multipleBirth[x] boolean/integer           | =                                                     | =
        photo* Attachment                          | =                                                     | =
        contact* Patient.contact                   | =                                                     | =
        animal?! Patient.animal                    | =                                                     | -
        communication* Patient.communication       | =                                                     | =
        careProvider* Reference(Organization/Practitioner) | generalPractitioner* Reference(Organization/Practitioner) | generalPractitioner* Reference(Organization/Practitioner/PractitionerRole)
        managingOrganization Reference(Organization) | =                                                   | =
        link* Patient.link                         | =                                                     | =
        """,
    ),
    table(
        "Patient.contact",
        """
        relationship* CodeableConcept | = | =
        name HumanName | = | =
        telecom* ContactPoint | = | =
        address Address | = | =
        gender code | = | =
        organization Reference(Organization) | = | =
        period Period | = | =
        """,
    ),
    table(
        "Patient.animal",
        """
        species! CodeableConcept | = | -
        breed CodeableConcept | = | -
        genderStatus CodeableConcept | = | -
        """,
    ),
    table(
        "Patient.communication",
        """
        language! CodeableConcept | = | =
        preferred boolean | = | =
        """,
    ),
    # DSTU2 knows no RelatedPerson here.
    table(
        "Patient.link",
        """
        other! Reference(Patient) | other! Reference(Patient/RelatedPerson) | =
        type! code | = | = | linkType
        """,
        rules={"linkType": LINK},
    ),
)
