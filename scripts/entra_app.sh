#!/bin/sh
# Entra app registration of the portal and the management API.
set -eu

usage() {
    cat <<'TEXT'
usage: scripts/entra_app.sh BASE_URL [NAME]

Creates or updates the app registration of the portal and the management API: the app roles Gateway.Admin and
Gateway.Reader, the portal's redirect URIs, the identifier URI and access tokens of version 2. Where APP_PRINCIPAL_ID
(an output of infra/) is set, the app's managed identity may act for the registration, so that it needs no secret.
Running it again changes nothing. Needs the Azure CLI, signed in as somebody who may register applications. Prints the
client id; it makes no secret.

example: scripts/entra_app.sh https://gateway.example "Patients Gateway"
TEXT
}

case "${1:-}" in
-h | --help)
    usage
    exit 0
    ;;
https://* | http://localhost*) ;;
*)
    usage >&2
    exit 2
    ;;
esac

base_url=${1%/}
name=${2:-Patients Gateway}

# The ids stay the same for ever: assignments of people to roles refer to them.
roles=$(cat <<'JSON'
[
  {"id": "6d0e3c7a-9f4b-4b0e-8a55-3f1c2d7e9a01", "allowedMemberTypes": ["User", "Application"], "isEnabled": true,
   "displayName": "Gateway administrator", "description": "Changes tenants, clients and keys", "value": "Gateway.Admin"},
  {"id": "b2f5a9c4-1e8d-4c63-9b7a-5d4e6f8a0b02", "allowedMemberTypes": ["User", "Application"], "isEnabled": true,
   "displayName": "Gateway reader", "description": "Sees tenants, clients and the audit trail", "value": "Gateway.Reader"}
]
JSON
)

client_id=$(az ad app list --filter "displayName eq '$name'" --query '[0].appId' --output tsv)
if [ -z "$client_id" ]; then
    client_id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
# Entra sends back after signing out only to an address that is registered too.
az ad app update --id "$client_id" \
    --identifier-uris "api://$client_id" \
    --web-redirect-uris "$base_url/portal/signed-in" "$base_url/portal/signed-out" \
    --app-roles "$roles"

# Without this the registration's access tokens are of version 1, with another issuer than the one the gateway checks.
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
object_id=$(az ad app show --id "$client_id" --query id --output tsv)
az rest --method patch --url "${graph%/}/v1.0/applications/$object_id" --output none \
    --body '{"api": {"requestedAccessTokenVersion": 2}}'

if [ -n "${APP_PRINCIPAL_ID:-}" ]; then
    trusted=$(az ad app federated-credential list --id "$client_id" --query "[?subject=='$APP_PRINCIPAL_ID'].id" --output tsv)
    if [ -z "$trusted" ]; then
        login=$(az cloud show --query endpoints.activeDirectory --output tsv)
        tenant=$(az account show --query tenantId --output tsv)
        az ad app federated-credential create --id "$client_id" --output none --parameters "{
            \"name\": \"gateway-$APP_PRINCIPAL_ID\", \"issuer\": \"${login%/}/$tenant/v2.0\",
            \"subject\": \"$APP_PRINCIPAL_ID\", \"audiences\": [\"api://AzureADTokenExchange\"]}"
    fi
fi

if ! az ad sp show --id "$client_id" --output none 2>/dev/null; then
    az ad sp create --id "$client_id" --output none
fi
# Nobody signs in without a role.
az ad sp update --id "$client_id" --set appRoleAssignmentRequired=true
echo "$client_id"
