// An authorization server for client credentials: settings as JSON on the command line, {port, clients}.
// A client: {client_id, method, secret | jwks_uri, alg}. Tokens are opaque; resource servers ask at the introspection endpoint.
import Provider from 'oidc-provider'

const { port, clients } = JSON.parse(process.argv[2])
const SCOPE = 'system/*.rs system/*.read'

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: clients.map(({ client_id, method, secret, jwks_uri, alg }) => ({
    client_id,
    client_secret: secret,
    jwks_uri,
    token_endpoint_auth_method: method,
    token_endpoint_auth_signing_alg: alg,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: SCOPE,
  })),
  scopes: SCOPE.split(' '),
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    // An operator's decision, which the tests take by the resource server's credential.
    revocation: { enabled: true, allowedPolicy: (_, client) => client.clientId === 'fhir-server' },
    devInteractions: { enabled: false },
  },
  // It fetches key sets from public addresses only, by way of a dispatcher; the gateway under test is on this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  ttl: { ClientCredentials: 300 },
})
provider.on('grant.error', (_, error) => console.log(error.message, error.error_description, error.error_detail, error.cause))
provider.listen(port, '127.0.0.1')
