param location string
param tags object
param workspaceId string
param keyVaultId string
param actionGroupName string

@description('Who is told; empty: alerts show in the portal only.')
param emailAddresses array

@description('Milliseconds that 95 of 100 requests must stay below.')
param p95Milliseconds int

// One entry an alert. Each query yields a single number, in the column Measured. docs/observability.md has the events.
var accesses = 'AppTraces | where Properties.event == \'fhir-access\' and isempty(tostring(Properties.entry))'
var rules = [
  {
    name: 'server-errors'
    text: 'More than 5 % of at least 20 FHIR requests in 15 minutes ended with a status of 500 or more.'
    query: '${accesses} | summarize Answered = count(), Failed = countif(toint(Properties.status) >= 500) | project Measured = iff(Answered < 20, 0.0, 100.0 * Failed / Answered)'
    threshold: 5
    severity: 1
  }
  {
    name: 'slow'
    text: 'The 95th percentile of the duration of FHIR requests is too high for 15 minutes.'
    query: '${accesses} | summarize Measured = percentile(todouble(Properties.total_ms), 95)'
    threshold: p95Milliseconds
    severity: 2
  }
  {
    name: 'open-circuit'
    text: 'The FHIR server of a tenant keeps failing: its requests are answered 503 until it answers again.'
    query: 'AppTraces | where Properties.event == \'circuit-opened\' | summarize Measured = dcount(tostring(Properties.tenant))'
    threshold: 0
    severity: 1
  }
  {
    name: 'failed-authentications'
    text: 'Many clients were refused a token, or requests carried no valid one: a client misconfigured, or somebody guessing.'
    query: 'AppTraces | where Properties.event == \'authentication-failed\' or (Properties.event == \'fhir-access\' and isempty(tostring(Properties.entry)) and toint(Properties.status) == 401) | summarize Measured = count()'
    threshold: 50
    severity: 2
  }
  {
    name: 'dependency-down'
    text: 'Table Storage or Key Vault cannot be read: the service lives on what it remembers, or not at all.'
    query: 'AppTraces | where tostring(Properties.event) in (\'storage-unavailable\', \'key-refresh-failed\') | summarize Measured = count()'
    threshold: 0
    severity: 1
  }
  {
    name: 'client-secret-expiring'
    text: 'The secret of a client in use ends within 14 days and it has no other: the client will stop.'
    query: 'AppTraces | where Properties.event == \'secret-expiring\' and toint(Properties.successors) == 0 | summarize Measured = dcount(tostring(Properties.client_id))'
    threshold: 0
    severity: 2
  }
  {
    name: 'defect'
    text: 'A request was answered 500 by a defect of the service.'
    query: 'AppTraces | where Properties.event == \'request-failed\' | summarize Measured = count()'
    threshold: 0
    severity: 2
  }
  {
    name: 'log-cap'
    text: 'The daily cap of the workspace is reached: events, which are the record of access, are dropped until tomorrow.'
    query: '_LogOperation | where Category =~ \'Ingestion\' and Detail contains \'OverQuota\' | summarize Measured = count()'
    threshold: 0
    severity: 1
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'gateway'
    emailReceivers: [
      for (address, index) in emailAddresses: {
        name: 'operator-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Patients Gateway: ${rule.name}'
      description: rule.text
      enabled: true
      autoMitigate: true
      severity: rule.severity
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      scopes: [
        workspaceId
      ]
      // AppTraces appears with the first telemetry, which is after the first deployment.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Measured'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              minFailingPeriodsToAlert: 1
              numberOfEvaluationPeriods: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [
          actionGroup.id
        ]
      }
    }
  }
]

resource vaultEvents 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${uniqueString(keyVaultId)}'
  location: location
  tags: tags
  properties: {
    source: keyVaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource expiringSecret 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: vaultEvents
  name: 'expiring-secret'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.KeyVault.SecretNearExpiry'
        'Microsoft.KeyVault.SecretExpired'
      ]
    }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev2'
        description: 'A secret in Key Vault expires within 30 days, or has expired.'
        actionGroups: [
          actionGroup.id
        ]
      }
    }
  }
}

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(resourceGroup().id, 'patients-gateway')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Patients Gateway'
    category: 'workbook'
    serializedData: loadTextContent('../workbook.json')
    sourceId: workspaceId
    version: 'Notebook/1.0'
  }
}

output actionGroupId string = actionGroup.id
