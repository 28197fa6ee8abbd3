# azd's postdeploy hook.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')
.venv/Scripts/python scripts/smoke.py $env:PUBLIC_BASE_URL --wait 180
exit $LASTEXITCODE
