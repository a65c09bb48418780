# Two stages: one installs from the lock file, the other holds the result and nothing to build with.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/stopwire
COPY requirements.lock /build/
RUN /opt/stopwire/bin/pip install --require-hashes --requirement /build/requirements.lock
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN /opt/stopwire/bin/pip install --no-deps --no-build-isolation /build

FROM python:3.13-slim
RUN useradd --system --uid 7867 --home-dir /var/lib/stopwire --create-home --shell /usr/sbin/nologin stopwire \
 && chmod 0700 /var/lib/stopwire
COPY --from=build /opt/stopwire /opt/stopwire
# Inside a container 127.0.0.1 reaches nobody; what the world sees is decided where the port is published.
ENV PATH=/opt/stopwire/bin:$PATH PYTHONUNBUFFERED=1 STOPWIRE_HOST=0.0.0.0 STOPWIRE_DATA_DIR=/var/lib/stopwire
USER stopwire
VOLUME /var/lib/stopwire
EXPOSE 7867
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7867/livez', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["stopwire"]
CMD ["up"]
