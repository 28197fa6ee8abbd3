// A FHIR proxy as a Node team would write it, to measure the gateway beside: Express, http-proxy-middleware and jose.
//
//   POST /oauth2/token   client credentials (RFC 6749 §4.4, client_secret_post) → an ES256 JWT
//   GET  /fhir/…         checks signature, issuer, audience and life of the bearer token, then hands the request on
//
// It serves one tenant, rewrites nothing and logs nothing. Its settings are a JSON file, named on the command line:
// port, issuer, audience, jwk (private, with kid), client_id, client_secret, scope, upstream (URL of the FHIR base).
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { SignJWT, importJWK, jwtVerify } from 'jose';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { d: _private, ...publicJwk } = settings.jwk;
// Keys are imported once: per request it would cost more than the signature.
const signingKey = await importJWK(settings.jwk, 'ES256');
const verifyingKey = await importJWK(publicJwk, 'ES256');
const checks = { algorithms: ['ES256'], issuer: settings.issuer, audience: settings.audience, typ: 'at+jwt' };
const lifetime = 3600;

const digest = (text) => createHash('sha256').update(text).digest();
const secretDigest = digest(settings.client_secret);

const app = express();
app.disable('x-powered-by');
app.disable('etag');

app.post('/oauth2/token', express.urlencoded({ extended: false }), async (request, response) => {
  const form = request.body ?? {};
  response.set('Cache-Control', 'no-store');
  if (form.grant_type !== 'client_credentials') {
    response.status(400).json({ error: 'unsupported_grant_type' });
    return;
  }
  const known = timingSafeEqual(digest(form.client_secret ?? ''), secretDigest);
  if (form.client_id !== settings.client_id || !known) {
    response.status(401).json({ error: 'invalid_client' });
    return;
  }
  const token = await new SignJWT({ client_id: settings.client_id, scope: settings.scope })
    .setProtectedHeader({ alg: 'ES256', kid: settings.jwk.kid, typ: 'at+jwt' })
    .setIssuer(settings.issuer)
    .setAudience(settings.audience)
    .setSubject(settings.client_id)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetime}s`)
    .sign(signingKey);
  response.json({ access_token: token, token_type: 'Bearer', expires_in: lifetime, scope: settings.scope });
});

async function authorize(request, response, next) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  try {
    if (scheme.toLowerCase() !== 'bearer') throw new Error('no bearer token');
    await jwtVerify(token, verifyingKey, checks);
  } catch {
    response.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').end();
    return;
  }
  // The caller's token is not for the hospital.
  delete request.headers.authorization;
  next();
}

app.use(
  '/fhir',
  authorize,
  createProxyMiddleware({
    target: settings.upstream,
    changeOrigin: true,
    agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }),
  }),
);

const server = app.listen(settings.port, '127.0.0.1', () => console.log('listening'));
server.keepAliveTimeout = 60_000;
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
