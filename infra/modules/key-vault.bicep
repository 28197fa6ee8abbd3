// Signing keys, pepper, upstream credentials. The app reads; only the key operator writes.

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object
param workspaceId string

@description('Who runs the app.')
param appPrincipalId string

@description('Object id of who creates and rotates keys; empty: nobody until a later deployment names one.')
param keyOperatorPrincipalId string

@allowed([
  'Group'
  'ServicePrincipal'
  'User'
])
param keyOperatorPrincipalType string

@description('Reachable only through a private endpoint.')
param privateNetworking bool

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enablePurgeProtection: true
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
  }
}

resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, secretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource operatorWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(keyOperatorPrincipalId)) {
  name: guid(vault.id, keyOperatorPrincipalId, secretsOfficer)
  scope: vault
  properties: {
    principalId: keyOperatorPrincipalId
    principalType: keyOperatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

output resourceId string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
