import { test } from "node:test";
import { type ProxyProgram, startProxyProcess, without } from "../support/proxy-process.ts";
import { freePort, startServer, temporaryDirectory } from "../support/server-process.ts";
import { assertNoSmuggling } from "../support/smuggling.ts";

const nginx: ProxyProgram = { path: "/usr/sbin/nginx", args: (config) => ["-e", "stderr", "-c", config] };

test("behind nginx nobody gets another's answer", { skip: without(nginx) }, async (t) => {
  const front = await freePort();
  const server = await startServer(t, { env: { LIMIT_API: "off", LIMIT_SIGN_UP: "off", LOG_LEVEL: "info" } });
  const directory = temporaryDirectory(t);
  // One process that keeps its connections to the server, and writes nowhere but here.
  const config = `
    daemon off; master_process off; pid ${directory}/pid; error_log stderr;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
      uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
      upstream tollgate { server 127.0.0.1:${server.port}; keepalive 8; }
      server {
        listen 127.0.0.1:${front};
        location / {
          proxy_pass http://tollgate; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
      }
    }`;
  await startProxyProcess(t, nginx, config, [front]);
  await assertNoSmuggling(server, [front]);
});
