// A FHIR server that costs next to nothing: it sends bodies that were made beforehand, so that a benchmark measures
// what stands before it.
//
//   node upstream.mjs PORT FOLDER
//
// GET /{base}/{Type}/{id}?…   FOLDER/{base}/{Type}.read.json, whatever the id
// GET /{base}/{Type}?…        FOLDER/{base}/{Type}.search.json, whatever is asked
// A base named …-slow answers 100 ms later.
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const [port, folder] = process.argv.slice(2);
const SLOW = '-slow';
const SLOW_MILLISECONDS = 100;

const bodies = new Map();
for (const base of readdirSync(folder)) {
  for (const file of readdirSync(join(folder, base))) {
    const [type, interaction] = file.split('.');
    bodies.set(`${base} ${type} ${interaction}`, readFileSync(join(folder, base, file)));
  }
}

function send(response, body) {
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'application/fhir+json; charset=utf-8',
    'Content-Length': body.length,
    ETag: 'W/"1"',
    'Last-Modified': 'Mon, 02 Nov 2026 08:00:00 GMT',
  });
  response.end(body);
}

const server = createServer((request, response) => {
  const [path] = request.url.split('?', 1);
  const [, base, type, id] = path.split('/');
  const body = bodies.get(`${base} ${type} ${id ? 'read' : 'search'}`);
  if (base.endsWith(SLOW)) {
    setTimeout(send, SLOW_MILLISECONDS, response, body);
  } else {
    send(response, body);
  }
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
