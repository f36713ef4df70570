// Verification by jose, for JavaScript programs.

import { createRemoteJWKSet, jwtVerify } from "jose";

/** Returns a function from an access token to its claims, which throws what jose throws. */
export function createVerifier({ algorithm, jwksUrl, issuer, audience }) {
  // Create it once: it keeps the keys for 10 minutes, and fetches them again when a token names
  // one that is unknown, at most every 30 seconds.
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  const options = {
    // Exactly the `keys.algorithm` of Gateward. The default is every algorithm that fits the key.
    algorithms: [algorithm],
    issuer,
    audience,
    // jose compares it without regard to case, with or without "application/".
    typ: "at+jwt",
    // Seconds by which the clocks of Gateward's nodes may differ; the default is 0.
    clockTolerance: 5,
    // The longest lifetime that `tokens.access_ttl_seconds` allows. Without it, jose does not
    // compare `iat` with the clock.
    maxTokenAge: 86400,
    // jose requires `iss` and `aud` because they are given above, and `iat` for maxTokenAge. It
    // does not require `exp` by itself.
    requiredClaims: ["sub", "exp", "iat", "nbf", "jti", "sid", "client_id"],
  };
  return async (token) => (await jwtVerify(token, keys, options)).payload;
}
