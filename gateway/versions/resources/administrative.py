"""What other resources contain or point to: Practitioner, Organization."""

from gateway.versions.table import resource, table

TABLES = (
    # The roles that DSTU2 keeps inside the Practitioner are resources of their own above it: left out.
    resource(
        "Practitioner",
        """
        # DSTU2                | STU3             | R4              | how
        identifier* Identifier | =                | =
        active boolean         | =                | =
        name HumanName         | name* HumanName  | =               | first
        telecom* ContactPoint  | =                | =
        address* Address       | =                | =
        gender code            | =                | =
        birthDate date         | =                | =
        photo* Attachment      | =                | =
        qualification* Practitioner.qualification | = | =
        communication* CodeableConcept | =        | =
        """,
    ),
    table(
        "Practitioner.qualification",
        """
        identifier* Identifier | = | =
        code! CodeableConcept | = | =
        period Period | = | =
        issuer Reference(Organization) | = | =
        """,
    ),
    resource(
        "Organization",
        """
        # DSTU2                | STU3                  | R4 | how
        identifier* Identifier | =                     | =
        active?! boolean       | =                     | =
        type CodeableConcept   | type* CodeableConcept | =  | first
        name string            | =                     | =
        -                      | alias* string         | =
        telecom* ContactPoint  | =                     | =
        address* Address       | =                     | =
        partOf Reference(Organization) | =             | =
        contact* Organization.contact | =              | =
        -                      | endpoint* Reference(Endpoint) | =
        """,
    ),
    table(
        "Organization.contact",
        """
        purpose CodeableConcept | = | =
        name HumanName | = | =
        telecom* ContactPoint | = | =
        address Address | = | =
        """,
    ),
)
