// Finds the token endpoint in the capability statement, draws a token and reads a patient.
// JSON settings on standard input, JSON on standard output.
import { readFileSync } from 'node:fs';
import { Client } from 'fhir-kit-client';

const settings = JSON.parse(readFileSync(0, 'utf8'));
const client = new Client({ baseUrl: settings.api_base });
const { tokenUrl, authorizeUrl } = await client.smartAuthMetadata();
const statement = await client.capabilityStatement();
const answer = await fetch(tokenUrl, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: settings.client_id,
    client_secret: settings.client_secret,
    scope: settings.scope,
  }),
});
const token = await answer.json();
client.bearerToken = token.access_token;
const patient = await client.read({ resourceType: 'Patient', id: settings.patient });
console.log(JSON.stringify({
  tokenUrl: String(tokenUrl),
  authorizeUrl: String(authorizeUrl),
  fhirVersion: statement.fhirVersion,
  id: patient.id,
}));
