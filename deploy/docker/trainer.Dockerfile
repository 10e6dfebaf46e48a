# The bundled trainer. Target `cpu` runs anywhere; `gpu` adds JAX's CUDA plugin and wants the NVIDIA container toolkit.
# Pinned by tag; for deployment pin by digest as well: FROM python:<tag>@sha256:<digest of `docker buildx imagetools inspect`>.
FROM python:3.13.7-slim-bookworm AS build
RUN python -m venv /venv
COPY trainer/requirements.lock /tmp/requirements.lock
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.lock

# The CUDA wheels are not in the lock file, which is the CPU set; their version follows the JAX that the lock file pins.
FROM build AS build-gpu
RUN version="$(/venv/bin/python -c 'from importlib.metadata import version; print(version("jax"))')" \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check "jax[cuda13]==${version}"

FROM python:3.13.7-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app PATH=/venv/bin:$PATH
WORKDIR /app
COPY trainer/lazaret_trainer lazaret_trainer
USER 1000:1000
ENTRYPOINT ["python", "-m", "lazaret_trainer.worker"]
# It listens on nothing; that it works is seen in Temporal (its poller) and by `lazaret doctor`.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["python", "-c", "import os; os.kill(1, 0)"]

FROM base AS gpu
COPY --from=build-gpu /venv /venv

FROM base AS cpu
COPY --from=build /venv /venv
