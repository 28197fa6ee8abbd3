#!/bin/sh
# Deploys this run's package and tests it; when the test fails, puts the package of the last successful run back and
# fails. Runs in .github/workflows/deploy.yml: needs gh and az, signed in.
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
    .venv/bin/python scripts/smoke.py "$PUBLIC_BASE_URL" --wait 180
}

gh run download "$GITHUB_RUN_ID" --name package --dir "$work/new"
previous=$(gh run list --workflow deploy.yml --branch main --status success --limit 1 --json databaseId --jq '.[0].databaseId // ""')
if [ -n "$previous" ]; then
    gh run download "$previous" --name package --dir "$work/previous"
fi

if deploy "$work/new/package.zip" && smoke; then
    exit 0
fi
if [ -z "$previous" ]; then
    echo "the smoke test failed and there is no earlier package to go back to" >&2
    exit 1
fi
echo "the smoke test failed: going back to the package of run $previous" >&2
deploy "$work/previous/package.zip"
smoke
exit 1
