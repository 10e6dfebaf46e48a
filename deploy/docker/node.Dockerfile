# The image of the API, the response worker, the gateway and the one-shot `prepare`: one build, several commands.
# Pinned by tag; for deployment pin by digest as well: FROM node:<tag>@sha256:<digest of `docker buildx imagetools inspect`>.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY tools tools
COPY domain domain
COPY workflows workflows
COPY activities activities
COPY forensics forensics
COPY evidence evidence
COPY clients clients
COPY gateway gateway
COPY api api
COPY workers workers
COPY cli cli
COPY station station
COPY bench bench
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json --noCheck \
 && node tools/bundle-workflows.mjs
# What is left runs; the compilers and the test tools do not travel.
RUN npm prune --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# The root file system is read-only and owned by root: the process cannot change its own code.
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
COPY console console
USER 1000:1000
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/cli/main.js", "--help"]
# The API's; each other service of docker-compose.yml brings its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8480/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
