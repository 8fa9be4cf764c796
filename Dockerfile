# An image of its own: stetho is an application. Build: docker build -t stetho .
FROM python:3.12-slim AS build
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md stetho /src/
COPY probes /src/probes
COPY rules /src/rules
# pip compiles what it installs; a read-only container could not, and would pay for it at each start.
RUN python -m venv --without-pip /opt/stetho \
    && pip --python /opt/stetho/bin/python install --no-cache-dir -c /src/constraints.txt /src

FROM python:3.12-slim
COPY --from=build /opt/stetho /opt/stetho
ENV PATH=/opt/stetho/bin:$PATH
USER 65532:65532
WORKDIR /var/lib/stetho
ENTRYPOINT ["stetho"]
