targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Names the deployment: development, staging, production.')
param environmentName string

@description('Region of everything but what is global.')
param location string

@description('Resource group to create; empty: made up from environmentName.')
param resourceGroupName string = ''

@description('Where callers reach the service, without a trailing slash; empty: Front Door\'s or the app\'s own host name.')
param publicBaseUrl string = ''

@description('Object id of who creates and rotates keys and operates the registry with the command line; empty: nobody.')
param keyOperatorPrincipalId string = ''

@allowed([
  'Group'
  'ServicePrincipal'
  'User'
])
param keyOperatorPrincipalType string = 'User'

@description('Tenant whose people operate the service.')
param entraTenantId string = tenant().tenantId

@description('App registration of portal and management API (scripts/entra_app.sh); empty: no portal.')
param entraClientId string = ''

@description('The portal proves itself with entra-client-secret of Key Vault; otherwise with the app\'s identity, which needs no such thing.')
param entraCredentialInVault bool = false

@allowed([
  'dstu2'
  'r4'
  'stu3'
])
param defaultFhirVersion string = 'stu3'

@allowed([
  'DEBUG'
  'ERROR'
  'INFO'
  'WARNING'
])
param logLevel string = 'INFO'

@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@minValue(0)
@description('Instances that never sleep. Two let a deployment replace one while the other serves.')
param alwaysReadyInstances int = 2

@minValue(1)
@maxValue(1000)
@description('Requests that one instance takes at a time; docs/operating.md has the measurement.')
param perInstanceConcurrency int = 32

@allowed([
  'Standard_GRS'
  'Standard_GZRS'
  'Standard_RAGRS'
  'Standard_RAGZRS'
])
param dataRedundancy string = 'Standard_RAGZRS'

@minValue(30)
@maxValue(730)
param logRetentionDays int = 365

@minValue(1)
param dailyLogCapGigabytes int = 5

@description('Addresses that alerts go to.')
param alertEmailAddresses array = []

@minValue(1)
param alertP95Milliseconds int = 3000

@description('Virtual network, private endpoints, and no public access to storage and Key Vault.')
param privateNetworking bool = false

@description('Front Door with a firewall in front, which alone reaches the app.')
param useFrontDoor bool = false

@allowed([
  'Detection'
  'Prevention'
])
param firewallMode string = 'Prevention'

@minValue(100)
param firewallRequestsPerMinute int = 60000

var abbreviations = loadJsonContent('abbreviations.json')
var token = uniqueString(subscription().id, environmentName, location)
var tags = {
  'azd-env-name': environmentName
  application: 'patients-gateway'
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: empty(resourceGroupName) ? '${abbreviations.resourceGroup}patients-gateway-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbreviations.identity}${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalytics}${token}'
    applicationInsightsName: '${abbreviations.applicationInsights}${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    retentionDays: logRetentionDays
    dailyCapGigabytes: dailyLogCapGigabytes
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: '${abbreviations.storage}host${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.principalId
    privateNetworking: privateNetworking
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: 'data-storage'
  scope: group
  params: {
    name: '${abbreviations.storage}data${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: keyOperatorPrincipalId
    operatorPrincipalType: keyOperatorPrincipalType
    privateNetworking: privateNetworking
    redundancy: dataRedundancy
  }
}

module keyVault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: '${abbreviations.keyVault}${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.outputs.principalId
    keyOperatorPrincipalId: keyOperatorPrincipalId
    keyOperatorPrincipalType: keyOperatorPrincipalType
    privateNetworking: privateNetworking
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    name: '${abbreviations.virtualNetwork}${token}'
    location: location
    tags: tags
  }
}

module hostEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'host-endpoint'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}host-${token}'
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    targetId: hostStorage.outputs.resourceId
    zoneId: network!.outputs.blobZoneId
    groupId: 'blob'
  }
}

module dataEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'data-endpoint'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}data-${token}'
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    targetId: dataStorage.outputs.resourceId
    zoneId: network!.outputs.tableZoneId
    groupId: 'table'
  }
}

module exportEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'export-endpoint'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}export-${token}'
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    targetId: dataStorage.outputs.resourceId
    zoneId: network!.outputs.blobZoneId
    groupId: 'blob'
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  name: 'vault-endpoint'
  scope: group
  params: {
    name: '${abbreviations.privateEndpoint}vault-${token}'
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    targetId: keyVault.outputs.resourceId
    zoneId: network!.outputs.vaultZoneId
    groupId: 'vault'
  }
}

module frontDoor 'modules/front-door.bicep' = if (useFrontDoor) {
  name: 'front-door'
  scope: group
  params: {
    profileName: '${abbreviations.frontDoor}${token}'
    endpointName: '${abbreviations.frontDoorEndpoint}${token}'
    tags: tags
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: '${abbreviations.functionApp}${token}'
    planName: '${abbreviations.plan}${token}'
    location: location
    tags: tags
    identityResourceId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    keyVaultUrl: keyVault.outputs.url
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workspaceId: monitoring.outputs.workspaceId
    hostBlobEndpoint: hostStorage.outputs.blobEndpoint
    hostQueueEndpoint: hostStorage.outputs.queueEndpoint
    hostTableEndpoint: hostStorage.outputs.tableEndpoint
    packageContainerUrl: hostStorage.outputs.packageContainerUrl
    dataTableEndpoint: dataStorage.outputs.tableEndpoint
    publicBaseUrl: useFrontDoor && empty(publicBaseUrl) ? 'https://${frontDoor!.outputs.hostName}' : publicBaseUrl
    frontDoorId: useFrontDoor ? frontDoor!.outputs.frontDoorId : ''
    integrationSubnetId: privateNetworking ? network!.outputs.integrationSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    perInstanceConcurrency: perInstanceConcurrency
    defaultFhirVersion: defaultFhirVersion
    logLevel: logLevel
    entraTenantId: entraTenantId
    entraClientId: entraClientId
    entraCredentialInVault: entraCredentialInVault
  }
}

module frontDoorRoute 'modules/front-door-route.bicep' = if (useFrontDoor) {
  name: 'front-door-route'
  scope: group
  params: {
    profileName: frontDoor!.outputs.profileName
    endpointName: frontDoor!.outputs.endpointName
    firewallPolicyName: '${abbreviations.firewallPolicy}${token}'
    originHostName: functionApp.outputs.hostName
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    firewallMode: firewallMode
    requestsPerMinute: firewallRequestsPerMinute
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    keyVaultId: keyVault.outputs.resourceId
    actionGroupName: '${abbreviations.actionGroup}${token}'
    emailAddresses: alertEmailAddresses
    p95Milliseconds: alertP95Milliseconds
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = functionApp.outputs.name
output PUBLIC_BASE_URL string = functionApp.outputs.url
output KEY_VAULT_URL string = keyVault.outputs.url
output TABLES_SERVICE_URI string = dataStorage.outputs.tableEndpoint
output EXPORT_CONTAINER_URL string = dataStorage.outputs.exportContainerUrl
output APP_PRINCIPAL_ID string = identity.outputs.principalId
output ACTION_GROUP_ID string = alerts.outputs.actionGroupId
