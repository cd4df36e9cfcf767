# One image for every role: `understudy proxy`, `understudy work`, `understudy serve`; configuration mounted at /config.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY config config
COPY proxy proxy
COPY evaluators evaluators
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["understudy"]
CMD ["--help"]
