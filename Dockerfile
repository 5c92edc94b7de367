# syntax=docker/dockerfile:1
# Builds the pages, then leaves behind all that only builds. docs/operate/deploying.md says how to run it.

FROM node:26.10.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/
# No scripts: the Node.js that npm would bring (decision 12) is that of this image already.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY . .
RUN npm run -s build
RUN npm prune --omit=dev --ignore-scripts && rm -rf web/node_modules && mkdir -m 700 /data
# Compiled code, so that a container starts in half the time and with less memory.
RUN deploy/keep-compiled.sh 65532

# glibc, libstdc++ and certificates; no shell, no package manager, no npm. The user is 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/docs/reference /app/docs/reference
COPY --from=build /app/web /app/web
COPY --from=build /app/deploy/health-check.ts /app/deploy/health-check.ts
COPY --from=build /app/src /app/src
COPY --from=build --chown=65532:65532 /data /data
ENV TOLLGATE_MODE=production HOST=0.0.0.0 PORT=8000 DATABASE_URL=sqlite:/data/tollgate.db NODE_COMPILE_CACHE=/app/node_modules/.cache/node
# The only place that is written to.
WORKDIR /data
VOLUME /data
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/usr/local/bin/node", "/app/deploy/health-check.ts"]
ENTRYPOINT ["/usr/local/bin/node", "/app/src/main.ts"]
CMD ["serve"]
