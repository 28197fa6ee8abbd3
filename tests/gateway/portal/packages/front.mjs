// What stands before the instances of a deployment: ends TLS and sends each request to the next instance.
import { readFileSync } from 'node:fs';
import { request as forward } from 'node:http';
import { createServer } from 'node:https';

const { PORT, CERTIFICATE, KEY, INSTANCES } = process.env;
const ports = INSTANCES.split(',').map(Number);
let turn = 0;

createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, (request, response) => {
  const { method, url: path, headers } = request;
  turn = (turn + 1) % ports.length;
  const onward = forward({ host: '127.0.0.1', port: ports[turn], method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, [...answer.rawHeaders, 'X-Instance', String(turn)]);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}).listen(Number(PORT), 'localhost');
