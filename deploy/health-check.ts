/** Whether the server in this container takes requests: for HEALTHCHECK, where there is no shell and no curl. */
import http from "node:http";
import https from "node:https";

const { PORT = "8000", TLS_CERT_FILE = "" } = process.env;
// It asks itself: whose name is in the certificate is for others to check.
const options = { host: "127.0.0.1", port: PORT, path: "/health/ready", timeout: 2_000, rejectUnauthorized: false };

(TLS_CERT_FILE === "" ? http : https)
  .get(options, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
