# ruff: noqa: E501 - a table's line is a row, however wide
"""FHIR datatypes in the three releases; what is not named here does not pass."""

from gateway.versions.codes import codes
from gateway.versions.names import family_to_list, family_to_text, same_family
from gateway.versions.table import JsonObject, NotExpressibleError, Table, table
from gateway.versions.version import FhirVersion

DSTU2, STU3, R4 = FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4

# An identifier in use `old` is never offered (only R4 says so); `old` hides the identifier around it.
IDENTIFIER_USE = codes(
    "Identifier.use",
    """
    usual      usual      usual
    official   official   official
    temp       temp       temp
    secondary  secondary  secondary
    hide       hide       old
    """,
)
# R4 alone has billing addresses: below it the use is left out, the address stays.
ADDRESS_USE = codes(
    "Address.use",
    """
    home  home  home
    work  work  work
    temp  temp  temp
    old   old   old
    -     -     billing
    """,
)
_MEALS = "HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV"
_TIMES_OF_DAY = "MORN AFT EVE NIGHT PHS"  # not in DSTU2
WHEN = codes(
    "Timing.repeat.when",
    "\n".join([*(f"{c} {c} {c}" for c in _MEALS.split()), *(f"hide {c} {c}" for c in _TIMES_OF_DAY.split())]),
)
COMPARATOR = codes("Quantity.comparator", "< < <\n<= <= <=\n>= >= >=\n> > >")

_QUANTITY = """
    value decimal | = | =
    comparator?! code | = | = | comparator
    unit string | = | =
    system uri | = | =
    code code | = | =
"""
_EXTENSION_TYPES = """
    url! uri | = | =
    extension* Extension | = | =
    value[x] base64Binary/boolean/code/date/dateTime/decimal/instant/integer/markdown/string/uri/Address/Attachment/CodeableConcept/Coding/ContactPoint/HumanName/Identifier/Period/Quantity/Range/Ratio/Reference/Timing | value[x] base64Binary/boolean/code/date/dateTime/decimal/id/instant/integer/markdown/oid/positiveInt/string/time/unsignedInt/uri/Address/Age/Annotation/Attachment/CodeableConcept/Coding/ContactPoint/Count/Distance/Duration/HumanName/Identifier/Period/Quantity/Range/Ratio/Reference/SampledData/Timing | value[x] base64Binary/boolean/canonical/code/date/dateTime/decimal/id/instant/integer/markdown/oid/positiveInt/string/time/unsignedInt/uri/url/uuid/Address/Age/Annotation/Attachment/CodeableConcept/Coding/ContactPoint/Count/Distance/Dosage/Duration/HumanName/Identifier/Period/Quantity/Range/Ratio/Reference/SampledData/Timing | canonical>uri url>uri uuid>uri id>string oid>uri positiveInt>integer unsignedInt>integer Age>Quantity Count>Quantity Distance>Quantity Duration>Quantity
"""


def _says_something(source: JsonObject, out: JsonObject) -> None:
    """An extension whose value has no counterpart goes whole, so that its address does not seem to say something."""
    if source.keys() - {"id", "url"} and not out.keys() - {"id", "url"}:
        raise NotExpressibleError("value")


TABLES: tuple[Table, ...] = (
    table("Element", "extension* Extension | = | ="),
    table("Extension", _EXTENSION_TYPES, defaults=dict.fromkeys(FhirVersion, (_says_something,))),
    *(
        table(name, _QUANTITY, rules={"comparator": COMPARATOR})
        for name in ("Quantity", "Age", "Count", "Distance", "Duration")
    ),
    table(
        "Meta",
        """
        versionId id | = | =
        lastUpdated instant | = | =
        security* Coding | = | =
        tag* Coding | = | =
        """,
    ),
    table(
        "Narrative",
        """
        status! code | = | =
        div! xhtml | = | =
        """,
    ),
    table(
        "Identifier",
        """
        use?! code | = | = | use
        type CodeableConcept | = | =
        system uri | = | =
        value string | = | =
        period Period | = | =
        assigner Reference(Organization) | = | =
        """,
        rules={"use": IDENTIFIER_USE},
    ),
    table(
        "HumanName",
        """
        use?! code | = | =
        text string | = | =
        given* string | = | =
        prefix* string | = | =
        suffix* string | = | =
        period Period | = | =
        """,
        steps={
            (DSTU2, STU3): (family_to_text,),
            (R4, STU3): (same_family,),
            (R4, DSTU2): (family_to_list,),
            (STU3, DSTU2): (family_to_list,),
        },
    ),
    table(
        "ContactPoint",
        """
        system code | = | =
        value string | = | =
        use?! code | = | =
        rank positiveInt | = | =
        period Period | = | =
        """,
    ),
    table(
        "Address",
        """
        use?! code | = | = | use
        type code | = | =
        text string | = | =
        line* string | = | =
        city string | = | =
        district string | = | =
        state string | = | =
        postalCode string | = | =
        country string | = | =
        period Period | = | =
        """,
        rules={"use": ADDRESS_USE},
    ),
    table("Period", "start dateTime | = | =\nend dateTime | = | ="),
    table(
        "Coding",
        """
        system uri | = | =
        version string | = | =
        code code | = | =
        display string | = | =
        userSelected boolean | = | =
        """,
    ),
    table("CodeableConcept", "coding* Coding | = | =\ntext string | = | ="),
    table("Range", "low?! Quantity | = | =\nhigh?! Quantity | = | ="),
    table("Ratio", "numerator?! Quantity | = | =\ndenominator?! Quantity | = | ="),
    table(
        "SampledData",
        """
        origin! Quantity | = | =
        period! decimal | = | =
        factor?! decimal | = | =
        lowerLimit decimal | = | =
        upperLimit decimal | = | =
        dimensions! positiveInt | = | =
        data! string | = | data string
        """,
    ),
    table(
        "Attachment",
        """
        contentType code | = | =
        language code | = | =
        data base64Binary | = | =
        url uri | = | url url
        size unsignedInt | = | =
        hash base64Binary | = | =
        title string | = | =
        creation dateTime | = | =
        """,
    ),
    table(
        "Annotation",
        """
        author[x] Reference(Practitioner/Patient/RelatedPerson)/string | = | author[x] Reference(Practitioner/Patient/RelatedPerson/Organization)/string
        time dateTime | = | =
        text! string | = | text! markdown
        """,
    ),
    table(
        "Reference",
        """
        reference string | = | =
        - | identifier Identifier | =
        display string | = | =
        """,
    ),
    table(
        "Timing",
        """
        event* dateTime | = | =
        repeat?! Timing.repeat | = | =
        code CodeableConcept | = | =
        """,
    ),
    table(
        "Timing.repeat",
        """
        bounds[x]?! Quantity/Period/Range | bounds[x]?! Duration/Period/Range | = | Duration>Quantity Quantity>Duration
        count?! integer | = | count?! positiveInt
        - | countMax?! integer | countMax?! positiveInt
        duration?! decimal | = | =
        durationMax?! decimal | = | =
        durationUnits?! code | durationUnit?! code | =
        frequency?! integer | = | frequency?! positiveInt
        frequencyMax?! integer | = | frequencyMax?! positiveInt
        period?! decimal | = | =
        periodMax?! decimal | = | =
        periodUnits?! code | periodUnit?! code | =
        - | dayOfWeek*?! code | =
        - | timeOfDay*?! time | =
        when?! code | when*?! code | = | when
        - | offset?! unsignedInt | =
        """,
        rules={"when": WHEN},
    ),
)
