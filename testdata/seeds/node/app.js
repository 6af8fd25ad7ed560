// SPDX-License-Identifier: Apache-2.0
// Counts its visitors in a file beside it. PORT says where it listens.
const fs = require('fs');
const http = require('http');
const ms = require('ms');

const port = Number(process.env.PORT || 80);
const journal = `${__dirname}/journal`;

function visits() {
  fs.appendFileSync(journal, '.');
  return fs.statSync(journal).size;
}

const pages = {
  '/': () => `visit ${visits()} on port ${port}, a day has ${ms('1d')} ms`,
  '/processes': () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
};

function answer(request, response) {
  const page = pages[request.url];
  response.writeHead(page ? 200 : 404, {'content-type': 'text/plain'});
  response.end(`${page ? page() : 'no such page'}\n`);
}

process.on('SIGTERM', () => process.exit(0));
http.createServer(answer).listen(port, '127.0.0.1');
