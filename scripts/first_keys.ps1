# azd's postprovision hook: signing key and pepper, made here and kept in Key Vault only.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')
if (-not (Test-Path .venv)) { python -m venv .venv }
.venv/Scripts/python -m pip install --quiet --requirement requirements.txt
if ($LASTEXITCODE) { exit $LASTEXITCODE }
.venv/Scripts/python scripts/first_keys.py @args
exit $LASTEXITCODE
