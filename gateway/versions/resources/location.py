from gateway.versions.table import resource, table

TABLES = (
    resource(
        "Location",
        """
        # DSTU2                     | STU3                     | R4                     | how
        identifier* Identifier      | =                        | =
        status?! code               | =                        | =
        -                           | operationalStatus Coding | =
        name string                 | =                        | =
        -                           | alias* string            | =
        description string          | =                        | =
        mode?! code                 | =                        | =
        type CodeableConcept        | =                        | type* CodeableConcept  | first
        telecom* ContactPoint       | =                        | =
        address Address             | =                        | =
        physicalType CodeableConcept| =                        | =
        position Location.position  | =                        | =
        managingOrganization Reference(Organization) | =       | =
        partOf Reference(Location)  | =                        | =
        -                           | endpoint* Reference(Endpoint) | =
        """,
    ),
    table(
        "Location.position",
        """
        longitude! decimal | = | =
        latitude! decimal | = | =
        altitude decimal | = | =
        """,
    ),
)
