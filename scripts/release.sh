#!/bin/sh
# Deploys this run's package and tests it; when the test fails, puts the package of the last successful run back and
# fails. Runs in .github/workflows/deploy.yml: needs gh and az, signed in.
#
# SMOKE_CLIENT_ID and SMOKE_TENANT, where both are set, name a test client whose token the smoke test asks for; its
# secret is `smoke-client-secret` in the vault KEY_VAULT_URL.
set -eu
cd "$(dirname "$0")/.."
: "${AZURE_RESOURCE_GROUP:?}" "${FUNCTION_APP_NAME:?}" "${PUBLIC_BASE_URL:?}" "${GITHUB_RUN_ID:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

deploy() {
    az functionapp deployment source config-zip --resource-group "$AZURE_RESOURCE_GROUP" --name "$FUNCTION_APP_NAME" \
        --src "$1" --build-remote true --output none
}

smoke() {
    .venv/bin/python scripts/smoke.py "$PUBLIC_BASE_URL" --wait 180 "$@"
}

set --
if [ -n "${SMOKE_CLIENT_ID:-}" ] && [ -n "${SMOKE_TENANT:-}" ]; then
    SMOKE_CLIENT_SECRET=$(az keyvault secret show --id "${KEY_VAULT_URL%/}/secrets/smoke-client-secret" \
        --query value --output tsv)
    export SMOKE_CLIENT_SECRET
    set -- --client-id "$SMOKE_CLIENT_ID" --client-secret-env SMOKE_CLIENT_SECRET --tenant "$SMOKE_TENANT"
else
    echo "no test client is named (SMOKE_CLIENT_ID, SMOKE_TENANT): no token is asked for" >&2
fi

gh run download "$GITHUB_RUN_ID" --name package --dir "$work/new"
previous=$(gh run list --workflow deploy.yml --branch main --status success --limit 1 --json databaseId --jq '.[0].databaseId // ""')
if [ -z "$previous" ]; then
    echo "this is the first release: there is no earlier package, so it cannot be rolled back" >&2
elif ! gh run download "$previous" --name package --dir "$work/previous"; then
    echo "the package of run $previous is gone (kept 90 days): this release cannot be rolled back" >&2
    previous=
fi

if deploy "$work/new/package.zip" && smoke "$@"; then
    exit 0
fi
if [ -z "$previous" ]; then
    echo "the release failed and there is no earlier package to go back to: the app stays as it is now" >&2
    exit 1
fi
echo "the release failed: going back to the package of run $previous" >&2
if deploy "$work/previous/package.zip" && smoke "$@"; then
    echo "the package of run $previous serves again" >&2
else
    echo "the package of run $previous does not pass the smoke test either" >&2
fi
exit 1
