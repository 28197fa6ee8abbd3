#!/bin/sh
# Lets a deployment replace instances in batches, each after it has finished what it began. Not every region has this yet:
# then nothing changes, and a deployment restarts all instances at once. Needs the Azure CLI.
set -eu
: "${FUNCTION_APP_NAME:?}" "${AZURE_RESOURCE_GROUP:?}"
id=$(az functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" --query id --output tsv)
manager=$(az cloud show --query endpoints.resourceManager --output tsv)
if az rest --method patch --url "${manager%/}$id?api-version=2024-11-01" --output none \
    --body '{"properties": {"functionAppConfig": {"siteUpdateStrategy": {"type": "RollingUpdate"}}}}'; then
    echo "rolling updates are on"
else
    echo "rolling updates were refused: deployments restart all instances at once" >&2
fi
