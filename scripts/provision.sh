#!/bin/sh
# Deploys infra/ and appends the outputs as NAME=value lines to the file that is named (GITHUB_ENV in a workflow).
set -eu
cd "$(dirname "$0")/.."
: "${AZURE_ENV_NAME:?names the deployment}" "${AZURE_LOCATION:?is the region}"
target=${1:?usage: scripts/provision.sh FILE}
az deployment sub create --name "patients-gateway-$AZURE_ENV_NAME" --location "$AZURE_LOCATION" \
    --parameters infra/main.bicepparam --query properties.outputs --output json |
    python3 -c 'import json, sys
for name, output in json.load(sys.stdin).items():
    print(f"{name}={output["value"]}")' >>"$target"

# The API version whose schema the Bicep uses does not have this property yet.
(
    set -a
    # shellcheck disable=SC1090
    . "$target"
    scripts/rolling_update.sh
)
