// An OpenID provider that plays Entra for one app registration: https, ID tokens with roles, tid and oid.
// Whoever signs in is who they say: `reader` has the role Gateway.Reader, `admin` Gateway.Admin, anybody else none.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const { PORT, CERTIFICATE, KEY, TENANT, CLIENT_ID, CLIENT_SECRET, GATEWAY } = process.env;
const base = `/${TENANT}/v2.0`;
const roles = { admin: ['Gateway.Admin'], reader: ['Gateway.Reader'] };

const provider = new Provider(`https://localhost:${PORT}${base}`, {
  clients: [{
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    redirect_uris: [`${GATEWAY}/portal/signed-in`],
    post_logout_redirect_uris: [`${GATEWAY}/portal/signed-out`],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  pkce: { required: () => true },
  cookies: { keys: ['of one test run'] },
  jwks: {
    keys: [{
      ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
      kid: 'one', alg: 'RS256', use: 'sig',
    }],
  },
  // As Entra does, whose ID tokens hold what the app needs.
  conformIdTokenClaims: false,
  claims: { openid: ['sub', 'tid', 'oid', 'roles'], profile: ['preferred_username'] },
  findAccount: (ctx, name) => ({
    accountId: name,
    claims: () => ({
      sub: name,
      tid: TENANT,
      oid: `object-of-${name}`,
      preferred_username: `${name}@hospital.example`,
      ...(roles[name] && { roles: roles[name] }),
    }),
  }),
  // An administrator has consented for everybody.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, (request, response) => {
  request.originalUrl = request.url;
  if (request.url.startsWith(`${base}/`)) request.url = request.url.slice(base.length);
  answer(request, response);
}).listen(Number(PORT), 'localhost');
