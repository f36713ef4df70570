// Serves the verifiers by jose of all algorithms, at /ALGORITHM. Prints its port.

import { createServer } from "node:http";

import { createVerifier } from "./jose_verifier.mjs";

const verifiers = {};
for (const [algorithm, installation] of Object.entries(JSON.parse(process.env.INSTALLATIONS))) {
  const { issuer, audience, jwks_url: jwksUrl } = installation;
  verifiers[algorithm] = createVerifier({ algorithm, jwksUrl, issuer, audience });
}

const server = createServer({ maxHeaderSize: 65536 }, async (request, response) => {
  const token = (request.headers.authorization ?? "").replace(/^Bearer ?/, "");
  let status = 200;
  let body;
  try {
    const claims = await verifiers[request.url.slice(1)](token);
    body = { id: claims.sub, username: claims.username };
  } catch (error) {
    status = 401;
    body = { error: error.code ?? error.name };
  }
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
