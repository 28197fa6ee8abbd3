"""What Azure's published type definitions say of each resource type that infra/ declares, read in November 2026.

Only facts, and only as much as infra/ needs and may soon need: a property that is not here has not been looked up. To
use one, look it up in the type definitions of that API version first, then add it.

Source: github.com/Azure/bicep-types-az, generated/<provider>/<namespace>/<version>/types.md, from which the Bicep
compiler's own checks come. The one marked IN USE was seen in modules that are deployed with that version instead.

Notation: a `!` behind a name: required. STRING, INT, BOOL, ANY; enums by `one_of`; `[x]`: array of x; `mapping(x)`: any
names, values x. `lengths` and `whole` give the limits that the compiler warns about. Properties that are read-only do
not stand in a body but in READ.
"""

from dataclasses import dataclass

type Shape = Scalar | Mapping | Discriminated | list[Shape] | dict[str, Shape]


@dataclass(frozen=True)
class Scalar:
    kind: str
    values: frozenset[str] = frozenset()  # empty: any
    low: int | None = None  # of the length of a string, of the value of an integer
    high: int | None = None


@dataclass(frozen=True)
class Mapping:
    value: Shape


@dataclass(frozen=True)
class Discriminated:
    """An object whose other properties depend on the value of one."""

    by: str
    shapes: dict[str, dict[str, Shape]]


def one_of(*values: str) -> Scalar:
    return Scalar("string", frozenset(values))


def lengths(low: int, high: int) -> Scalar:
    return Scalar("string", low=low, high=high)


def whole(low: int | None = None, high: int | None = None) -> Scalar:
    return Scalar("int", low=low, high=high)


def mapping(value: Shape) -> Mapping:
    return Mapping(value)


STRING = Scalar("string")
INT = Scalar("int")
BOOL = Scalar("bool")
ANY = Scalar("any")
TAGS = mapping(STRING)
ID: dict[str, Shape] = {"id": STRING}
ON_OFF = one_of("Enabled", "Disabled")

RETENTION: dict[str, Shape] = {"enabled": BOOL, "days": whole(1, 365)}
STORAGE_ACLS: dict[str, Shape] = {
    "bypass": one_of("AzureServices", "Logging", "Metrics", "None"),
    "defaultAction!": one_of("Allow", "Deny"),
}
VAULT_ACLS: dict[str, Shape] = {
    "bypass": one_of("AzureServices", "None"),
    "defaultAction": one_of("Allow", "Deny"),
}
FUNCTION_APP: dict[str, Shape] = {
    "deployment": {
        "storage": {
            "type": one_of("blobContainer"),
            "value": STRING,
            "authentication": {
                "type": one_of("StorageAccountConnectionString", "SystemAssignedIdentity", "UserAssignedIdentity"),
                "userAssignedIdentityResourceId": STRING,
                "storageAccountConnectionStringName": STRING,
            },
        }
    },
    "runtime": {
        "name": one_of("custom", "dotnet-isolated", "java", "node", "powershell", "python"),
        "version": STRING,
    },
    "scaleAndConcurrency": {
        "alwaysReady": [{"name": STRING, "instanceCount": INT}],
        "instanceMemoryMB": INT,
        "maximumInstanceCount": INT,
        "triggers": {"http": {"perInstanceConcurrency": INT}},
    },
}
TLS = one_of("1.0", "1.1", "1.2", "1.3")
SITE_CONFIG: dict[str, Shape] = {
    "http20Enabled": BOOL,
    "ipSecurityRestrictions": [
        {
            "action": STRING,
            "description": STRING,
            "headers": mapping([STRING]),
            "ipAddress": STRING,
            "name": STRING,
            "priority": INT,
            "tag": one_of("Default", "ServiceTag", "XffProxy"),
        }
    ],
    "ipSecurityRestrictionsDefaultAction": one_of("Allow", "Deny"),
    "minTlsVersion": TLS,
    "scmMinTlsVersion": TLS,
}
FIREWALL: dict[str, Shape] = {
    "policySettings": {
        "enabledState": ON_OFF,
        "mode": one_of("Detection", "Prevention"),
        "requestBodyCheck": ON_OFF,
    },
    "customRules": {
        "rules": [
            {
                "name": lengths(0, 128),
                "priority!": INT,
                "enabledState": ON_OFF,
                "ruleType!": one_of("MatchRule", "RateLimitRule"),
                "rateLimitDurationInMinutes": whole(0, 5),
                "rateLimitThreshold": whole(0),
                "action!": one_of("Allow", "AnomalyScoring", "Block", "JSChallenge", "Log", "Redirect"),
                "matchConditions!": [
                    {
                        "matchVariable!": one_of(
                            "Cookies",
                            "PostArgs",
                            "QueryString",
                            "RemoteAddr",
                            "RequestBody",
                            "RequestHeader",
                            "RequestMethod",
                            "RequestUri",
                            "SocketAddr",
                        ),
                        "operator!": one_of("Any", "BeginsWith", "Contains", "Equal", "GeoMatch", "IPMatch", "RegEx"),
                        "matchValue!": [STRING],
                        "negateCondition": BOOL,
                    }
                ],
            }
        ]
    },
    "managedRules": {
        "managedRuleSets": [
            {
                "ruleSetType!": STRING,
                "ruleSetVersion!": STRING,
                "ruleSetAction": one_of("Block", "Log", "Redirect"),
            }
        ]
    },
}

TYPES: dict[str, dict[str, Shape]] = {
    "Microsoft.Resources/resourceGroups@2024-03-01": {
        "name!": lengths(1, 90),
        "location!": STRING,
        "managedBy": STRING,
        "tags": TAGS,
    },
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
    },
    "Microsoft.Authorization/roleAssignments@2022-04-01": {
        "name!": STRING,
        "properties!": {
            "principalId!": STRING,
            "principalType": one_of("Device", "ForeignGroup", "Group", "ServicePrincipal", "User"),
            "roleDefinitionId!": STRING,
            "description": STRING,
        },
    },
    "Microsoft.Authorization/locks@2020-05-01": {
        "name!": STRING,
        "properties!": {"level!": one_of("CanNotDelete", "NotSpecified", "ReadOnly"), "notes": STRING},
    },
    "Microsoft.Storage/storageAccounts@2024-01-01": {
        "name!": lengths(3, 24),
        "location!": STRING,
        "tags": TAGS,
        "kind!": one_of("BlobStorage", "BlockBlobStorage", "FileStorage", "Storage", "StorageV2"),
        "sku!": {
            "name!": one_of(
                "Premium_LRS",
                "Premium_ZRS",
                "Standard_GRS",
                "Standard_GZRS",
                "Standard_LRS",
                "Standard_RAGRS",
                "Standard_RAGZRS",
                "Standard_ZRS",
            )
        },
        "properties": {
            "accessTier": one_of("Cold", "Cool", "Hot", "Premium"),
            "allowBlobPublicAccess": BOOL,
            "allowCrossTenantReplication": BOOL,
            "allowSharedKeyAccess": BOOL,
            "defaultToOAuthAuthentication": BOOL,
            "isLocalUserEnabled": BOOL,
            "minimumTlsVersion": one_of("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"),
            "networkAcls": STORAGE_ACLS,
            "publicNetworkAccess": one_of("Disabled", "Enabled", "SecuredByPerimeter"),
            "supportsHttpsTrafficOnly": BOOL,
        },
    },
    "Microsoft.Storage/storageAccounts/blobServices@2024-01-01": {
        "name!": one_of("default"),
        "properties": {
            "containerDeleteRetentionPolicy": RETENTION,
            "deleteRetentionPolicy": RETENTION,
            "isVersioningEnabled": BOOL,
        },
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01": {
        "name!": lengths(3, 63),
        "properties": {"publicAccess": one_of("Blob", "Container", "None")},
    },
    "Microsoft.Storage/storageAccounts/tableServices@2024-01-01": {"name!": one_of("default"), "properties": {}},
    "Microsoft.KeyVault/vaults@2023-07-01": {
        "name!": lengths(3, 24),
        "location!": STRING,
        "tags": TAGS,
        "properties!": {
            "tenantId!": STRING,
            "sku!": {"family!": one_of("A"), "name!": one_of("premium", "standard")},
            "enablePurgeProtection": BOOL,
            "enableRbacAuthorization": BOOL,
            "enableSoftDelete": BOOL,
            "softDeleteRetentionInDays": INT,
            "networkAcls": VAULT_ACLS,
            "publicNetworkAccess": STRING,
        },
    },
    "Microsoft.OperationalInsights/workspaces@2023-09-01": {
        "name!": lengths(4, 63),
        "location!": STRING,
        "tags": TAGS,
        "properties": {
            "retentionInDays": INT,
            "sku": {
                "name!": one_of(
                    "CapacityReservation",
                    "Free",
                    "LACluster",
                    "PerGB2018",
                    "PerNode",
                    "Premium",
                    "Standalone",
                    "Standard",
                )
            },
            "workspaceCapping": {"dailyQuotaGb": INT},
            "features": {"disableLocalAuth": BOOL, "enableLogAccessUsingOnlyResourcePermissions": BOOL},
        },
    },
    "Microsoft.Insights/components@2020-02-02": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "kind!": STRING,
        "properties": {
            "Application_Type!": one_of("other", "web"),
            "DisableIpMasking": BOOL,
            "DisableLocalAuth": BOOL,
            "IngestionMode": one_of("ApplicationInsights", "ApplicationInsightsWithDiagnosticSettings", "LogAnalytics"),
            "RetentionInDays": INT,
            "WorkspaceResourceId": STRING,
        },
    },
    "Microsoft.Insights/components/pricingPlans@2017-10-01": {
        "name!": one_of("current"),
        "properties": {
            "cap": INT,
            "planType": STRING,
            "stopSendNotificationWhenHitCap": BOOL,
            "stopSendNotificationWhenHitThreshold": BOOL,
            "warningThreshold": INT,
        },
    },
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": {
        "name!": STRING,
        "properties": {
            "workspaceId": STRING,
            "logAnalyticsDestinationType": STRING,
            "logs": [{"category": STRING, "categoryGroup": STRING, "enabled!": BOOL}],
            "metrics": [{"category": STRING, "enabled!": BOOL, "timeGrain": STRING}],
        },
    },
    "Microsoft.Insights/actionGroups@2023-01-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "properties": {
            "enabled!": BOOL,
            "groupShortName!": lengths(0, 12),
            "emailReceivers": [{"name!": STRING, "emailAddress!": STRING, "useCommonAlertSchema": BOOL}],
        },
    },
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "kind": one_of("LogAlert", "LogToMetric"),
        "properties!": {
            "displayName": STRING,
            "description": STRING,
            "enabled": BOOL,
            "autoMitigate": BOOL,
            "severity": whole(0, 4),
            "evaluationFrequency": STRING,
            "windowSize": STRING,
            "scopes": [STRING],
            "skipQueryValidation": BOOL,
            "criteria": {
                "allOf": [
                    {
                        "query": STRING,
                        "metricMeasureColumn": STRING,
                        "timeAggregation": one_of("Average", "Count", "Maximum", "Minimum", "Total"),
                        "operator": one_of(
                            "Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"
                        ),
                        "threshold": INT,
                        "failingPeriods": {"minFailingPeriodsToAlert": INT, "numberOfEvaluationPeriods": INT},
                    }
                ]
            },
            "actions": {"actionGroups": [STRING]},
        },
    },
    "Microsoft.Insights/workbooks@2022-04-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "kind": one_of("shared"),
        "properties": {
            "displayName!": STRING,
            "category!": STRING,
            "serializedData!": STRING,
            "sourceId": STRING,
            "version": STRING,
        },
    },
    "Microsoft.EventGrid/systemTopics@2025-02-15": {
        "name!": lengths(3, 50),
        "location!": STRING,
        "tags": TAGS,
        "properties": {"source": STRING, "topicType": STRING},
    },
    "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15": {
        "name!": lengths(3, 64),
        "properties": {
            "eventDeliverySchema": one_of("CloudEventSchemaV1_0", "CustomInputSchema", "EventGridSchema"),
            "filter": {"includedEventTypes": [STRING], "subjectBeginsWith": STRING},
            "destination": Discriminated(
                "endpointType",
                {
                    "MonitorAlert": {
                        "properties": {
                            "actionGroups": [STRING],
                            "description": STRING,
                            "severity": one_of("Sev0", "Sev1", "Sev2", "Sev3", "Sev4"),
                        }
                    }
                },
            ),
        },
    },
    # IN USE
    "Microsoft.Network/virtualNetworks@2024-05-01": {
        "name!": STRING,
        "location": STRING,
        "tags": TAGS,
        "properties": {
            "addressSpace": {"addressPrefixes": [STRING]},
            "subnets": [
                {
                    "name": STRING,
                    "properties": {
                        "addressPrefix": STRING,
                        "delegations": [{"name": STRING, "properties": {"serviceName": STRING}}],
                    },
                }
            ],
        },
    },
    "Microsoft.Network/virtualNetworks/subnets@2024-05-01": {"name!": STRING},
    "Microsoft.Network/privateEndpoints@2024-05-01": {
        "name!": STRING,
        "location": STRING,
        "tags": TAGS,
        "properties": {
            "subnet": ID,
            "privateLinkServiceConnections": [
                {"name": STRING, "properties": {"groupIds": [STRING], "privateLinkServiceId": STRING}}
            ],
        },
    },
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01": {
        "name!": STRING,
        "properties": {"privateDnsZoneConfigs": [{"name": STRING, "properties": {"privateDnsZoneId": STRING}}]},
    },
    "Microsoft.Network/privateDnsZones@2020-06-01": {"name!": STRING, "location": STRING, "tags": TAGS},
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01": {
        "name!": STRING,
        "location": STRING,
        "tags": TAGS,
        "properties": {"registrationEnabled": BOOL, "virtualNetwork": ID},
    },
    "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2024-02-01": {
        "name!": lengths(0, 128),
        "location": STRING,
        "tags": TAGS,
        "sku": {"name": one_of("Classic_AzureFrontDoor", "Premium_AzureFrontDoor", "Standard_AzureFrontDoor")},
        "properties": FIREWALL,
    },
    "Microsoft.Cdn/profiles@2024-02-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "sku!": {"name": one_of("Premium_AzureFrontDoor", "Standard_AzureFrontDoor")},
        "properties": {"originResponseTimeoutSeconds": whole(16)},
    },
    "Microsoft.Cdn/profiles/afdEndpoints@2024-02-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "properties": {"enabledState": ON_OFF},
    },
    "Microsoft.Cdn/profiles/originGroups@2024-02-01": {
        "name!": STRING,
        "properties": {
            "healthProbeSettings": {
                "probeIntervalInSeconds": whole(1, 255),
                "probePath": STRING,
                "probeProtocol": one_of("Http", "Https", "NotSet"),
                "probeRequestType": one_of("GET", "HEAD", "NotSet"),
            },
            "loadBalancingSettings": {
                "additionalLatencyInMilliseconds": INT,
                "sampleSize": INT,
                "successfulSamplesRequired": INT,
            },
            "sessionAffinityState": ON_OFF,
        },
    },
    "Microsoft.Cdn/profiles/originGroups/origins@2024-02-01": {
        "name!": STRING,
        "properties": {
            "enabledState": ON_OFF,
            "enforceCertificateNameCheck": BOOL,
            "hostName": STRING,
            "httpPort": whole(1, 65535),
            "httpsPort": whole(1, 65535),
            "originHostHeader": STRING,
            "priority": whole(1, 5),
            "weight": whole(1, 1000),
        },
    },
    "Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01": {
        "name!": STRING,
        "properties": {
            "enabledState": ON_OFF,
            "forwardingProtocol": one_of("HttpOnly", "HttpsOnly", "MatchRequest"),
            "httpsRedirect": ON_OFF,
            "linkToDefaultDomain": ON_OFF,
            "originGroup": ID,
            "patternsToMatch": [STRING],
            "supportedProtocols": [one_of("Http", "Https")],
        },
    },
    "Microsoft.Cdn/profiles/securityPolicies@2024-02-01": {
        "name!": STRING,
        "properties": {
            "parameters": Discriminated(
                "type",
                {
                    "WebApplicationFirewall": {
                        "wafPolicy": ID,
                        "associations": [{"domains": [ID], "patternsToMatch": [STRING]}],
                    }
                },
            )
        },
    },
    "Microsoft.Web/serverfarms@2025-03-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "kind": STRING,
        "sku": {"name": STRING, "tier": STRING, "capacity": INT},
        "properties": {"reserved": BOOL, "zoneRedundant": BOOL},
    },
    "Microsoft.Web/sites@2025-03-01": {
        "name!": STRING,
        "location!": STRING,
        "tags": TAGS,
        "kind": STRING,
        "identity": {
            "type": one_of("None", "SystemAssigned", "SystemAssigned, UserAssigned", "UserAssigned"),
            "userAssignedIdentities": mapping({}),
        },
        "properties": {
            "clientAffinityEnabled": BOOL,
            "functionAppConfig": FUNCTION_APP,
            "httpsOnly": BOOL,
            "keyVaultReferenceIdentity": STRING,
            "publicNetworkAccess": STRING,
            "serverFarmId": STRING,
            "siteConfig": SITE_CONFIG,
            "virtualNetworkSubnetId": STRING,
        },
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01": {
        "name!": one_of("ftp", "scm"),
        "properties": {"allow!": BOOL},
    },
    "Microsoft.Web/sites/config@2025-03-01": {"name!": one_of("appsettings"), "properties": mapping(STRING)},
}

# What a declared resource is asked for, beside its id and its name.
READ: dict[str, frozenset[str]] = {
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31": frozenset(
        {"properties.principalId", "properties.clientId"}
    ),
    "Microsoft.Storage/storageAccounts@2024-01-01": frozenset(
        {f"properties.primaryEndpoints.{service}" for service in ("blob", "queue", "table")}
    ),
    "Microsoft.KeyVault/vaults@2023-07-01": frozenset({"properties.vaultUri"}),
    "Microsoft.Insights/components@2020-02-02": frozenset({"properties.ConnectionString"}),
    "Microsoft.Cdn/profiles@2024-02-01": frozenset({"properties.frontDoorId"}),
    "Microsoft.Cdn/profiles/afdEndpoints@2024-02-01": frozenset({"properties.hostName"}),
    "Microsoft.Web/sites@2025-03-01": frozenset({"properties.defaultHostName"}),
}
