param name string
param planName string
param location string
param tags object

param identityResourceId string
param identityClientId string
param keyVaultUrl string
param applicationInsightsName string
param workspaceId string

param hostBlobEndpoint string
param hostQueueEndpoint string
param hostTableEndpoint string
param packageContainerUrl string
param dataTableEndpoint string

@description('Where callers reach the service, without a trailing slash; empty: the app\'s own host name.')
param publicBaseUrl string

@description('Front Door whose requests alone are let in; empty: everybody\'s.')
param frontDoorId string

@description('Subnet that outgoing requests leave through; empty: none.')
param integrationSubnetId string

@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int

@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@minValue(0)
param alwaysReadyInstances int

@minValue(1)
@maxValue(1000)
@description('Requests that one instance takes at a time; docs/operating.md has the measurement.')
param perInstanceConcurrency int

param defaultFhirVersion string
param logLevel string
param entraTenantId string
param entraClientId string
param entraCredentialInVault bool

var clientSecretReference = '@Microsoft.KeyVault(SecretUri=${keyVaultUrl}secrets/entra-client-secret)'
var awake = [
  {
    name: 'http'
    instanceCount: alwaysReadyInstances
  }
]
var onlyFrontDoor = [
  {
    name: 'front-door'
    priority: 100
    action: 'Allow'
    tag: 'ServiceTag'
    ipAddress: 'AzureFrontDoor.Backend'
    headers: {
      'x-azure-fdid': [
        frontDoorId
      ]
    }
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, {
    'azd-service-name': 'gateway'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityResourceId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityResourceId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(integrationSubnetId) ? null : integrationSubnetId
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: empty(frontDoorId) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: empty(frontDoorId) ? [] : onlyFrontDoor
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityResourceId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : awake
        triggers: {
          http: {
            perInstanceConcurrency: perInstanceConcurrency
          }
        }
      }
    }
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

// An empty value counts as absent (gateway/settings.py), so every setting stands here.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
    AzureWebJobsStorage__queueServiceUri: hostQueueEndpoint
    AzureWebJobsStorage__tableServiceUri: hostTableEndpoint
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    PYTHON_ENABLE_OPENTELEMETRY: 'true'
    PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${app.properties.defaultHostName}' : publicBaseUrl
    TABLES_CONNECTION__tableServiceUri: dataTableEndpoint
    TABLES_CONNECTION__credential: 'managedidentity'
    TABLES_CONNECTION__clientId: identityClientId
    KEY_VAULT_URL: keyVaultUrl
    DEFAULT_FHIR_VERSION: defaultFhirVersion
    TOKEN_LIFETIME_SECONDS: '3600'
    CACHE_TTL_SECONDS: '30'
    CACHE_STALE_SECONDS: '900'
    UPSTREAM_TIMEOUT_SECONDS: '20'
    MAX_BODY_BYTES: '1048576'
    MAX_BATCH_ENTRIES: '50'
    TENANT_MAX_CONCURRENCY: '64'
    CLIENT_RATE_PER_SECOND: '0'
    ALLOW_PRIVATE_UPSTREAMS: 'false'
    ENTRA_TENANT_ID: entraTenantId
    ENTRA_CLIENT_ID: entraClientId
    ENTRA_CLIENT_SECRET: entraCredentialInVault ? clientSecretReference : ''
    ENTRA_AUTHORITY: uri(environment().authentication.loginEndpoint, '${entraTenantId}/v2.0')
    LOG_LEVEL: logLevel
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output resourceId string = app.id
output name string = app.name
output hostName string = app.properties.defaultHostName
output url string = empty(publicBaseUrl) ? 'https://${app.properties.defaultHostName}' : publicBaseUrl
