#!/bin/sh
# Deploys infra/ and appends the outputs as NAME=value lines to the file that is named (GITHUB_ENV in a workflow).
set -eu
cd "$(dirname "$0")/.."
: "${AZURE_ENV_NAME:?names the deployment}" "${AZURE_LOCATION:?is the region}"
target=${1:?usage: scripts/provision.sh FILE}
case "$target" in
*/*) ;;
*) target=./$target ;; # the shell would look for it in PATH
esac
if [ "${PRIVATE_NETWORKING:-false}" = true ]; then
    # Subnets of Flex Consumption are delegated to it, which does not register it.
    az provider register --namespace Microsoft.App --wait --output none
fi
# Resource Manager gives AZURE_RESOURCE_GROUP back as azurE_RESOURCE_GROUP.
az deployment sub create --name "patients-gateway-$AZURE_ENV_NAME" --location "$AZURE_LOCATION" \
    --parameters infra/main.bicepparam --query properties.outputs --output json |
    python3 -c 'import json, sys
for name, output in json.load(sys.stdin).items():
    print(name.upper(), output["value"], sep="=")' >>"$target"

# The API version whose schema the Bicep uses does not have this property yet.
(
    set -a
    # shellcheck disable=SC1090
    . "$target"
    scripts/rolling_update.sh
)
