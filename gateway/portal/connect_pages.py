from gateway.portal.visits import Page, Visit

_SHOWN = 200
_NO_CLIENT, _NO_TENANT = "CLIENT_ID", "TENANT_ID"


async def connect(visit: Visit) -> Page:
    """This deployment's addresses, and programs that work as they stand once a client and a hospital are chosen."""
    tenants = [stored.value for stored in (await visit.operations.tenants.page(_SHOWN)).items]
    clients = [stored.value for stored in (await visit.operations.clients.page(_SHOWN)).items]
    client = next((one for one in clients if one.client_id == visit.query.get("client")), None)
    allowed = [one for one in tenants if one.enabled and (client is None or client.may_use(one.tenant_id))]
    tenant = next((one for one in allowed if one.tenant_id == visit.query.get("tenant")), None)
    return visit.show(
        "connect.html",
        settings=visit.settings,
        clients=clients,
        tenants=allowed,
        client_id=client.client_id if client else _NO_CLIENT,
        tenant_id=tenant.tenant_id if tenant else _NO_TENANT,
    )
