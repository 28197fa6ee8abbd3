using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'development')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param publicBaseUrl = readEnvironmentVariable('PUBLIC_BASE_URL_WANTED', '')
param keyOperatorPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param keyOperatorPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param entraClientId = readEnvironmentVariable('ENTRA_CLIENT_ID', '')
param entraCredentialInVault = bool(readEnvironmentVariable('ENTRA_CREDENTIAL_IN_VAULT', 'false'))
param alertEmailAddresses = empty(readEnvironmentVariable('ALERT_EMAILS', '')) ? [] : split(readEnvironmentVariable('ALERT_EMAILS', ''), ',')
param privateNetworking = bool(readEnvironmentVariable('PRIVATE_NETWORKING', 'false'))
param useFrontDoor = bool(readEnvironmentVariable('USE_FRONT_DOOR', 'false'))
