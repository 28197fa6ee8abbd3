from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from gateway.audit import Entry
from gateway.errors import Invalid
from gateway.portal.tenant_forms import problems_of
from gateway.portal.visits import Page, Visit

_PAGE = 50
_ROWS = 200
# So many pages of rows are looked through at a time; what is older is behind the link that goes on.
_MOST_PAGES = 10
FILTERS = ("who", "action", "object", "from", "to")


async def audit(visit: Visit) -> Page:
    """Entries that the filters let through, the newest first, and a link to those that follow."""
    wanted = {name: visit.query.get(name, "").strip() for name in FILTERS}
    try:
        since, until = _day(wanted["from"], "from"), _day(wanted["to"], "to")
    except Invalid as error:
        return _page(visit, wanted, [], "", error)
    filtered = any(wanted[name] for name in ("who", "action", "object"))
    found: list[Entry] = []
    continuation = visit.query.get("continuation", "")
    for _ in range(_MOST_PAGES):
        page = await visit.operations.trail.page(
            _ROWS if filtered else _PAGE,
            continuation,
            since=since,
            until=until + timedelta(days=1) if until else None,
        )
        found += [entry for entry in page.items if _fits(entry, wanted)]
        continuation = page.continuation
        if not continuation or len(found) >= _PAGE:
            break
    return _page(visit, wanted, found, continuation)


def _fits(entry: Entry, wanted: dict[str, str]) -> bool:
    change = entry.change
    named = [
        str((facts or {}).get(name, "")) for facts in (change.before, change.after) for name in ("name", "tenant_id")
    ]
    texts = {
        "who": f"{entry.by.actor} {entry.by.via}",
        "action": change.action,
        "object": " ".join([change.tenant_id, change.client_id, *named]),
    }
    return all(wanted[name].lower() in text.lower() for name, text in texts.items())


def _day(text: str, field: str) -> datetime | None:
    """The begin of a day in UTC. Raises Invalid, which names the field."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{field} must be a date such as 2026-06-30.", field=field) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _page(
    visit: Visit, wanted: dict[str, str], found: list[Entry], continuation: str, error: Invalid | None = None
) -> Page:
    following = {name: text for name, text in wanted.items() if text} | {"continuation": continuation}
    return visit.show(
        "audit.html",
        error.status if error else 200,
        entries=[entry.view() for entry in found],
        wanted=wanted,
        following=urlencode(following) if continuation else "",
        error=error,
        problems=problems_of(error, FILTERS),
        entered=wanted,
    )
